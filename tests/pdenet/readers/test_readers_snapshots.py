"""Folders with one file a snapshot: times or counts in the names, variables in the names or in the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backbone.errors import InputError, UsageError
from pdenet.readers import read


def number(k: int) -> str:
    """The time of the waves' snapshot k."""
    return f"{0.5 + 0.05 * k:.2f}"


def fill(folder: Path, waves: Any, name: str, arrays: Iterator[np.ndarray] | list[np.ndarray]) -> Path:
    """One .npy a snapshot; {t} in the name is its time, {k} its count."""
    folder.mkdir(exist_ok=True)
    for k, array in enumerate(arrays):
        np.save(folder / name.format(t=number(k), k=k), array)
    return folder


@pytest.mark.parametrize("name", ["u_{t}.npy", "{t}.npy", "u_t={t}.npy", "snap-{t}.npy", "u_time{t}.npy"])
def test_times_stand_in_the_names(tmp_path: Path, waves: Any, name: str, notes: list[str]) -> None:
    folder = fill(tmp_path / "run", waves, name, list(waves.line()))
    np.save(folder / "x.npy", waves.x)
    field = read(folder, note=notes.append)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    assert (field.names, field.t0) == (("u",), 0.5)
    assert field.dt == pytest.approx(0.05, rel=1e-12)
    first, last = name.format(t="0.50"), name.format(t="0.80")
    assert f"7 snapshots from {first} to {last}" in notes


def test_counts_are_no_times(tmp_path: Path, waves: Any) -> None:
    """Ten and more snapshots: in the order of the numbers, not of the words."""
    folder = fill(tmp_path / "run", waves, "u{k}.npy", [*waves.line(), *waves.line(1)])
    with pytest.raises(InputError, match="no coordinate time, so the step along time is unknown"):
        read(folder, dx=0.1)
    field = read(folder, dt=0.05, dx=0.1)
    np.testing.assert_array_equal(field.values[0, :, 0], np.concatenate([waves.line(), waves.line(1)]))
    (folder / "t.csv").write_text("\n".join(str(0.1 * k) for k in range(14)))
    assert read(folder, dx=0.1).dt == pytest.approx(0.1)


def test_names_tell_variables_apart(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "height_{t}.npy", list(waves.plane()))
    fill(folder, waves, "speed_{t}.npy", list(waves.plane(1)))
    np.save(folder / "x.npy", waves.x)
    np.save(folder / "y.npy", waves.y)
    field = read(folder)
    assert field.names == ("height", "speed")
    np.testing.assert_array_equal(field.values[0, :, 1], waves.plane(1))
    (folder / "speed_0.65.npy").unlink()
    with pytest.raises(InputError, match=r"height_\.\.\. and speed_\.\.\. have different snapshots: 0.65 is in one"):
        read(folder)


def test_rows_and_columns_of_arrays_are_not_guessed(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "u_{t}.npy", list(waves.plane()))
    with pytest.raises(InputError, match="cannot tell the axes of u, 7x10x12: time,run,x or time,y,x or"):
        read(folder, dx=0.1)
    np.testing.assert_array_equal(read(folder, dims="t,y,x", dx=0.1).values[0, :, 0], waves.plane())


def test_piv_tables(tmp_path: Path, waves: Any) -> None:
    x, y = np.meshgrid(waves.x, waves.y)
    for k, (u, v) in enumerate(zip(waves.plane(), waves.plane(1), strict=True)):
        numbers = np.stack([x.ravel(), y.ravel(), u.ravel(), v.ravel()], axis=1)
        np.savetxt(tmp_path / f"piv_{k:04d}.csv", numbers, delimiter=",", header="x,y,u,v", comments="", fmt="%.17g")
    field = read(tmp_path, dt=0.05)
    assert field.names == ("u", "v")
    np.testing.assert_array_equal(field.values[0, :, 0], waves.plane())
    np.testing.assert_array_equal(field.values[0, :, 1], waves.plane(1))
    assert field.origin == (0.0, -1.0)


