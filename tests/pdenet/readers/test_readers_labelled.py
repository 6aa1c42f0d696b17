"""NetCDF by the CF conventions, zarr, and data sets of xarray in memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.readers import read

xarray = pytest.importorskip("xarray")
zarr = pytest.importorskip("zarr")


@pytest.fixture
def data(waves: Any) -> Any:
    """u and v on (time, y, x), v stored in another order."""
    return xarray.Dataset(
        {
            "u": (("time", "y", "x"), waves.plane(), {"units": "m s-1"}),
            "v": (("x", "y", "time"), waves.plane(1).transpose(2, 1, 0)),
            "depth": (("y", "x"), np.ones((10, 12))),
            "time_bnds": (("time", "nv"), np.zeros((7, 2))),
        },
        coords={"time": ("time", waves.t, {"units": "hours since 2000-01-01"}), "y": waves.y, "x": waves.x},
    )


def netcdf4(data: Any, path: Path) -> Path:
    data.to_netcdf(path.with_suffix(".nc"), engine="h5netcdf")
    return path.with_suffix(".nc")


def netcdf3(data: Any, path: Path) -> Path:
    data.to_netcdf(path.with_suffix(".nc"), engine="scipy")
    return path.with_suffix(".nc")


def hdf5(data: Any, path: Path) -> Path:
    data.to_netcdf(path.with_suffix(".h5"), engine="h5netcdf")
    return path.with_suffix(".h5")


def zarr2(data: Any, path: Path) -> Path:
    data.to_zarr(path.with_suffix(".zarr"), zarr_format=2, consolidated=False)
    return path.with_suffix(".zarr")


def zarr3(data: Any, path: Path) -> Path:
    data.to_zarr(path.with_suffix(".zarr"), zarr_format=3, consolidated=False)
    return path.with_suffix(".zarr")


def memory(data: Any, path: Path) -> Any:
    return data


@pytest.mark.parametrize("save", [netcdf4, netcdf3, hdf5, zarr2, zarr3, memory])
def test_every_store_gives_the_same_field(
    tmp_path: Path, waves: Any, data: Any, notes: list[str], save: Callable[[Any, Path], Any]
) -> None:
    field = read(save(data, tmp_path / "a"), note=notes.append)
    assert field.names == ("u", "v")
    np.testing.assert_array_equal(field.values[0, :, 0], waves.plane())
    np.testing.assert_array_equal(field.values[0, :, 1], waves.plane(1))
    assert (field.dt, field.t0) == (pytest.approx(0.05, rel=1e-12), 0.5)
    assert (field.dx, field.origin) == ((pytest.approx(0.1), pytest.approx(1 / 6)), (0.0, -1.0))
    assert "depth is no variable over time and space and is left out" in notes
    assert "time_bnds is no variable over time and space and is left out" in notes
    assert "units in the data: time in hours since 2000-01-01, u in m s-1" in notes


def test_packed_numbers_are_unpacked_and_fill_values_are_gaps(
    tmp_path: Path, waves: Any, data: Any, notes: list[str]
) -> None:
    holed = data[["u"]].copy(deep=True)
    holed["u"][3, 4, 5] = np.nan
    packing = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 1.0, "_FillValue": -9999}
    holed.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding={"u": packing})
    with pytest.raises(InputError, match=r"u has 1 NaN of 840 \(0.12 %\), first at run 0, t=0.65, y=0.4") as caught:
        read(tmp_path / "a.nc")
    assert "--mask-nan" in caught.value.cure
    field = read(tmp_path / "a.nc", mask_nan=True, note=notes.append)
    assert np.isnan(field.values).sum() == 1
    # half a step of the packing
    np.testing.assert_allclose(
        np.delete(field.values.ravel(), 413), np.delete(waves.plane().ravel(), 413), atol=0.00501
    )
    assert "u is stored in steps of 0.01: their rounding acts like noise of 0.0029" in notes


CF = {
    "axis": ({"axis": "T"}, {"axis": "Y"}, {"axis": "X"}),
    "standard name": (
        {"standard_name": "time"},
        {"standard_name": "projection_y_coordinate"},
        {"standard_name": "projection_x_coordinate"},
    ),
    "units": ({"units": "days since 1950-01-01"}, {"units": "degrees_north"}, {"units": "degrees_east"}),
}


@pytest.mark.parametrize("by", list(CF))
def test_axes_that_names_do_not_tell_are_told_by_cf(waves: Any, by: str) -> None:
    square = waves.plane()[:, :, :10]
    dims = ("step", "row", "column")
    coordinates = {
        dim: (dim, points, attributes)
        for dim, points, attributes in zip(dims, (waves.t, waves.y, waves.y + 3), CF[by], strict=True)
    }
    field = read(xarray.Dataset({"u": (dims, square)}, coords=coordinates), boundary="none")
    np.testing.assert_array_equal(field.values[0, :, 0], square)
    assert field.origin == (0.0, 3.0)


def test_names_and_cf_that_contradict_each_other_stop(waves: Any) -> None:
    coordinates = {"time": waves.t, "x": ("x", waves.x, {"axis": "Y"})}
    wrong = xarray.Dataset({"u": (("time", "x"), waves.line())}, coords=coordinates)
    with pytest.raises(InputError, match="the dimension x is x and y by its name and its CF attributes"):
        read(wrong)


def test_dims_win_over_names(waves: Any) -> None:
    square = waves.line()[:, :7]
    stored = xarray.Dataset({"u": (("x", "time"), square)})
    field = read(stored, dims="t,x", dt=0.1, dx=0.2, boundary="none")
    np.testing.assert_array_equal(field.values[0, :, 0], square)


def test_axes_without_names_are_settled_by_lengths_or_asked_for(waves: Any) -> None:
    plain = xarray.DataArray(waves.line())  # dim_0, dim_1
    with pytest.raises(InputError, match="cannot tell the axes of u, 7x12"):
        read(plain)
    assert read(plain, dims="t,x", dt=0.05, dx=0.1).n_times == 7


def test_a_data_array_keeps_its_name(waves: Any) -> None:
    array = xarray.DataArray(waves.line(), dims=("t", "x"), coords={"t": waves.t, "x": waves.x}, name="height")
    assert read(array).names == ("height",)
    assert read([array, array + 1]).n_runs == 2


def test_members_of_an_ensemble_are_runs(waves: Any) -> None:
    runs = np.stack([waves.line(run) for run in range(3)])
    dims = ("time", "member", "level", "x")
    stored = runs.transpose(1, 0, 2)[:, :, None]
    told: list[str] = []
    data = xarray.Dataset({"u": (dims, stored)}, coords={"time": waves.t, "x": waves.x})
    with pytest.raises(InputError, match="the file names the axes time,run,z,x, which cannot be those of u: 7x3x1x12"):
        read(data)
    field = read(data.rename(level="band"), note=told.append)
    np.testing.assert_array_equal(field.values[:, :, 0], runs)
    assert "u has only one band, which is no axis then" in told


def test_an_unstructured_grid_is_refused() -> None:
    cells = xarray.Dataset({"u": (("time", "ncells"), np.ones((7, 30)))}, coords={"time": np.arange(7.0)})
    with pytest.raises(InputError, match="the file names the axes time,ncells, which cannot be those of u"):
        read(cells)


@pytest.mark.parametrize("kind", ["datetime64", "timedelta64", "cftime"])
def test_dates_need_a_unit(waves: Any, kind: str) -> None:
    hours = np.arange(7) * np.timedelta64(3600, "s").astype("timedelta64[ns]")
    times: Any = hours if kind == "timedelta64" else np.datetime64("2020-01-01", "ns") + hours
    if kind == "cftime":
        cftime = pytest.importorskip("cftime")
        times = [cftime.DatetimeNoLeap(2020, 1, 1, hour) for hour in range(7)]
    data = xarray.Dataset({"u": (("time", "x"), waves.line())}, coords={"time": times, "x": waves.x})
    with pytest.raises(InputError, match="the coordinate time holds dates, 3600 s apart") as caught:
        read(data)
    assert "--dt 3600" in caught.value.cure
    assert read(data, dt=1.0).dt == 1.0
    with pytest.raises(InputError, match="the coordinate time is not uniform"):
        read(data.isel(time=[0, 1, 2, 4, 5, 6]), dt=1.0)


def test_latitudes_may_fall_and_degrees_are_told(waves: Any, notes: list[str]) -> None:
    data = xarray.Dataset(
        {"u": (("time", "lat", "lon"), waves.plane()[:, ::-1])},
        coords={
            "time": waves.t,
            "lat": ("lat", waves.y[::-1], {"units": "degrees_north"}),
            "lon": ("lon", waves.x, {"units": "degrees_east"}),
        },
    )
    field = read(data, note=notes.append)
    np.testing.assert_array_equal(field.values[0, :, 0], waves.plane())
    assert "y runs backwards in the file and is turned round" in notes
    assert any("coefficients are per degree, and the sphere is taken for flat" in note for note in notes)


def test_complex_data_are_split_on_demand(tmp_path: Path, waves: Any) -> None:
    psi = waves.line() + 1j * waves.line(1)
    data = xarray.Dataset({"psi": (("t", "x"), psi)}, coords={"t": waves.t, "x": waves.x})
    data.to_zarr(tmp_path / "a.zarr", consolidated=False, zarr_format=2)
    for source in (data, tmp_path / "a.zarr"):
        with pytest.raises(InputError, match="psi is complex"):
            read(source)
        field = read(source, complex_parts="split")
        assert field.names == ("psiRe", "psiIm")
        np.testing.assert_array_equal(field.values[0, :, 1], waves.line(1))


def test_errors_of_every_store(tmp_path: Path, data: Any) -> None:
    for save in (netcdf4, zarr2, memory):
        uneven = data.assign_coords(x=data["x"] ** 3)
        path = save(uneven, tmp_path / "uneven")
        with pytest.raises(InputError, match="the coordinate x is not uniform"):
            read(path)
        with pytest.raises(UsageError, match=r"no variable 'w'; the file holds u, v"):
            read(path, variables="w")
        with pytest.raises(UsageError, match="names 2 axes, u has 3"):
            read(path, dims="t,x")
        with pytest.raises(InputError, match="no variable over time and space"):
            read(save(data[["depth"]], tmp_path / "still"))


@pytest.mark.parametrize("version", [2, 3])
def test_a_plain_zarr_store_is_read_by_its_names(tmp_path: Path, waves: Any, version: int) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    for name, array in {"u": waves.line(), "t": waves.t, "x": waves.x}.items():
        group.create_array(name, data=array)
    field = read(tmp_path / "a.zarr")
    np.testing.assert_array_equal(field.values[0, :, 0], waves.line())
    zarr.save_array(tmp_path / "b.zarr", waves.line(), zarr_format=version)
    assert read(tmp_path / "b.zarr", dims="t,x", dt=0.1, dx=0.1).names == ("u",)


def test_a_store_that_wants_pickle_is_refused(tmp_path: Path) -> None:
    zarr.save_array(tmp_path / "a.zarr", np.ones((7, 12)), zarr_format=2)
    metadata = json.loads((tmp_path / "a.zarr" / ".zarray").read_text())
    metadata["filters"] = [{"id": "pickle"}]
    (tmp_path / "a.zarr" / ".zarray").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match="compressed with pickle"):
        read(tmp_path / "a.zarr")


@pytest.mark.parametrize("save", [netcdf4, netcdf3, zarr2])
def test_damaged_stores_are_input_errors(tmp_path: Path, data: Any, save: Callable[[Any, Path], Path]) -> None:
    path = save(data, tmp_path / "a")
    if path.is_dir():
        (path / ".zgroup").write_text("{")
        (path / "u" / ".zarray").write_text("{")
    else:
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="cannot read"):
        read(path)


@pytest.mark.parametrize(("save", "module"), [(netcdf4, "xarray"), (netcdf4, "h5netcdf"), (zarr2, "zarr")])
def test_without_the_extra_the_line_to_install_is_told(
    tmp_path: Path, data: Any, save: Callable[[Any, Path], Path], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(data, tmp_path / "a")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"needs the extra 'io' \({module} is not installed\)") as caught:
        read(path)
    assert caught.value.cure == "pip install 'pdenet-durr[io]'"


def test_other_objects_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot read data from an object of the type ndarray"):
        read(np.ones((3, 4)))
