"""One run of one method in a process of its own, so that CPU seconds and peak memory are its own.

`python -m pdenet.benchmark.child data ROW FILE SEED [FOLDER]` writes a row's data; `... limit ROW SEED` prints the
Cramer-Rao bound of a noisy row; `... METHOD ROW FILE` reads the data, fits, and prints one JSON document.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path

from backbone.errors import Failure
from pdenet.benchmark.cases import Row
from pdenet.benchmark.data import make_field
from pdenet.benchmark.peers import Fit, fit_best, fit_default
from pdenet.benchmark.rows import BY_NAME
from pdenet.fields.field import Field

BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


def write_data(row: Row, path: Path, seed: int, folder: Path | None) -> None:
    """The data of a row and seed as an .npz file."""
    from pdenet.writers import write_npz

    write_npz(make_field(row, seed, folder), path, recipe={"row": row.name, "seed": str(seed)})


def fit(method: str, row: Row, field: Field) -> Fit:
    """What a method finds: ours with no option, or the peer."""
    if method == "best":
        return fit_best(row, field)
    if method == "default":
        return fit_default(row, field)
    from pdenet.estimator import PDENet

    return Fit(PDENet(device="cpu").fit(field).equations_, "no option")


def measure(method: str, row: Row, path: Path) -> dict[str, object]:
    """The equations found, with the CPU seconds and the peak memory of this whole process, imports included."""
    from pdenet.readers import read

    found = fit(method, row, read(path))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "equations": [equation.as_dict() for equation in found.equations],
        "setting": found.setting,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * BYTES_PER_MAXRSS / 1e6,
    }


def limit(row: Row, seed: int) -> dict[str, float]:
    """The Cramer-Rao bound of a simulated row's data: standard error over coefficient, percent, mean over all terms."""
    import numpy as np
    import torch

    from pdenet.discovery.cramer_rao import cramer_rao_bound
    from pdenet.simulation.noise import noise_scale

    clean = make_field(replace(row, noise=0.0), seed, None)
    noise = row.noise * noise_scale(clean.values, row.noise_def)
    bound = cramer_rao_bound(clean, row.equations, noise, device=torch.device("cpu"))
    values = [value for equation in row.equations for value in equation.coefficients]
    return {"cramer_rao": float(np.mean(100 * np.sqrt(np.diag(bound)) / np.abs(values)))}


def main(words: list[str]) -> int:
    """Do one task; an expected failure is told on stderr and by the exit code."""
    task, name, path, *others = words
    try:
        if task == "data":
            write_data(BY_NAME[name], Path(path), int(others[0]), Path(others[1]) if others[1:] else None)
        elif task == "limit":
            print(json.dumps(limit(BY_NAME[name], int(path))))
        else:
            print(json.dumps(measure(task, BY_NAME[name], Path(path))))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return failure.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
