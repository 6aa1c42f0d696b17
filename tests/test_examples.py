"""Every example runs from anywhere and prints the truth."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PRINTS = {
    "denoise_uneven_noise.py": r"calmest quarter: \S+ dB at one time, \S+ dB with the map\n",
    "discover_burgers.py": r"u_t = -(\S+\*)?u\*u_x - (\S+\*)?v\*u_y \+ \S+\*u_xx \+ \S+\*u_yy\n",
    "simulate_and_forecast.py": r"found: u_t = -(\S+\*)?u\*u_x \+ \S+\*u_xx\n",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(PRINTS[path.name], done.stdout), done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    assert f"[{path.name}]({path.name})" in (path.parent / "README.md").read_text()
