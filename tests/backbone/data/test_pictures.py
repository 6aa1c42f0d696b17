"""Picture sets: every format as it comes, bad files, and batches that a seed decides."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backbone.data.idx import read_idx
from backbone.data.picture_set import PictureData, PictureSet
from backbone.data.pictures import read_pictures
from backbone.data.shuffled import ShuffledBatches
from backbone.errors import InputError, UsageError

RNG = np.random.default_rng(0)
TRAIN, TEST = (RNG.integers(0, 256, (n, 6, 5), dtype=np.uint8) for n in (7, 3))
TRAIN_LABELS, TEST_LABELS = (np.arange(n, dtype=np.uint8) % 3 for n in (7, 3))


def idx(array: np.ndarray) -> bytes:
    """An IDX file by the format's own words."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, mark: str = "-", ending: str = "") -> Path:
    arrays = {"train": (TRAIN, TRAIN_LABELS), "t10k": (TEST, TEST_LABELS)}
    for prefix, (images, labels) in arrays.items():
        for name, content in (("images", idx(images)), ("labels", idx(labels))):
            path = folder / f"{prefix}-{name}{mark}idx{3 if name == 'images' else 1}-ubyte{ending}"
            path.write_bytes(gzip.compress(content) if ending else content)
    return folder


def demand_the_same(data: PictureData) -> None:
    assert torch.equal(data.train.pixels[:, 0], torch.from_numpy(TRAIN))
    assert torch.equal(data.test.pixels[:, 0], torch.from_numpy(TEST))
    assert data.train.labels.tolist() == TRAIN_LABELS.tolist()
    assert (data.classes, data.shape, data.note) == (3, (1, 6, 5), "")


@pytest.mark.parametrize(("mark", "ending"), [("-", ""), ("-", ".gz"), (".", ""), (".", ".gz")])
def test_idx_under_all_its_names(mark: str, ending: str, tmp_path: Path) -> None:
    demand_the_same(read_pictures(write_idx(tmp_path, mark, ending)))


@pytest.mark.parametrize("axis", [None, 1, 3])
def test_arrays_with_channels_anywhere(axis: int | None, tmp_path: Path) -> None:
    x, y = (TRAIN, TEST) if axis is None else (np.expand_dims(part, axis) for part in (TRAIN, TEST))
    np.savez(tmp_path / "a.npz", x_train=x, y_train=TRAIN_LABELS[:, None], x_test=y, y_test=TEST_LABELS)
    demand_the_same(read_pictures(tmp_path))
    demand_the_same(read_pictures(tmp_path / "a.npz"))


def jpeg(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=75)
    return content.getvalue()


def test_jpeg_files_end_to_end(tmp_path: Path) -> None:
    pictures = RNG.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    files = [jpeg(picture) for picture in pictures]
    offset = np.cumsum([0, *map(len, files)])
    content = np.frombuffer(b"".join(files), np.uint8)
    split, label = np.array([0, 1, 0, 0], np.uint8), np.array([2, 1, 0, 1], np.uint8)
    np.savez(tmp_path / "cifar.npz", jpeg=content, offset=offset, label=label, split=split)
    data = read_pictures(tmp_path)
    expected = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files]).transpose(0, 3, 1, 2)
    assert np.array_equal(data.train.pixels.numpy(), expected[split == 0])
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([2, 0, 1], [1])
    assert data.note.startswith("pictures decoded from JPEG")


