"""HDF5: plain files and MATLAB v7.3."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.readers import read
from pdenet.readers.formats import open_file

h5py = pytest.importorskip("h5py")


def write(path: Path, entries: dict[str, Any], **attributes: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in entries.items():
            file[name] = array
        file.attrs.update(attributes)
    return path


def write_mat73(path: Path, entries: dict[str, np.ndarray]) -> Path:
    """As MATLAB writes: 512 bytes of text before the HDF5 file, axes reversed, two axes at least, class in words."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in entries.items():
            full = np.atleast_2d(array).T
            if np.iscomplexobj(full):
                records = np.empty(full.shape, dtype=[("real", "f8"), ("imag", "f8")])
                records["real"], records["imag"] = full.real, full.imag
                full = records
            file[name] = full
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def test_a_plain_file_is_read_by_the_names_in_it(tmp_path: Path, waves: Any) -> None:
    path = write(tmp_path / "a.h5", {"fields/u": waves.line(), "grid/x": waves.x, "grid/t": waves.t, "note": "text"})
    field = read(path)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    assert field.names == ("u",)
    assert (field.dt, field.dx) == (pytest.approx(0.05, rel=1e-12), (pytest.approx(1 / 6, rel=1e-12),))
    assert (field.t0, field.origin) == (0.5, (-1.0,))


def test_names_that_two_groups_share_keep_their_path(tmp_path: Path, waves: Any) -> None:
    path = write(tmp_path / "a.h5", {"a/u": waves.line(), "b/u": waves.line(1), "x": waves.x, "t": waves.t})
    assert read(path, variables="b/u").names == ("bu",)
    with pytest.raises(UsageError, match="no variable 'u'; the file holds a/u, b/u"):
        read(path, variables="u")


def test_labels_and_scales_name_the_axes(tmp_path: Path) -> None:
    """Two axes of equal length: only the names in the file tell them apart."""
    square = np.add.outer(np.arange(9.0) ** 2, np.sin(np.arange(9.0)))
    for kind in ("labels", "scales"):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["u"] = square
            if kind == "labels":
                file["u"].dims[0].label, file["u"].dims[1].label = "x", "t"
                file["x"], file["t"] = np.arange(9.0), 0.5 * np.arange(9.0)
            else:
                file["x"], file["t"] = np.arange(9.0), 0.5 * np.arange(9.0)
                for k, name in enumerate("xt"):
                    file[name].make_scale(name)
                    file["u"].dims[k].attach_scale(file[name])
        field = read(tmp_path / "a.h5", boundary="none")
        np.testing.assert_array_equal(field.values[0, :, 0], square.T)
        assert field.dt == 0.5


