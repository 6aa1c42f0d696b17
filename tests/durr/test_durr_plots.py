"""The figures are drawn from what the benchmark records and the restorer gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from durr.plots import noise_map_figure, stopping_figure
from durr.restoration.noise_map import StepMap
from durr.restorer import Restored


def row(sigma: float, steps: float) -> dict[str, object]:
    ours = {
        "psnr": 30 - sigma / 10,
        "steps": steps,
        "oracle_psnr": 30.05 - sigma / 10,
        "oracle_steps": steps + 0.5,
        "psnr_by_step": [20.0, 28.0 - sigma / 10, 30.0 - sigma / 10],
    }
    return {"sigma": sigma, "methods": {"ours": ours}}


def colours_of(path: Path) -> set[tuple[int, int, int]]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=1_000_000)}


def test_the_figure_is_a_picture_with_ink_in_it(tmp_path: Path) -> None:
    stopping_figure([row(15.0, 3.0), row(25.0, 4.0), row(50.0, 6.0)], tmp_path / "steps.png")
    colours = colours_of(tmp_path / "steps.png")
    assert (0xC8, 0x55, 0x3D) in colours  # the line of the rule
    assert (0x1B, 0x2A, 0x41) in colours  # the line of the oracle


def test_the_figure_of_the_map(tmp_path: Path) -> None:
    clean = np.full((20, 96), 0.5, np.float32)
    noisy = clean + np.float32(0.1) * np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)
    even = Restored(image=noisy, steps=4.0, chosen=4.0, unfolded=None)
    times = StepMap(np.array([[0.5, 1.5]]), (20, 96), most=9, levels=(0.0, 0.2))
    mapped = Restored(image=(clean + noisy) / 2, steps=4.0, chosen=4.0, unfolded=None, times=times)
    noise_map_figure(clean, noisy, even, mapped, tmp_path / "map.png")
    assert {(0xC8, 0x55, 0x3D), (68, 1, 84)} <= colours_of(tmp_path / "map.png")  # the gain, the fewest steps
