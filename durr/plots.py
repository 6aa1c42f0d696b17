"""Figures of a benchmark of denoising: how long the equation runs, and what its stopping time is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from backbone.atomic import write_atomic
from durr.benchmark.methods import OURS

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