def test_the_binary_version_of_cifar(tmp_path: Path) -> None:
    records = RNG.integers(0, 256, (5, 3073), dtype=np.uint8)
    records[:, 0] = [3, 1, 0, 2, 1]
    for name, part in (("data_batch_1", records[:2]), ("data_batch_2", records[2:4]), ("test_batch", records[4:])):
        (tmp_path / f"{name}.bin").write_bytes(part.tobytes())
    data = read_pictures(tmp_path)
    assert np.array_equal(data.train.pixels.numpy().reshape(4, -1), records[:4, 1:])
    assert (data.train.labels.tolist(), data.shape) == ([3, 1, 0, 2], (3, 32, 32))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\3\4", "does not begin with two zeros"),
        (b"\0\0\x0d\1\0\0\0\1\0\0\0\0", "type 0x0d"),
        (idx(TRAIN)[:-1], "7 x 6 x 5 bytes, 209 are there"),
        (b"\0\0\x08\3\0\0", "0 are there"),
    ],
)
def test_a_damaged_idx_file_says_what_is_wrong(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_idx(path)


def test_a_cut_off_gzip_file_says_so(tmp_path: Path) -> None:
    path = write_idx(tmp_path, ending=".gz") / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="cannot read the file"):
        read_pictures(tmp_path)


def test_sets_that_do_not_agree(tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(TEST_LABELS))
    with pytest.raises(InputError, match="7 pictures and 3 labels"):
        read_pictures(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="there is no train-labels-idx1-ubyte"):
        read_pictures(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message", "cure"),
    [
        ("data_batch_1", b"\x80\x02}q", "is a Python pickle", "cifar-10-binary.tar.gz"),
        ("data_batch_1.bin", b"x" * 3072, "3072 bytes are not a number of pictures", "get the file again"),
        ("a.npz", b"no zip", "holds Python objects|cannot read the archive", "np.savez|again"),
        ("readme.txt", b"", "no pictures of a known format among: readme.txt", "put there"),
    ],
)
def test_other_folders_are_refused_with_a_cure(
    name: str, content: bytes, message: str, cure: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as told:
        read_pictures(tmp_path)
    assert any(word in told.value.cure for word in cure.split("|"))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": TRAIN}, "the archive holds x"),
        ({"x_train": TRAIN / 255.0}, "pixels of type float64"),
        ({"x_train": TRAIN[None]}, r"shape \(1, 7, 6, 5\) is no set"),
        ({"x_train": np.array([object()])}, "Python objects"),
        ({"y_train": TRAIN_LABELS - 0.5}, "no whole numbers"),
        (
            {"jpeg": TRAIN.reshape(-1), "offset": np.arange(3), "label": TEST_LABELS, "split": TEST_LABELS},
            "do not agree",
        ),
        (
            {"jpeg": TRAIN[0, 0], "offset": np.array([0, 5]), "label": np.zeros(1), "split": np.zeros(1)},
            "cannot decode the picture",
        ),
    ],
)
def test_archives_of_something_else(arrays: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    whole = {"x_train": TRAIN, "y_train": TRAIN_LABELS, "x_test": TEST, "y_test": TEST_LABELS}
    np.savez(tmp_path / "a.npz", **(arrays if "jpeg" in arrays or "x" in arrays else whole | arrays))
    with pytest.raises(InputError, match=message):
        read_pictures(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_pictures(tmp_path / "no")


def test_batches_can_go_on_anywhere() -> None:
    pictures = PictureSet(torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1, 1), torch.arange(10))
    batches = ShuffledBatches(pictures, 4, 3, torch.device("cpu"))
    assert batches.per_epoch == 2
    whole = [batch.labels.tolist() for batch, _ in zip(batches.after(0), range(6), strict=False)]
    for step in range(6):
        assert next(batches.after(step)).labels.tolist() == whole[step]
    assert len({tuple(sorted(first + second)) for first, second in zip(whole[::2], whole[1::2], strict=True)}) > 1
    assert all(len(set(first + second)) == 8 for first, second in zip(whole[::2], whole[1::2], strict=True))
    one = next(batches.after(0))
    torch.testing.assert_close(one.inputs.flatten(), one.labels.float() / 255)
    with pytest.raises(UsageError, match="batches of 11 from 10 samples"):
        ShuffledBatches(pictures, 11, 0, torch.device("cpu"))