def test_matrices_and_columns_of_text(tmp_path: Path, waves: Any) -> None:
    for k, values in enumerate(waves.line()):
        np.savetxt(tmp_path / f"u_{number(k)}.txt", values)
    field = read(tmp_path, dx=0.1)
    np.testing.assert_allclose(field.values[0, :, 0], waves.line(), rtol=1e-15)  # 18 digits in the text


def test_archives_keep_names_and_coordinates(tmp_path: Path, waves: Any) -> None:
    for k, values in enumerate(waves.plane()):
        np.savez(tmp_path / f"out_{number(k)}.npz", u=values, w=-values, x=waves.x, y=waves.y, dims=["y", "x"])
    field = read(tmp_path)
    assert field.names == ("u", "w")
    np.testing.assert_array_equal(field.values[0, :, 1], -waves.plane())
    np.savez(tmp_path / "out_0.65.npz", u=waves.plane()[3], w=waves.plane()[3], x=2 * waves.x, y=waves.y)
    with pytest.raises(InputError, match=r"the coordinate x of out_0.65.npz is not that of out_0.50.npz"):
        read(tmp_path)


@pytest.mark.parametrize(("suffix", "dtype"), [("png", "u1"), ("png", "u2"), ("tif", "f4")])
def test_grey_pictures(tmp_path: Path, waves: Any, notes: list[str], suffix: str, dtype: str) -> None:
    for k, values in enumerate(100 + 20 * waves.plane()):
        Image.fromarray(values.astype(dtype)).save(tmp_path / f"frame{k:03d}.{suffix}")
    field = read(tmp_path, dt=0.04, dx=0.5, note=notes.append)
    assert (field.names, field.axes) == (("u",), ("y", "x"))
    np.testing.assert_array_equal(field.values[0, :, 0], (100 + 20 * waves.plane()).astype(dtype))
    assert any("rounding acts like noise" in note or "float32" in note for note in notes)


def test_colours_are_refused(tmp_path: Path) -> None:
    for k in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / f"frame{k}.png")
    with pytest.raises(InputError, match="the picture has the mode RGB"):
        read(tmp_path, dt=0.1, dx=0.1)


def test_gaps_in_the_numbers_are_told(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "u_{k:03d}.npy", list(waves.line()))
    (folder / "u_003.npy").unlink()
    with pytest.raises(InputError, match=r"not evenly numbered: u_002.npy is followed by u_004.npy"):
        read(folder, dt=0.1, dx=0.1)
    timed = fill(tmp_path / "timed", waves, "u_{t}.npy", list(waves.line()))
    (timed / "u_0.65.npy").unlink()
    with pytest.raises(InputError, match="the coordinate time is not uniform"):
        read(timed, dx=0.1)


def test_snapshots_must_be_alike(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "u_{t}.npy", list(waves.line()))
    np.save(folder / "u_0.70.npy", waves.x[:5])
    with pytest.raises(InputError, match=r"the snapshots differ: u_0.50.npy holds 12, u_0.70.npy 5"):
        read(folder, dx=0.1)
    np.savetxt(folder / "v_0.70.csv", waves.x)
    with pytest.raises(InputError, match=r"the folder holds snapshots of several types \(.csv, .npy\)"):
        read(folder, dx=0.1)


def test_other_folders_are_told(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(InputError, match="the folder holds no snapshots"):
        read(tmp_path)


def test_wrong_words(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "u_{t}.npy", list(waves.line()))
    with pytest.raises(UsageError, match="no variable 'w'; the file holds u"):
        read(folder, variables="w", dx=0.1)
    with pytest.raises(UsageError, match="names 3 axes, u has 2"):
        read(folder, dims="t,y,x", dx=0.1)


def test_complex_snapshots_are_split_on_demand(tmp_path: Path, waves: Any) -> None:
    folder = fill(tmp_path / "run", waves, "psi_{t}.npy", list(waves.line() + 1j * waves.line(1)))
    field = read(folder, dx=0.1, complex_parts="split")
    assert field.names == ("psiRe", "psiIm")
    np.testing.assert_array_equal(field.values[0, :, 1], waves.line(1))
