"""The picture of an experiment: one figure against another, every method with its spread over seeds."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from backbone.atomic import write_atomic
from backbone.experiments.experiment import Experiment
from backbone.experiments.results import Results, spread


def experiment_picture(experiment: Experiment, results: Results, path: Path) -> None:
    """Points with bars of one standard deviation, or mean curves with bands, as PNG, SVG or PDF."""
    from matplotlib.figure import Figure

    wanted = experiment.picture
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for method in experiment.methods:
        if not results.seeds(method):
            continue
        x, y = (np.asarray(results.curve(method, name)) for name in (wanted.x, wanted.y))
        if x.shape[1] == 1:
            bars = [spread(values[:, 0].tolist()) for values in (x, y)]
            axes.errorbar(x.mean(), y.mean(), xerr=bars[0], yerr=bars[1], fmt="o", capsize=3, label=method)
        else:
            middle, half = y.mean(0), y.std(0, ddof=1) if len(y) > 1 else 0.0
            (line,) = axes.plot(x.mean(0), middle, label=method)
            axes.fill_between(x.mean(0), middle - half, middle + half, color=line.get_color(), alpha=0.2)
    axes.set(
        xlabel=wanted.x_title,
        ylabel=wanted.y_title,
        xscale="log" if wanted.x_log else "linear",
        yscale="log" if wanted.y_log else "linear",
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=130, format=path.suffix.removeprefix("."))
    write_atomic(path, drawn.getvalue())