def test_equal_lengths_without_names_are_the_users_to_tell(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", {"u": np.eye(9), "x": np.arange(9.0), "t": np.arange(9.0)})
    with pytest.raises(InputError, match="cannot tell the axes of u, 9x9: time,x or x,time"):
        read(path)
    assert read(path, dims="x,t", boundary="none").values.shape == (1, 9, 1, 9)


def test_steps_may_be_attributes(tmp_path: Path, waves: Any) -> None:
    field = read(write(tmp_path / "a.h5", {"u": waves.line()}, dt=0.05, dx=0.25), dims="t,x")
    assert (field.dt, field.dx) == (0.05, (0.25,))


@pytest.mark.parametrize("records", [False, True], ids=["native", "real and imag"])
def test_complex_data_are_split_on_demand(tmp_path: Path, waves: Any, notes: list[str], records: bool) -> None:
    values = waves.line() + 2j * waves.line(1)
    stored = values
    if records:
        stored = np.empty(values.shape, dtype=[("real", "f8"), ("imag", "f8")])
        stored["real"], stored["imag"] = values.real, values.imag
    path = write(tmp_path / "a.h5", {"psi": stored, "x": waves.x, "t": waves.t})
    with pytest.raises(InputError, match="psi is complex") as caught:
        read(path)
    assert caught.value.cure == f"pdenet-durr inspect {path} --complex split"
    field = read(path, complex_parts="split", note=notes.append)
    assert field.names == ("psiRe", "psiIm")
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    np.testing.assert_array_equal(field.values[0, :, 1], 2 * waves.line(1))
    assert "psi is complex: its real part is called psiRe, its imaginary part psiIm" in notes
    with pytest.raises(UsageError, match="--complex abs"):
        read(path, complex_parts="abs")


def test_nothing_is_read_before_it_is_needed(tmp_path: Path, waves: Any) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["u"], file["x"], file["t"] = waves.line(), waves.x, waves.t
        file.create_dataset("vast", shape=(7, 12, 10**6), dtype="f8", chunks=(1, 1, 10**6))  # 670 MB if it were read
    assert isinstance(open_file(tmp_path / "a.h5").arrays["vast"], h5py.Dataset)
    assert read(tmp_path / "a.h5", variables="u").names == ("u",)


def test_a_missing_variable_is_told(tmp_path: Path, waves: Any) -> None:
    path = write(tmp_path / "a.h5", {"pressure": waves.line(), "x": waves.x, "t": waves.t})
    with pytest.raises(UsageError, match=r"no variable 'presure'.*Did you mean pressure"):
        read(path, variables="presure")
    with pytest.raises(InputError, match="no variable over time and space; the file holds t 7"):
        read(write(tmp_path / "b.h5", {"t": waves.t}))


def test_axes_that_fit_no_coordinate_are_told(tmp_path: Path, waves: Any) -> None:
    path = write(tmp_path / "a.h5", {"u": waves.line(), "x": waves.x[:-1], "t": waves.t})
    with pytest.raises(InputError, match="u is 7x12, which does not fit the coordinates in the file: time 7, x 11"):
        read(path)


def test_a_grid_that_is_not_uniform_is_told(tmp_path: Path, waves: Any) -> None:
    path = write(tmp_path / "a.h5", {"u": waves.line(), "x": waves.x**3, "t": waves.t})
    with pytest.raises(InputError, match="the coordinate x is not uniform"):
        read(path)


def test_a_space_axis_that_runs_backwards_is_turned_round(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    path = write(tmp_path / "a.h5", {"u": waves.line()[:, ::-1], "x": waves.x[::-1], "t": waves.t})
    field = read(path, note=notes.append)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    assert "x runs backwards in the file and is turned round" in notes
    back = write(tmp_path / "b.h5", {"u": waves.line()[::-1], "x": waves.x, "t": waves.t[::-1]})
    with pytest.raises(InputError, match="the coordinate time runs backwards"):
        read(back)


@pytest.mark.parametrize("suffix", ["h5", "mat"])
@pytest.mark.parametrize("cut", [600, -200])
def test_damaged_files_are_input_errors(tmp_path: Path, waves: Any, suffix: str, cut: int) -> None:
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    entries = {"u": waves.line(), "x": waves.x, "t": waves.t}
    (write_mat73 if suffix == "mat" else write)(whole, entries)
    path.write_bytes(whole.read_bytes()[:cut])
    with pytest.raises(InputError, match="cannot read"):
        read(path)


def test_numbers_that_turn_out_to_be_damaged_are_an_input_error(tmp_path: Path, waves: Any) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["t"] = waves.x, waves.t
        file.create_dataset("u", data=waves.line(), chunks=waves.line().shape, fletcher32=True)
        place = file["u"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot read the numbers of u"):
        read(path)


def test_without_the_extra_the_line_to_install_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.h5", {"u": np.eye(3)})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="HDF5 needs the extra 'io'") as caught:
        read(path)
    assert caught.value.cure == "pip install 'pdenet-durr[io]'"


def test_matlab_arrays_have_the_axes_that_matlab_shows(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    entries = {"usol": waves.line().T + 1e-9j, "t": waves.t, "x": waves.x}
    field = read(write_mat73(tmp_path / "a.mat", entries), note=notes.append)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    assert field.names == ("u",)
    assert "usol is called u" in notes
    plane = {"u": waves.plane().transpose(2, 1, 0), "t": waves.t, "x": waves.x, "y": waves.y}
    path = write_mat73(tmp_path / "b.mat", plane)
    assert open_file(path).arrays["u"].shape == (12, 10, 7)  # as size(u) in MATLAB
    np.testing.assert_array_equal(read(path).values[0, :, 0], waves.plane())
    np.testing.assert_array_equal(read(path, dims="x,y,t").values[0, :, 0], waves.plane())


def test_matlab_text_and_truth_are_passed_over(tmp_path: Path, waves: Any) -> None:
    path = write_mat73(tmp_path / "a.mat", {"u": waves.line(), "t": waves.t, "x": waves.x})
    with h5py.File(path, "r+") as file:
        for name, kind in (("text", "char"), ("flag", "logical")):
            file[name] = np.ones((3, 4), dtype="u1")
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
        file["none"] = np.zeros(2, dtype="u8")
        file["none"].attrs["MATLAB_class"], file["none"].attrs["MATLAB_empty"] = np.bytes_("double"), 1
        file.create_group("struct")["a"] = np.ones((3, 4))
    assert set(open_file(path).arrays) == {"u", "t", "x"}


def test_matlab_axes_of_equal_length_are_the_users_to_tell(tmp_path: Path) -> None:
    path = write_mat73(tmp_path / "a.mat", {"u": np.eye(9), "x": np.arange(9.0), "t": np.arange(9.0)})
    with pytest.raises(InputError, match="cannot tell the axes of u"):
        read(path)
