"""The data of a row of `bench pde`: simulated, or read from a public file, with noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from backbone.errors import InputError
from pdenet.benchmark.cases import Row
from pdenet.fields.field import Field
from pdenet.simulation.noise import add_noise


def make_field(row: Row, seed: int, folder: Path | None) -> Field:
    """The data of a row. Raises InputError if its file is not there."""
    if row.is_file:
        from pdenet.readers import read

        field = read(data_file(row, folder))
        generator = np.random.default_rng(seed)
        return replace(field, values=add_noise(field.values, row.noise, row.noise_def, generator))
    from pdenet.simulation.experiment import simulate

    return simulate(row.source, noise=row.noise, noise_def=row.noise_def, seed=seed)


def data_file(row: Row, folder: Path | None) -> Path:
    """The public file of a row; InputError if no folder is named or the file is not in it."""
    path = (folder or Path()) / row.source
    if folder is None or not path.is_file():
        raise InputError(
            f"there is no {path}", where="--data", cure="name the folder of PDE-FIND's Datasets with --data FOLDER"
        )
    return path
