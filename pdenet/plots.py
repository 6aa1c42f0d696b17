"""Pictures of a discovery: terms with their coefficients, data against roll-out, error over time, learned filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.pareto import Candidate
from pdenet.discovery.scoring import Measure
from pdenet.equations.equation import Equation
from pdenet.equations.printing import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MAX_BARS = 14  # terms drawn per equation, the largest
MAX_CHARACTERS = 95  # of a printed equation on the page
INK, ACCENT, QUIET = "#1b2a41", "#c8553d", "#8a97a8"


@dataclass(frozen=True)
class Comparison:
    """A roll-out beside the data, for one variable at one time.

    measured, predicted: values over one space axis, or over the last two. extent: (left, right, bottom, top).
    """

    name: str
    time: float
    measured: Float64[np.ndarray, "*space"]
    predicted: Float64[np.ndarray, "*space"]
    extent: tuple[float, float, float, float]


def report_figure(
    equations: Sequence[Equation],
    texts: Sequence[str],
    *,
    fronts: Mapping[str, Sequence[Candidate]],
    measure: Measure,
    comparison: Comparison | None,
    error_over_time: Sequence[float],
    dt: float,
    filters: Mapping[str, Float64[np.ndarray, "row column"]],
) -> Figure:
    """The one-page report.

    texts: the equations, printed, or what stands against them. fronts: the Pareto table of each variable.
    measure: what its errors are of.
    error_over_time: relative RMS error of held-out roll-outs after 1, 2, ... snapshots of length dt.
    filters: moment matrices by derivative name; empty if no filters were learnt.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_rows = 3 if filters else 2
    figure = Figure(figsize=(12, 1.0 + 0.35 * len(texts) + 3.6 * n_rows), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bands = figure.subfigures(n_rows + 1, 1, height_ratios=[0.2 + 0.1 * len(texts), *[1.0] * n_rows])
    for line, text in enumerate(texts):
        height = 1.0 - (line + 0.5) / len(texts)
        bands[0].text(
            0.02, height, shortened(text, MAX_CHARACTERS), va="center", fontsize=12, family="monospace", color=INK
        )
    has_course = len(error_over_time) > 0 and bool(np.all(np.isfinite(error_over_time)))
    n_panels = len(equations) + bool(fronts) + has_course
    panels = list(np.atleast_1d(bands[1].subplots(1, n_panels)))
    for axes, equation in zip(panels, equations, strict=False):
        _draw_terms(axes, equation)
    if fronts:
        _draw_fronts(panels[len(equations)], fronts, measure)
    if has_course:
        _draw_course(panels[-1], error_over_time, dt)
    if comparison is not None:
        _draw_comparison(bands[2], comparison)
    if filters:
        _draw_filters(bands[3], filters)
    return figure


def _draw_terms(axes: Axes, equation: Equation) -> None:
    largest = np.argsort(-np.abs(equation.coefficients))[:MAX_BARS]
    shown = sorted(largest.tolist())
    places = np.arange(len(shown))
    coefficients = [equation.coefficients[k] for k in shown]
    errors = 1.96 * np.asarray(equation.errors)[shown] if equation.errors else None
    axes.barh(places, coefficients, xerr=errors, color=INK, ecolor=ACCENT, height=0.55, capsize=3)
    axes.set_yticks(places, [str(equation.terms[k]) for k in shown], family="monospace")
    axes.axvline(0.0, color=QUIET, linewidth=0.8)
    axes.margins(x=0.35)
    for place, value in zip(places, coefficients, strict=True):
        side = "left" if value >= 0 else "right"
        axes.annotate(
            f"{value:.4g}",
            (value, place),
            xytext=(5 if value >= 0 else -5, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.invert_yaxis()
    axes.set_title(f"{equation.lhs}: coefficients" + (" and 95 % intervals" if equation.errors else ""), fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_fronts(axes: Axes, fronts: Mapping[str, Sequence[Candidate]], measure: Measure) -> None:
    """Errors by number of terms, in-sample and held-out."""
    for shade, (name, rows) in zip(np.linspace(0.0, 0.6, len(fronts)), fronts.items(), strict=True):
        tint = (0.11 + 0.6 * shade, 0.16 + 0.6 * shade, 0.25 + 0.6 * shade)
        sizes = [len(row.equation.terms) for row in rows]
        seen, held = [row.insample_error for row in rows], [row.heldout_error for row in rows]
        axes.semilogy(sizes, _drawable(seen), ".:", color=tint, label=f"{name}_t, in-sample")
        axes.semilogy(sizes, _drawable(held), "o-", color=tint, label=f"{name}_t, held-out", markersize=4)
        for size, row in zip(sizes, rows, strict=True):
            if row.chosen:
                error = row.insample_error if np.isnan(row.heldout_error) else row.heldout_error
                axes.semilogy([size], _drawable([error]), "o", color=ACCENT, markersize=9, fillstyle="none")
    axes.set_xlabel("terms (circle: chosen)")
    axes.legend(frameon=False, fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"relative error of the {measure}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_course(axes: Axes, errors: Sequence[float], dt: float) -> None:
    """Error of held-out roll-outs over time."""
    axes.plot(dt * np.arange(1, len(errors) + 1), errors, color=INK)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("time after the start")
    axes.set_title("held-out roll-out over time", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _drawable(errors: Sequence[float]) -> Float64[np.ndarray, " error"]:
    """Errors on a logarithmic axis; what blew up, was not measured or is exactly zero is left out."""
    numbers = np.asarray(errors, dtype=np.float64)
    return np.where(np.isfinite(numbers) & (numbers > 0.0), numbers, np.nan)


def _draw_comparison(band: SubFigure, comparison: Comparison) -> None:
    difference = comparison.predicted - comparison.measured
    when = f"{comparison.name} at t = {comparison.time:.4g}"
    if comparison.measured.ndim == 1:
        left, right = band.subplots(1, 2)
        x = np.linspace(comparison.extent[0], comparison.extent[1], len(comparison.measured))
        left.plot(x, comparison.measured, color=QUIET, linewidth=3, label="data")
        left.plot(x, comparison.predicted, color=ACCENT, linewidth=1.2, label="roll-out")
        left.legend(frameon=False)
        left.set_title(when, fontsize=10)
        right.plot(x, difference, color=INK, linewidth=1)
        right.set_title("roll-out minus data", fontsize=10)
        return
    panels = band.subplots(1, 3)
    limits = {"vmin": float(comparison.measured.min()), "vmax": float(comparison.measured.max())}
    bound = float(np.abs(difference).max()) or 1.0
    rows = (
        ("data, " + when, comparison.measured, {"cmap": "viridis", **limits}),
        ("roll-out", comparison.predicted, {"cmap": "viridis", **limits}),
        ("roll-out minus data", difference, {"cmap": "RdBu_r", "vmin": -bound, "vmax": bound}),
    )
    for axes, (title, values, look) in zip(panels, rows, strict=True):
        image = axes.imshow(values, origin="lower", extent=comparison.extent, **look)
        axes.set_title(title, fontsize=10)
        band.colorbar(image, ax=axes, shrink=0.8)


def _draw_filters(band: SubFigure, filters: Mapping[str, Float64[np.ndarray, "row column"]]) -> None:
    panels = np.atleast_1d(band.subplots(1, len(filters)))
    for axes, (name, moments) in zip(panels, filters.items(), strict=True):
        axes.imshow(moments, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
        for (i, j), value in np.ndenumerate(moments):
            axes.text(j, i, f"{value:.2g}" if abs(value) > 5e-4 else "·", ha="center", va="center", fontsize=6)
        axes.set_title(f"moments: {name}" if name else "moments: value", fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
