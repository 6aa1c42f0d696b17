"""NetCDF, versions 3 and 4: as xarray sees it, with packed numbers unpacked and missing ones NaN."""

from __future__ import annotations

from pathlib import Path

from pdenet.readers.contents import Contents, from_extra
from pdenet.readers.labelled import closing

CLASSIC = b"CDF"


def read_netcdf(path: Path) -> Contents:
    """The variables over time and space; times stay numbers in the unit that the file states."""
    xarray = from_extra("xarray", "NetCDF", str(path))
    with path.open("rb") as file:
        classic = file.read(3) == CLASSIC
    if not classic:
        from_extra("h5netcdf", "NetCDF", str(path))
    dataset = xarray.open_dataset(path, engine="scipy" if classic else "h5netcdf", decode_times=False)
    return closing(dataset, str(path))
