"""Times of a layer-parallel gradient beside the serial one, for any number of processes.

    torchrun --standalone --nproc-per-node 2 benchmarks/layer_parallel.py

Forward and backward pass of a stack of N Euler layers. serial: one layer after another, on one process. cycles: MGRIT
by one process alone and by all, layers shared. Seconds are medians; "x" is serial / parallel: above 1 is faster.
Process 0 writes benchmarks/results/layer_parallel.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median

import torch
import torch.distributed as dist
from torch import Tensor

from backbone.atomic import write_atomic
from backbone.checks.parallel import difference, smooth_layers, solved
from backbone.layer_parallel import Mgrit
from backbone.ranks import Ranks, process_group
from backbone.solve import Sequential, Solve

RESULT = Path(__file__).parent / "results" / "layer_parallel.json"
COARSEN = 16
SIZES = ((256, 1, 16), (1024, 1, 16), (256, 32, 16), (1024, 32, 16), (256, 32, 64))  # layers, batch, width


@dataclass(frozen=True)
class Timing:
    """One size by one number of cycles; error: of the gradient, relative."""

    layers: int
    batch: int
    width: int
    processes: int
    cycles: int
    error: float
    serial_s: float
    alone_s: float
    shared_s: float


def measure(layers: int, batch: int, width: int, cycles: int, repeats: int, ranks: Ranks) -> Timing:
    """All processes take part; the others wait while process 0 works alone."""
    stack = smooth_layers(layers, 1.0, width=width, batch=batch)

    def run(how: Solve) -> Callable[[], list[Tensor]]:
        return lambda: solved(stack, how)

    alone = Mgrit(coarsen=COARSEN, cycles=cycles)
    shared = replace(alone, chain=ranks)
    exact = solved(stack, Sequential())
    return Timing(
        layers=layers,
        batch=batch,
        width=width,
        processes=ranks.size,
        cycles=cycles,
        error=difference(solved(stack, shared), exact),
        serial_s=seconds(run(Sequential()), repeats, only_first=True, ranks=ranks),
        alone_s=seconds(run(alone), repeats, only_first=True, ranks=ranks),
        shared_s=seconds(run(shared), repeats, only_first=False, ranks=ranks),
    )


def seconds(run: Callable[[], list[Tensor]], repeats: int, *, only_first: bool, ranks: Ranks) -> float:
    """The median of a few runs after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        dist.barrier()
        begun = time.perf_counter()
        if not only_first or ranks.rank == 0:
            run()
        times.append(time.perf_counter() - begun)
    return median(times[1:])


def told(timing: Timing) -> str:
    """A line of the table."""
    size = f"N {timing.layers:5d}  batch {timing.batch:3d}  width {timing.width:3d}  cycles {timing.cycles}"
    faster = timing.serial_s / timing.alone_s, timing.serial_s / timing.shared_s
    return (
        f"{size}  error {timing.error:.0e}  serial {1e3 * timing.serial_s:7.1f} ms  alone x {faster[0]:.2f}  "
        f"{timing.processes} processes x {faster[1]:.2f}"
    )


def main() -> None:
    """Measure every size by one, two and eight cycles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    timings = []
    with process_group("gloo", timeout=timedelta(hours=1)) as ranks:
        for size in SIZES:
            for cycles in (1, 2, 8):
                timings.append(measure(*size, cycles, repeats, ranks))
                if ranks.rank == 0:
                    print(told(timings[-1]), flush=True)
        if ranks.rank == 0:
            document = {"torch": torch.__version__, "timings": [asdict(timing) for timing in timings]}
            write_atomic(RESULT, (json.dumps(document, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
