"""NetCDF 4: one variable per variable, named axes with their coordinates; needs the extra `io`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backbone.atomic import write_atomic
from pdenet.fields.field import Field
from pdenet.writers.output import check_output


def write_netcdf(field: Field, path: Path, *, recipe: Mapping[str, str], overwrite: bool = False) -> bytes:
    """Write a field and give the bytes written.

    Dimensions (run, time, [z,] [y,] x); each space coordinate has the attribute `boundary`; `recipe`, how the data were
    made, is an attribute of the file. Raises OutputError as `check_output`.
    """
    import xarray

    check_output(path, overwrite=overwrite)
    dims = ("run", "time", *field.axes)
    coordinates = {
        axis: (axis, points, {"boundary": side})
        for (axis, points), side in zip(field.coordinates().items(), field.boundary, strict=True)
    }
    dataset = xarray.Dataset(
        {name: (dims, field.values[:, :, k]) for k, name in enumerate(field.names)},
        coords={"time": ("time", field.times()), **coordinates},
        attrs={"recipe": "\n".join(f"{name} = {text}" for name, text in recipe.items())},
    )
    content = bytes(dataset.to_netcdf(None, engine="h5netcdf"))
    write_atomic(path, content)
    return content
