from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from backbone.errors import InputError
from pdenet.readers.formats import open_file
from pdenet.readers.mat import read_mat
from pdenet.readers.npz import read_npz

U = np.arange(12.0).reshape(3, 4)


def test_npz_gives_numbers_and_the_words_it_states(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, u=U, t=np.arange(3.0), dims=["time", "x"], boundary=["periodic"], recipe=["made by hand"])
    contents = read_npz(path)
    assert set(contents.arrays) == {"u", "t"}
    np.testing.assert_array_equal(contents.arrays["u"], U)
    assert (contents.dims, contents.boundary, contents.source) == ({"u": ("time", "x")}, ("periodic",), str(path))


def test_dims_may_be_one_text(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", u=U, dims="t, x")
    assert read_npz(tmp_path / "a.npz").dims == {"u": ("t", "x")}


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, u=np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(InputError, match="pickled") as caught:
        open_file(path)
    assert "u" in caught.value.where


def test_mat_gives_numbers_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    entries = {"usol": U + 0.5j, "t": np.arange(4.0)[:, None], "x": np.arange(3.0)[None], "who": "text", "s": {"a": 1}}
    savemat(path, entries)
    contents = read_mat(path)
    assert set(contents.arrays) == {"usol", "t", "x"}
    assert contents.arrays["t"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert contents.arrays["x"].shape == (3,)
    np.testing.assert_array_equal(contents.arrays["usol"], U + 0.5j)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "c8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_mat_agrees_with_scipy(tmp_path: Path, dtype: str, compressed: bool) -> None:
    path = tmp_path / "a.mat"
    array = (100 * np.random.default_rng(2).random((3, 4, 5))).astype(dtype)
    savemat(path, {"u": array, "longer_name_than_eight": array[0]}, do_compression=compressed)
    found, wanted = read_mat(path).arrays, loadmat(path)
    for name in ("u", "longer_name_than_eight"):
        np.testing.assert_array_equal(found[name], wanted[name])
        # complex64 is kept by scipy's writer as two single arrays, which it reads back as complex128
        assert found[name].dtype.kind == array.dtype.kind


def test_mat_of_the_other_byte_order(tmp_path: Path) -> None:
    """The bytes of scipy's file for one double array, every word of them turned round by hand."""
    path = tmp_path / "a.mat"
    savemat(path, {"u": U})
    content = path.read_bytes()
    head, body = content[:124], content[128:]
    words = np.frombuffer(body[:48], dtype="<u4").astype(">u4")
    name = body[40:48]  # tag of one byte of text, and the text
    small = np.array([1 << 16 | 1], dtype=">u4").tobytes() + name[4:]
    data = np.frombuffer(body[48:56], dtype="<u4").astype(">u4").tobytes()
    values = np.frombuffer(body[56:], dtype="<f8").astype(">f8").tobytes()
    path.write_bytes(head + b"\x01\x00MI" + words[:10].tobytes() + small + data + values)
    np.testing.assert_array_equal(read_mat(path).arrays["u"], U)


def test_short_storage_is_widened_to_the_class(tmp_path: Path) -> None:
    """MATLAB stores whole doubles in the shortest type that holds them: 3 doubles as bytes, written by hand."""
    path = tmp_path / "a.mat"
    part = struct.Struct("<II")
    matrix = part.pack(6, 8) + part.pack(6, 0) + part.pack(5, 8) + struct.pack("<ii", 1, 3)
    matrix += struct.pack("<HH4s", 1, 1, b"u") + struct.pack("<HH4s", 2, 3, b"\x01\x02\xff")
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + part.pack(14, len(matrix)) + matrix)
    found = read_mat(path).arrays["u"]
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.0, 255.0]


@pytest.mark.parametrize(("place", "byte"), [(145, 8), (176, 14), (144, 9), (160, 200)])
def test_what_kills_other_readers_is_refused(tmp_path: Path, place: int, byte: int) -> None:
    """A missing imaginary part and an unknown data type end loadmat with a segmentation fault."""
    path = tmp_path / "a.mat"
    savemat(path, {"u": U})
    content = bytearray(path.read_bytes())
    content[place] = byte
    path.write_bytes(content)
    with pytest.raises(InputError):
        open_file(path)


def test_a_missing_file_is_told_with_its_neighbours(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", u=U)
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(InputError) as caught:
        open_file(tmp_path / "dat.npz")
    assert caught.value.what == "cannot find 'dat.npz'. In this folder: data.npz. Did you mean data.npz?"
    assert caught.value.cure == f"pdenet-durr inspect {tmp_path / 'data.npz'}"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot find the folder"):
        open_file(tmp_path / "no" / "data.npz")


@pytest.mark.parametrize("name", ["run.foam", "data"])
def test_other_types_are_told_what_is_readable(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match="readable: npz npy mat h5 nc zarr csv, and folders"):
        open_file(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npz", "mat"])
@pytest.mark.parametrize("cut", [0, 1, 60, 200, -30])
def test_damaged_files_are_input_errors(tmp_path: Path, suffix: str, cut: int) -> None:
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    if suffix == "npz":
        np.savez_compressed(whole, u=U, t=np.arange(3.0))
    else:
        savemat(whole, {"u": np.random.default_rng(0).standard_normal((30, 40))}, do_compression=True)
    path.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(InputError):
        open_file(path)


def test_every_damaged_byte_ends_in_an_input_error_or_in_arrays(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    for suffix in ("npz", "mat"):
        path = tmp_path / f"whole.{suffix}"
        if suffix == "npz":
            np.savez(path, u=U, dims=["time", "x"])
        else:
            savemat(path, {"u": U, "t": np.arange(3.0)})
        whole = path.read_bytes()
        for _ in range(150):
            damaged = bytearray(whole)
            for place in generator.integers(0, len(whole), 3):
                damaged[place] = generator.integers(0, 256)
            path.write_bytes(damaged)
            try:
                open_file(path)
            except InputError:
                continue
