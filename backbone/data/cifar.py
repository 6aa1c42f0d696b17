"""CIFAR-10's binary version: 3073 bytes a picture, its class and then red, green and blue of 32 x 32 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backbone.data.picture_set import PictureData, PictureSet, picture_set
from backbone.errors import InputError

SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes


def read_cifar_folder(folder: Path) -> PictureData:
    """data_batch_1.bin, data_batch_2.bin, ... to train on and test_batch.bin, as the archive unpacks."""
    train = sorted(folder.glob("data_batch_*.bin"))
    if not train:
        raise InputError("there is no data_batch_1.bin", where=str(folder), cure="unpack cifar-10-binary.tar.gz there")
    return PictureData(_read(train, folder), _read([folder / "test_batch.bin"], folder))


def _read(paths: list[Path], folder: Path) -> PictureSet:
    records = np.concatenate([_records(path) for path in paths])
    return picture_set(records[:, 1:].reshape(-1, *SHAPE), records[:, 0], str(folder))


def _records(path: Path) -> np.ndarray:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            f"cannot read the file: {error.strerror}", where=str(path), cure="get the file again"
        ) from error
    if content.size == 0 or content.size % RECORD:
        raise InputError(
            f"{content.size} bytes are not a number of pictures of {RECORD} bytes each",
            where=str(path),
            cure="get the file again, it is cut off, or of CIFAR-100",
        )
    return content.reshape(-1, RECORD)
