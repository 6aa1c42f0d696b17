"""Figures of denoising: how long the equation runs, what its stopping time is worth, and where it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num

from backbone.atomic import write_atomic
from durr.benchmark.methods import OURS
from durr.metrics import psnr
from durr.restorer import Restored

Image = Num[np.ndarray, " row col *colour"]

STRIP = 32  # columns
INK, ACCENT, QUIET = "#1b2a41", "#c8553d", "#8a97a8"


def stopping_figure(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Steps against noise, and PSNR along the path of images less that of the oracle, into a PNG file.

    rows: of one set of pictures at several levels, as `bench denoise` records them, with the path of our method.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    steps, worth = figure.subplots(1, 2)
    found = [(row["sigma"], row["methods"][OURS]) for row in rows]
    sigmas = [sigma for sigma, _ in found]
    steps.plot(sigmas, [ours["steps"] for _, ours in found], "o-", color=ACCENT, label="stopping rule")
    steps.plot(
        sigmas, [ours["oracle_steps"] for _, ours in found], "s--", color=INK, label="best step, clean picture known"
    )
    steps.set(xlabel="noise, standard deviation of 255", ylabel="steps, mean over pictures")
    steps.set_ylim(bottom=0)
    for index, (sigma, ours) in enumerate(found):
        lost = [psnr - ours["oracle_psnr"] for psnr in ours["psnr_by_step"]]
        worth.plot(lost, color=QUIET, alpha=0.4 + 0.6 * index / len(found))
        worth.plot(ours["steps"], ours["psnr"] - ours["oracle_psnr"], "o", color=ACCENT)
        worth.annotate(f"{sigma:g}", (len(lost) - 1, lost[-1]), fontsize=8, color=INK)
    worth.set(xlabel="steps", ylabel="PSNR less the oracle's, dB", ylim=(-1.5, 0.1))
    steps.legend(frameon=False)
    for axes in (steps, worth):
        axes.spines[["top", "right"]].set_visible(False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=130)
    write_atomic(path, content.getvalue())


def noise_map_figure(clean: Image, noisy: Image, even: Restored, mapped: Restored, path: Path) -> None:
    """A picture whose noise grows from left to right, its map of stopping times, and what the map gains by column.

    even, mapped: restored without and with the map.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    before, times, gain = figure.subplots(1, 3)
    before.imshow(noisy.clip(0, 1))
    before.set_title("noise grows from left to right", fontsize=10)
    if mapped.times is not None:
        steps = mapped.chosen * mapped.times.at((slice(None), slice(None)))
        figure.colorbar(times.imshow(steps, cmap="viridis"), ax=times, label="steps")
    times.set_title(f"stopping times (one for all: {even.chosen:.3g})", fontsize=10)
    middles, gains = _gain_by_column(clean, even.image, mapped.image)
    gain.axhline(0.0, color=QUIET)
    gain.plot(middles, gains, color=ACCENT)
    gain.set(xlabel="column", ylabel="dB gained by the map")
    gain.spines[["top", "right"]].set_visible(False)
    for axes in (before, times):
        axes.set_xticks([])
        axes.set_yticks([])
    content = BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_atomic(path, content.getvalue())


def _gain_by_column(clean: Image, even: Image, mapped: Image) -> tuple[list[float], list[float]]:
    """Differences of PSNR over strips of columns, by the middle of each."""
    strips = [slice(first, first + STRIP) for first in range(0, clean.shape[1] - STRIP + 1, STRIP // 2)]
    quality = [[psnr(clean[:, strip], done[:, strip], data_range=1.0) for strip in strips] for done in (even, mapped)]
    middles = [strip.start + STRIP / 2 for strip in strips]
    return middles, [after - before for before, after in zip(*quality, strict=True)]
