"""The layouts of PDEBench and The Well, made as their own generators describe them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.readers import read

h5py = pytest.importorskip("h5py")


def pdebench(path: Path, waves: Any, **entries: Any) -> Path:
    with h5py.File(path, "w") as file:
        file["x-coordinate"] = waves.x.astype("f4")
        file["t-coordinate"] = np.append(waves.t, waves.t[-1] + 0.05).astype("f4")  # one more than snapshots
        for name, array in entries.items():
            file[name] = array.astype("f4")
    return path


def test_pdebench_tensor(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    runs = np.stack([waves.line(run) for run in range(3)])
    field = read(pdebench(tmp_path / "a.hdf5", waves, tensor=runs), note=notes.append)
    np.testing.assert_array_equal(field.values[:, :, 0], runs.astype("f4"))
    assert (field.names, field.n_runs, field.n_times) == (("u",), 3, 7)
    assert field.dt == pytest.approx(0.05, rel=1e-5)  # kept in single precision
    assert "t-coordinate has one time more than there are snapshots; its last one is left out" in notes


def test_pdebench_flow_in_two_dimensions(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    """Its arrays are (run, time, x, y): y before x inside."""
    path = tmp_path / "a.hdf5"
    runs = np.stack([waves.plane(run) for run in range(2)]).transpose(0, 1, 3, 2)
    pdebench(path, waves, **{name: runs + k for k, name in enumerate(("Vx", "Vy", "density", "pressure"))})
    with h5py.File(path, "r+") as file:
        file["y-coordinate"] = waves.y
        file["nu"] = np.ones((2, 12, 10))
    field = read(path, note=notes.append)
    assert field.names == ("Vx", "Vy", "density", "pressure")
    np.testing.assert_array_equal(field.values[1, :, 0], waves.plane(1).astype("f4"))
    np.testing.assert_array_equal(field.values[1, :, 3], (waves.plane(1) + 3).astype("f4"))
    assert field.axes == ("y", "x")
    assert "nu is left out: it has no axes for run, time and space" in notes
    assert read(path, variables="density").names == ("density",)
    with pytest.raises(UsageError, match="no variable 'Vz'"):
        read(path, variables="Vz")


def seeds(path: Path, waves: Any) -> Path:
    with h5py.File(path, "w") as file:
        for run in range(3):
            group = file.create_group(f"{run:04d}")
            group["data"] = np.stack([waves.plane(run), -waves.plane(run)], axis=-1).transpose(0, 2, 1, 3)
            for axis in "txy":
                group[f"grid/{axis}"] = getattr(waves, axis)
            group.attrs["config"] = "sim: {}"
    return path


def test_pdebench_seeds_are_runs(tmp_path: Path, waves: Any) -> None:
    field = read(seeds(tmp_path / "a.h5", waves))
    assert (field.names, field.n_runs) == (("u", "v"), 3)
    for run in range(3):
        np.testing.assert_array_equal(field.values[run, :, 0], waves.plane(run))
        np.testing.assert_array_equal(field.values[run, :, 1], -waves.plane(run))


def test_pdebench_seeds_share_one_grid(tmp_path: Path, waves: Any) -> None:
    path = seeds(tmp_path / "a.h5", waves)
    with h5py.File(path, "r+") as file:
        file["0001/grid/x"][...] = 2 * waves.x
    with pytest.raises(InputError, match="the seeds 0000 and 0001 do not share one grid"):
        read(path)


def test_pdebench_incompressible_flow(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    path = tmp_path / "a.h5"
    runs = np.stack([waves.plane(run) for run in range(2)]).transpose(0, 1, 3, 2)
    with h5py.File(path, "w") as file:
        file["velocity"] = np.stack([runs, 2 * runs], axis=-1)
        file["particles"] = runs[..., None] + 1
        file["force"] = np.ones((2, 12, 10, 2))
        file["t"] = np.tile(waves.t, (2, 1))
    with pytest.raises(InputError, match="no coordinate y, so the step along y is unknown") as caught:
        read(path)
    assert "--dx 0.1" in caught.value.cure
    field = read(path, dx=0.1, note=notes.append)
    assert field.names == ("velocityx", "velocityy", "particles")
    np.testing.assert_array_equal(field.values[1, :, 1], 2 * waves.plane(1))
    assert "force is left out: it does not change in time" in notes
    with h5py.File(path, "r+") as file:
        file["t"][1] += 0.01
    with pytest.raises(InputError, match="the runs have different times"):
        read(path, dx=0.1)


def test_pdebench_without_time_has_nothing_to_learn(tmp_path: Path, waves: Any) -> None:
    """Darcy flow is steady: one time, no t-coordinate."""
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["tensor"] = np.ones((4, 1, 12, 10))
        file["x-coordinate"], file["y-coordinate"] = waves.x, waves.y
    with pytest.raises(InputError, match="no coordinate time"):
        read(tmp_path / "a.hdf5")
    with pytest.raises(InputError, match="1 snapshots: a time derivative needs at least 3"):
        read(tmp_path / "a.hdf5", dt=0.1)


def the_well(path: Path, waves: Any, *, sides: tuple[str, str] = ("PERIODIC", "WALL")) -> Path:
    """Two runs on x, y, with a scalar, a vector, a tensor and a field that stands still."""
    runs = np.stack([waves.plane(run) for run in range(2)]).transpose(0, 1, 3, 2)
    with h5py.File(path, "w") as file:
        file.attrs.update(grid_type="cartesian", n_spatial_dims=2, n_trajectories=2)
        file.create_group("dimensions").attrs["spatial_dims"] = ["x", "y"]
        for name, points in (("time", waves.t), ("x", waves.x), ("y", waves.y)):
            file[f"dimensions/{name}"] = points
        for axis, side in zip("xy", sides, strict=True):
            condition = file.create_group(f"boundary_conditions/{axis}_{side.lower()}")
            condition.attrs.update(associated_dims=[axis], bc_type=side)
        file["t0_fields/tracer"] = runs
        file["t0_fields/bottom"] = runs[:, 0]
        file["t0_fields/bottom"].attrs["time_varying"] = False
        file["t1_fields/velocity"] = np.stack([runs + 1, runs + 2], axis=-1)
        file["t2_fields/stress"] = np.stack(
            [np.stack([runs + 3, runs + 4], -1), np.stack([runs + 5, runs + 6], -1)], -2
        )
        file["scalars/speed"] = 1.5
    return path


def test_the_well(tmp_path: Path, waves: Any, notes: list[str]) -> None:
    field = read(the_well(tmp_path / "a.hdf5", waves), note=notes.append)
    assert field.names == ("tracer", "velocityx", "velocityy", "stressxx", "stressxy", "stressyx", "stressyy")
    for channel in range(7):
        np.testing.assert_array_equal(field.values[1, :, channel], waves.plane(1) + channel)
    assert field.boundary == ("none", "periodic")  # in the order y, x
    assert field.axes == ("y", "x")
    assert "bottom is left out: it is not given for every run, time and grid point" in notes
    assert not any("looks" in note for note in notes)  # the file says what the boundaries are


def test_the_well_keeps_tensors_flat_too(tmp_path: Path, waves: Any) -> None:
    path = the_well(tmp_path / "a.hdf5", waves)
    with h5py.File(path, "r+") as file:
        flat = file["t2_fields/stress"][...].reshape(2, 7, 12, 10, 4)
        del file["t2_fields/stress"]
        file["t2_fields/stress"] = flat
    np.testing.assert_array_equal(read(path, variables="stress_yx").values[1, :, 0], waves.plane(1) + 5)


def test_the_well_on_a_sphere_is_refused(tmp_path: Path, waves: Any) -> None:
    path = the_well(tmp_path / "a.hdf5", waves)
    with h5py.File(path, "r+") as file:
        file.attrs["grid_type"] = "spherical"
    with pytest.raises(InputError, match="the grid is spherical with the axes x, y; only Cartesian grids are read"):
        read(path)


def test_the_well_with_times_of_each_run_is_refused_unless_they_agree(tmp_path: Path, waves: Any) -> None:
    path = the_well(tmp_path / "a.hdf5", waves)
    with h5py.File(path, "r+") as file:
        del file["dimensions/time"]
        file["dimensions/time"] = np.stack([waves.t, waves.t])
    assert read(path).dt == pytest.approx(0.05, rel=1e-12)
    with h5py.File(path, "r+") as file:
        file["dimensions/time"][1] *= 2
    with pytest.raises(InputError, match="the runs have different times"):
        read(path)


def test_the_well_on_a_grid_that_is_not_uniform_is_refused(tmp_path: Path, waves: Any) -> None:
    path = the_well(tmp_path / "a.hdf5", waves)
    with h5py.File(path, "r+") as file:
        file["dimensions/y"][...] = waves.y**2
    with pytest.raises(InputError, match="the coordinate y is not uniform"):
        read(path)
