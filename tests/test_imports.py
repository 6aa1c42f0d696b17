"""Every module imports with the runtime dependencies alone, and the packages themselves import nothing slow."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OPTIONAL = ("h5py", "xarray", "h5netcdf", "zarr", "pysindy", "pywt", "pytest", "hypothesis", "beartype")

IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None  # as if it were not installed: importing it raises ImportError
for room in sys.argv[1].split(","):
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        importlib.import_module(module.name)
        print(module.name)
"""


def python(code: str, *words: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("room", ["backbone", "pdenet", "durr"])
def test_every_module_imports_without_the_extras(room: str) -> None:
    modules = python(IMPORT_ALL, room, ",".join(OPTIONAL)).split()
    written = {path for path in (ROOT / room).rglob("*.py") if path.name != "__init__.py"}
    assert len(modules) >= len(written)  # none was skipped; packages are counted too


def test_importing_the_packages_costs_nothing() -> None:
    code = (
        "import sys, backbone, backbone.errors, backbone.schemes, pdenet, pdenet.simulation, durr; print(*sys.modules)"
    )
    assert {"torch", "scipy", "sympy", "matplotlib"}.isdisjoint(python(code).split())


def test_public_names_exist() -> None:
    python(
        "import backbone, pdenet\nfor room in (backbone, pdenet):\n    [getattr(room, name) for name in room.__all__]"
    )


def test_constraints_pin_what_is_installed() -> None:
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *declared["dependencies"],
        *(
            row
            for extra in declared["optional-dependencies"].values()
            for row in extra
            if f"{declared['name']}[" not in row
        ),
    ]
    names = {name.lower().replace("_", "-") for name in pins}
    assert {row.split(">")[0].lower() for row in wanted} <= names
    assert pins["torch"] == "2.13.0"
    assert metadata.version("torch").split("+")[0] == pins["torch"]  # +cpu or +cu130 is the same release
