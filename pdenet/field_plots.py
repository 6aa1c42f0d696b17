"""Pictures of coefficients that vary: maps beside maps of their bands, curves in their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.varying.equation import FieldCoefficient, VaryingEquation
from pdenet.equations.printing import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CHARACTERS = 95  # of a printed equation on the page
INK, ACCENT = "#1b2a41", "#c8553d"
BAND = 1.96  # standard errors


def fields_figure(equations: Sequence[VaryingEquation]) -> Figure:
    """One row a coefficient that varies, or source: the value, and half the width of its 95 % band."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [(equation, entry) for equation in equations for entry in equation.coefficients if entry.axes]
    curves = [equation for equation in equations if equation.source is not None]
    n_rows = max(len(rows) + len(curves), 1)
    figure = Figure(figsize=(10, 1.0 + 3.4 * n_rows), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    texts = [shortened(equation.to_text(), MAX_CHARACTERS) for equation in equations]
    figure.suptitle("\n".join(texts), family="monospace", fontsize=10)
    panels = figure.subplots(n_rows, 2, squeeze=False)
    for (equation, entry), pair in zip(rows, panels, strict=False):
        title = f"{equation.variable}_t: coefficient of {entry.term}"
        if len(entry.axes) == 1:
            (at,) = entry.coordinates.values()
            _draw_curve(pair, at, entry.values, entry.errors, entry.axes[0], title)
        else:
            _draw_maps(figure, pair, entry, title)
    for equation, pair in zip(curves, panels[len(rows) :], strict=True):
        curve = equation.source
        if curve is not None:
            title = f"{equation.variable}_t: f({curve.variable})"
            _draw_curve(pair, curve.at, curve.values, curve.errors, curve.variable, title)
    if not rows and not curves:
        for axes in panels.ravel():
            axes.set_visible(False)
    return figure


def _draw_curve(
    pair: Sequence[Axes],
    at: Float64[np.ndarray, " value"],
    values: Float64[np.ndarray, " value"],
    errors: Float64[np.ndarray, " value"],
    label: str,
    title: str,
) -> None:
    order = np.argsort(at)
    at, values, half = at[order], values[order], BAND * errors[order]
    pair[0].fill_between(at, values - half, values + half, color=ACCENT, alpha=0.4, linewidth=0)
    pair[0].plot(at, values, color=INK)
    pair[0].set_title(title, fontsize=10)
    pair[1].plot(at, half, color=ACCENT)
    pair[1].set_ylim(bottom=0.0)
    pair[1].set_title("half the 95 % band", fontsize=10)
    for axes in pair:
        axes.set_xlabel(label)
        axes.spines[["top", "right"]].set_visible(False)


def _draw_maps(figure: Figure, pair: Sequence[Axes], entry: FieldCoefficient, title: str) -> None:
    """The last two varying axes, at the middle of the others."""
    middle = tuple(len(entry.coordinates[axis]) // 2 for axis in entry.axes[:-2])
    (row, y), (column, x) = [(axis, entry.coordinates[axis]) for axis in entry.axes[-2:]]
    where = "".join(f", {a} = {entry.coordinates[a][k]:.3g}" for a, k in zip(entry.axes, middle, strict=False))
    half = BAND * entry.errors[middle]
    pictures = ((title + where, entry.values[middle], "viridis"), ("half the 95 % band", half, "magma"))
    for axes, (words, picture, colours) in zip(pair, pictures, strict=True):
        image = axes.imshow(
            picture, origin="lower", extent=(x.min(), x.max(), y.min(), y.max()), cmap=colours, aspect="auto"
        )
        axes.set_title(words, fontsize=10)
        axes.set_xlabel(column)
        axes.set_ylabel(row)
        figure.colorbar(image, ax=axes, shrink=0.9)
