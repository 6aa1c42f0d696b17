"""The versions of what is installed, for records of how results came about."""

from __future__ import annotations

from importlib import metadata


def installed_version(package: str) -> str:
    """The version of a package, by its name on PyPI; "not installed" where it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
