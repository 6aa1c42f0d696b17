"""The picture of an experiment: one figure against another, every method with its spread over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from backbone.atomic import write_atomic
from backbone.experiments.experiment import Experiment
from backbone.experiments.results import Results

Numbers = Float64[np.ndarray, " point"]


def experiment_picture(experiment: Experiment, results: Results, path: Path) -> None:
    """Points with bars of one standard deviation, or mean curves with bands, as PNG, SVG or PDF.

    Means and deviations along a logarithmic axis are those of logarithms; what has none is left out.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    wanted = experiment.picture
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set(
        xlabel=wanted.x_title,
        ylabel=wanted.y_title,
        xscale="log" if wanted.x_log else "linear",
        yscale="log" if wanted.y_log else "linear",
    )
    if wanted.x_log:
        axes.xaxis.set_major_formatter(LogFormatter())
        axes.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
    for method in experiment.methods:
        values = [np.asarray(results.curve(method, name), dtype=np.float64) for name in (wanted.x, wanted.y)]
        if not len(values[0]) or (wanted.y_log and (values[1] <= 0).any()):
            continue
        x, y = (Band.of(of, log=log) for of, log in zip(values, (wanted.x_log, wanted.y_log), strict=True))
        if len(x.middle) == 1:
            axes.errorbar(x.middle, y.middle, xerr=x.bars, yerr=y.bars, fmt="o", capsize=3, label=method)
        else:
            (line,) = axes.plot(x.middle, y.middle, label=method)
            axes.fill_between(x.middle, y.low, y.high, color=line.get_color(), alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=130, format=path.suffix.removeprefix("."))
    write_atomic(path, drawn.getvalue())


@dataclass(frozen=True, eq=False)
class Band:
    """A mean over seeds, and one deviation to both sides."""

    low: Numbers
    middle: Numbers
    high: Numbers

    @classmethod
    def of(cls, values: Float64[np.ndarray, "seed point"], *, log: bool) -> Band:
        """Of each point; log: of its logarithm."""
        scaled = np.log(values) if log else values
        middle, half = scaled.mean(0), scaled.std(0, ddof=1) if len(values) > 1 else 0.0
        low, mean, high = (np.exp(part) if log else part for part in (middle - half, middle, middle + half))
        return cls(low, mean, high)

    @property
    def bars(self) -> Float64[np.ndarray, "2 point"]:
        """Lengths down and up."""
        return np.stack([self.middle - self.low, self.high - self.middle]).clip(min=0.0)  # rounding of exp and log
