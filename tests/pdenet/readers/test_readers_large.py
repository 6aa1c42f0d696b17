"""Data that stay on disk: the same numbers as in memory from every format, alarms, and what cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backbone.errors import InputError, ResourceError, UsageError
from pdenet.fields.field import Field
from pdenet.fields.memory import Memory, in_words, parse_bytes
from pdenet.fields.on_disk import OnDisk
from pdenet.fields.stretches import stretches
from pdenet.readers import npz, read, reader

N_RUNS, N_TIMES, SHAPE = 2, 30, (6, 8)


def waves() -> np.ndarray:
    """Smooth periodic values "run time y x"."""
    t, y, x = (2 * np.pi * np.arange(n) / n for n in (N_TIMES, *SHAPE))
    phase = t[:, None, None] + y[:, None] + 2 * x
    return np.stack([np.sin(phase), np.cos(phase) + 0.5 * np.sin(y)[:, None]])


def coordinates() -> dict[str, np.ndarray]:
    return {"t": 0.1 * np.arange(N_TIMES), "y": 0.5 * np.arange(SHAPE[0]), "x": 0.25 * np.arange(SHAPE[1])[::-1]}


def as_npz(path: Path) -> Path:
    np.savez(path / "a.npz", u=waves(), dims=["run", "time", "y", "x"], **coordinates())
    return path / "a.npz"


def as_hdf5(path: Path) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "a.h5", "w") as file:
        # axes in another order and in chunks, in single precision
        values = waves().transpose(3, 1, 0, 2).astype("f4")
        file.create_dataset("u", data=values, chunks=(4, 7, 1, 3))
        for k, word in enumerate(("x", "time", "run", "y")):
            file["u"].dims[k].label = word
        for name, points in coordinates().items():
            file[name] = points
    return path / "a.h5"


def as_zarr(path: Path) -> Path:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(path / "a.zarr", mode="w")
    for name, values in {"u": waves(), **coordinates()}.items():
        group.create_array(name, shape=values.shape, dtype="f8", chunks=tuple(max(n // 2, 1) for n in values.shape))
        group[name][...] = values
    return path / "a.zarr"


def grid(field: Field) -> tuple[object, ...]:
    return field.names, field.dt, field.dx, field.t0, field.origin, field.boundary


@pytest.fixture
def nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field is larger than memory, and every array of an archive large."""
    monkeypatch.setattr(reader.Memory, "of", lambda text: Memory(2**40, 0))
    monkeypatch.setattr(npz, "LARGE", 1000)


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("written", [as_npz, as_hdf5, as_zarr])
def test_a_field_on_disk_is_the_one_in_memory(tmp_path: Path, written: Callable[[Path], Path]) -> None:
    path = written(tmp_path)
    dims = "run,t,y,x" if path.suffix == ".zarr" else None
    there, here = (read(path, dims=dims, memory=memory) for memory in ("1G", None))
    assert isinstance(there.values, OnDisk)
    assert there.values.shape == here.values.shape
    for run in range(N_RUNS):
        np.testing.assert_array_equal(there.values[run, 3:11], here.values[run, 3:11])
    assert grid(there) == grid(here)


@pytest.mark.usefixtures("nothing_fits")
def test_runs_of_several_files_follow_each_other(tmp_path: Path) -> None:
    for k in range(3):
        np.save(tmp_path / f"{k}.npy", waves()[k % 2] + k)
    words = {"dims": "t,y,x", "dt": 0.1, "dx": 0.5}
    there = read([tmp_path / f"{k}.npy" for k in range(3)], memory="1G", **words)
    assert there.n_runs == 3
    np.testing.assert_array_equal(there.values[2, 0:4][:, 0], waves()[0][:4] + 2)


@pytest.mark.usefixtures("nothing_fits")
def test_a_repeated_end_point_is_dropped_on_disk_too(tmp_path: Path) -> None:
    closed = np.concatenate([waves(), waves()[..., :1]], axis=-1)
    np.save(tmp_path / "a.npy", closed)
    there = read(tmp_path / "a.npy", dims="run,t,y,x", dt=0.1, dx=0.5, memory="1G")
    assert there.space_shape == SHAPE
    assert there.values[0, 0:2].shape == (2, 1, *SHAPE)


@pytest.mark.usefixtures("nothing_fits")
def test_values_that_are_missing_are_told_with_their_place(tmp_path: Path) -> None:
    values = waves()
    values[1, 20, 2, 3] = np.nan
    np.save(tmp_path / "a.npy", values)
    words = {"dims": "run,t,y,x", "dt": 0.1, "dx": 0.5, "memory": "1G"}
    with pytest.raises(InputError, match=r"first at run 1, t=2, y=1, x=1\.5"):
        read(tmp_path / "a.npy", **words)
    assert np.isnan(read(tmp_path / "a.npy", mask_nan=True, **words).values[1, 20:21]).sum() == 1


@pytest.mark.usefixtures("nothing_fits")
def test_what_needs_all_values_says_so(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", waves())
    field = read(tmp_path / "a.npy", dims="run,t,y,x", dt=0.1, dx=0.5, memory="1G")
    for use in (lambda: np.std(field.values), lambda: field.values[:, :, 0], lambda: field.has_gaps):
        with pytest.raises(ResourceError, match="needs all values at once, 23 kB"):
            use()
    np.save(tmp_path / "b.npy", waves() + 1j)
    with pytest.raises(ResourceError, match="u is complex"):
        read(tmp_path / "b.npy", dims="run,t,y,x", dt=0.1, dx=0.5, memory="1G")


def test_stretches_are_spread_over_runs_and_times() -> None:
    values = np.arange(2.0 * 100)[:, None].repeat(4, axis=1).reshape(2, 100, 1, 4)
    field = Field(values=values, dt=0.1, dx=(1.0,), names=("u",), boundary=("periodic",))
    assert stretches(field, values.nbytes) is field
    some = stretches(field, values.nbytes // 2)
    assert some.values.shape == (5, 20, 1, 4)
    first = some.values[:, 0, 0, 0]
    assert first[0] == 0.0
    np.testing.assert_array_equal(np.diff(some.values[:, :, 0, 0], axis=1), 1.0)  # snapshots that follow each other
    assert some.values[-1, -1, 0, 0] == 199.0
    assert (np.diff(first) >= 20).all()
    with pytest.raises(ResourceError, match="40 are needed"):
        stretches(field, values.nbytes // 6)


def test_amounts_of_memory() -> None:
    assert parse_bytes("2G") == 2 * 2**30
    assert parse_bytes("1.5 MiB") == 3 * 2**19
    assert in_words(2_097_152_000) == "2.1 GB"
    assert Memory.of("1T").for_data == pytest.approx(0.1 * 2**40, rel=0.01)  # 0.9 of it in nine parts
    for wrong in ("2", "G", "0M", "-1G", "2X"):
        with pytest.raises(UsageError, match="no amount of memory"):
            parse_bytes(wrong)
