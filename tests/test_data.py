"""The sample data are what their README says: bytes by checksum, values by the recipe."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"
README = (DATA / "README.md").read_text()
SAMPLES = sorted(path for path in DATA.iterdir() if path.suffix in {".npz", ".png"})


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_sample_is_small_and_unchanged(path: Path) -> None:
    content = path.read_bytes()
    assert len(content) < 1_000_000
    assert f"`{path.name}`" in README
    assert hashlib.sha256(content).hexdigest() in README


def test_the_recipe_makes_the_sample(tmp_path: Path) -> None:
    (recipe,) = re.findall(r"^pdenet-durr (simulate .* -o (\S+))$", README, flags=re.MULTILINE)
    words, name = recipe[0].split(), recipe[1]
    made = subprocess.run(
        [sys.executable, "-m", "pdenet_durr_cli", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    with np.load(DATA / name) as kept, np.load(tmp_path / name) as again:
        assert kept.files == again.files
        for entry in kept.files:
            if kept[entry].dtype.kind == "f":
                # transforms of other builds round differently, 1e-16 a step; the solver itself is accurate to 1e-8
                np.testing.assert_allclose(again[entry], kept[entry], rtol=0, atol=1e-7)
            else:
                np.testing.assert_array_equal(again[entry], kept[entry])
