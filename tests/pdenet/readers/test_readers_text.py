"""Long tables, matrices, bare arrays and folders with one file a snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.readers import read
from pdenet.readers.text import parse_text


def rows(*axes: np.ndarray, **values: np.ndarray) -> np.ndarray:
    """One row a point: the coordinates and then the values."""
    grids = np.meshgrid(*axes, indexing="ij")
    return np.stack([*(grid.ravel() for grid in grids), *(value.ravel() for value in values.values())], axis=1)


def table(path: Path, names: list[str], numbers: np.ndarray, delimiter: str = ",", fmt: str = "%.17g") -> Path:
    np.savetxt(path, numbers, delimiter=delimiter, header=delimiter.join(names), comments="", fmt=fmt)
    return path


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("csv", ";"), ("tsv", "\t"), ("dat", " ")])
def test_a_long_table_is_put_onto_its_grid_whatever_the_order_of_its_rows(
    tmp_path: Path, waves: Any, suffix: str, delimiter: str
) -> None:
    numbers = rows(waves.t, waves.y, waves.x, u=waves.plane(), v=waves.plane(1))
    numbers = np.random.default_rng(0).permutation(numbers)
    field = read(table(tmp_path / f"a.{suffix}", ["t", "y", "x", "u", "v"], numbers, delimiter))
    assert field.names == ("u", "v")
    np.testing.assert_array_equal(field.values[0, :, 0], waves.plane())
    np.testing.assert_array_equal(field.values[0, :, 1], waves.plane(1))
    assert (field.dt, field.t0) == (pytest.approx(0.05, rel=1e-12), 0.5)
    assert (field.dx, field.origin) == ((pytest.approx(0.1), pytest.approx(1 / 6)), (0.0, -1.0))


def test_a_column_tells_runs_apart(tmp_path: Path, waves: Any) -> None:
    runs = np.stack([waves.line(run) for run in range(3)])
    path = table(tmp_path / "a.csv", ["run", "t", "x", "T"], rows(np.arange(3.0), waves.t, waves.x, T=runs))
    field = read(path)
    assert field.names == ("T",)  # a temperature, since t is the time
    np.testing.assert_array_equal(field.values[:, :, 0], runs)
    without = table(tmp_path / "b.csv", ["t", "x", "T"], rows(np.arange(3.0), waves.t, waves.x, T=runs)[:, 1:])
    with pytest.raises(InputError, match=r"3 rows stand for one point, t=0.5, x=-1"):
        read(without)


def test_decimals_cut_differently_are_one_coordinate(tmp_path: Path, waves: Any) -> None:
    numbers = rows(waves.t, waves.x, u=waves.line())
    numbers[1::2, 0] += 1e-12
    field = read(table(tmp_path / "a.csv", ["t", "x", "u"], numbers))
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())


def test_headers_may_be_comments_and_tell_units(tmp_path: Path, waves: Any) -> None:
    path = tmp_path / "a.txt"
    numbers = rows(waves.t, waves.x, u=waves.line())
    np.savetxt(path, numbers, header="made by a solver\nt x u", fmt="%.17g")
    np.testing.assert_array_equal(read(path).values[0, :, 0], waves.line())
    table(tmp_path / "b.csv", ["t [s]", "x (m)", '"u [m/s]"'], numbers)
    field = read(tmp_path / "b.csv")
    assert field.names == ("u",)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())


def test_missing_rows_and_cells_are_gaps(tmp_path: Path, waves: Any) -> None:
    path = table(tmp_path / "a.csv", ["t", "x", "u"], rows(waves.t, waves.x, u=waves.line()), fmt="%.6g")
    lines = path.read_text().splitlines()
    lines[5] = ",".join([*lines[5].split(",")[:2], ""])
    lines[9] = ",".join([*lines[9].split(",")[:2], " NA"])
    path.write_text("\n".join(lines[:20] + lines[21:]))
    with pytest.raises(InputError, match=r"u has 3 NaN of 84 \(3.6 %\), first at run 0, t=0.5, x=-0.333333"):
        read(path)
    assert np.argwhere(np.isnan(read(path, mask_nan=True).values[0, :, 0])).tolist() == [[0, 4], [0, 8], [1, 7]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,x,u\n0,0,1\n0,1,abc\n", "could not convert string 'abc' to float64 at row 1, column 3"),
        ("t,x,u\n0,0,1\n0,1\n", "number of columns changed"),
        ("x,u\n0,1\n1,1\n", "the table has no column t; its columns are x, u"),
        ("t,u\n0,1\n1,1\n", "the table has no column x; its columns are t, u"),
        ("t,x,u\n2020-01-01,0,1\n2020-01-02,0,1\n", "'2020-01-01' is a date"),
        ("t,x,u\n0,0,1\n,1,1\n", "the column t has no number in row 2 of the table"),
        ("t,x\n0,0\n0,1\n1,0\n1,1\n", "no variable over time and space"),
        ("", "it holds no numbers"),
    ],
)
def test_tables_that_make_no_sense_are_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.csv")


def test_points_on_no_grid_are_told(tmp_path: Path) -> None:
    cloud = np.random.default_rng(1).uniform(size=(40, 3))
    path = table(tmp_path / "a.csv", ["t", "x", "u"], cloud)
    with pytest.raises(InputError, match="the points lie on no grid: 40 rows have 40 different t, 40 different x"):
        read(path)


def test_a_table_on_a_grid_that_is_not_uniform_is_told(tmp_path: Path, waves: Any) -> None:
    path = table(tmp_path / "a.csv", ["t", "x", "u"], rows(waves.t, waves.x**3, u=waves.line()))
    with pytest.raises(InputError, match="the coordinate x is not uniform"):
        read(path)
    with pytest.raises(UsageError, match="no variable 'w'; the file holds u"):
        read(path, variables="w")


def test_a_matrix_and_a_bare_array_need_their_axes_told(tmp_path: Path, waves: Any) -> None:
    np.savetxt(tmp_path / "a.csv", waves.line(), delimiter=",")
    np.save(tmp_path / "a.npy", waves.line())
    for name in ("a.csv", "a.npy"):
        with pytest.raises(InputError, match="cannot tell the axes of u, 7x12: time,x or x,time"):
            read(tmp_path / name)
        with pytest.raises(InputError, match="no coordinate time, so the step along time is unknown"):
            read(tmp_path / name, dims="t,x")
        field = read(tmp_path / name, dims="t,x", dt=0.05, dx=0.1)
        np.testing.assert_allclose(field.values[0, :, 0], waves.line(), rtol=1e-15)  # 18 digits in the text


def test_pickles_in_bare_arrays_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="pickled Python objects"):
        read(tmp_path / "a.npy")


def test_a_byte_order_mark_and_quotes_are_no_part_of_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"t","x","u"\n"0","1","2"\n', encoding="utf-8-sig")
    text = parse_text(tmp_path / "a.csv")
    assert text.names == ("t", "x", "u")
    assert text.numbers.tolist() == [[0.0, 1.0, 2.0]]


@pytest.mark.parametrize("text", ["t,x,u\n", "# t x u\nt x u\n\n", "t;x;u\n# nothing yet\n"])
def test_a_header_without_rows_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"has a header, t.x.u, and no rows"):
        read(path)
