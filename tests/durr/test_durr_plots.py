"""The figure of the stopping rule is drawn from rows as the benchmark records them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from durr.plots import stopping_figure


def row(sigma: float, steps: float) -> dict[str, object]:
    ours = {
        "psnr": 30 - sigma / 10,
        "steps": steps,
        "oracle_psnr": 30.05 - sigma / 10,
        "oracle_steps": steps + 0.5,
        "psnr_by_step": [20.0, 28.0 - sigma / 10, 30.0 - sigma / 10],
    }
    return {"sigma": sigma, "methods": {"ours": ours}}


def test_the_figure_is_a_picture_with_ink_in_it(tmp_path: Path) -> None:
    stopping_figure([row(15.0, 3.0), row(25.0, 4.0), row(50.0, 6.0)], tmp_path / "steps.png")
    with Image.open(tmp_path / "steps.png") as picture:
        assert picture.format == "PNG"
        colours = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=100_000)}
    assert (0xC8, 0x55, 0x3D) in colours  # the line of the rule
    assert (0x1B, 0x2A, 0x41) in colours  # the line of the oracle
