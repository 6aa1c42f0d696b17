"""Sets of labelled pictures, whatever format their folder or file has."""

from __future__ import annotations

from pathlib import Path

from backbone.data.arrays import read_archive
from backbone.data.cifar import read_cifar_folder
from backbone.data.idx import find_idx, read_idx_folder
from backbone.data.picture_set import PictureData
from backbone.errors import InputError

PICKLED = ("data_batch_1", "data_batch_1.pkl", "batches.meta", "train", "meta")
KNOWN = "train-images-idx3-ubyte[.gz] and so on (MNIST), data_batch_1.bin and so on (CIFAR-10), or one .npz"


def read_pictures(path: Path) -> PictureData:
    """The pictures of a folder or an .npz file: IDX (MNIST, Fashion-MNIST), CIFAR-10's binary version, NumPy arrays.

    Raises InputError for what is missing, damaged or of another format; pickles are refused, as they can run code.
    """
    if path.suffix == ".npz" and path.is_file():
        return read_archive(path)
    if not path.is_dir():
        raise InputError("there is no such folder or .npz file", where=str(path), cure="--data FOLDER")
    if find_idx(path, "train", "images", 3) is not None:
        return read_idx_folder(path)
    if any(path.glob("data_batch_*.bin")):
        return read_cifar_folder(path)
    archives = sorted(path.glob("*.npz"))
    if len(archives) == 1:
        return read_archive(archives[0])
    pickled = [name for name in PICKLED if (path / name).is_file()]
    if pickled:
        raise InputError(
            f"{pickled[0]} is a Python pickle, which can run code when it is read",
            where=str(path),
            cure="get the binary version, cifar-10-binary.tar.gz, and unpack it there",
        )
    found = ", ".join(sorted(entry.name for entry in path.iterdir())[:5]) or "nothing"
    raise InputError(f"no pictures of a known format among: {found}", where=str(path), cure=f"put there {KNOWN}")
