"""What `learn` leaves behind of equations with fields: text, figures of merit, arrays, and maps with their bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64

from backbone.runs import RunFolder
from pdenet.discovery.varying.equation import FieldCoefficient, SourceCurve, VaryingEquation
from pdenet.field_estimator import FieldPDENet
from pdenet.field_plots import fields_figure
from pdenet.fields.field import Field
from pdenet.learned.record import FILE, METRICS

ARRAYS = "fields.npz"


def summary(model: FieldPDENet, field: Field) -> dict[str, Any]:
    """The machine-readable result; the arrays are in fields.npz."""
    return {
        "equations": [_equation(equation) for equation in model.equations_],
        "noise": model.noise_,
        "library": {"order": model.discovery_.order, "degree": 1},
        "varying": model.varying,
        "source": model.source,
        "known": model.known,
        "seconds": model.seconds_,
        "dt": field.dt,
        "dx": list(field.dx),
    }


def _equation(equation: VaryingEquation) -> dict[str, Any]:
    return {
        "lhs": f"{equation.variable}_t",
        "text": equation.to_text(),
        "unexplained": equation.unexplained,
        "terms": [_coefficient(entry) for entry in equation.coefficients],
        "source": None if equation.source is None else _curve(equation.source),
    }


def _coefficient(entry: FieldCoefficient) -> dict[str, Any]:
    document: dict[str, Any] = {"term": str(entry.term), "axes": list(entry.axes), "relative_size": entry.share}
    if not entry.axes:
        return document | {"coef": float(entry.values), "error": float(entry.errors)}
    return document | {"mean": float(entry.values.mean()), "relative_band": entry.band, "formula": _formula(entry)}


def _curve(source: SourceCurve) -> dict[str, Any]:
    span = [float(source.at[0]), float(source.at[-1])]
    return {"variable": source.variable, "range": span, "relative_band": source.band, "formula": _formula(source)}


def _formula(entry: FieldCoefficient | SourceCurve) -> str | None:
    return entry.words(6, whole=True) if entry.closed else None


def result_lines(model: FieldPDENet, field: Field) -> list[str]:
    """What a reader wants to know beside the equations: a table of the coefficients of each."""
    lines = ["noise: " + ", ".join(f"{name} {level:.2g}" for name, level in model.noise_.items())]
    for equation in model.equations_:
        lines.append("term      varies along  relative size  band      coefficient")
        for entry in equation.coefficients:
            along = ",".join(sorted(entry.axes)) or "-"
            lines.append(f"{entry.term!s:8}  {along:12}  {entry.share:13.3g}  {_band(entry):8}  {_words(entry)}")
        if equation.source is not None:
            lines.append(f"f({equation.source.variable}): {_words(equation.source)}, band {_band(equation.source)}")
        left = 100.0 * max(equation.unexplained, 0.0)
        lines.append(
            f"{equation.variable}_t: {left:.2g} % of its mean square unexplained beyond noise, on data left out"
        )
    return lines


def _band(entry: FieldCoefficient | SourceCurve) -> str:
    return f"{100 * entry.band:.2g} %"


def _words(entry: FieldCoefficient | SourceCurve) -> str:
    if entry.closed:
        return entry.words(4, whole=False)
    return f"from {entry.values.min():.4g} to {entry.values.max():.4g}, in {ARRAYS}"


def arrays(model: FieldPDENet) -> dict[str, Float64[np.ndarray, "*shape"]]:
    """Values, standard errors and coordinates of every coefficient and curve, by names such as `u_t.u_xx.values`."""
    found: dict[str, Float64[np.ndarray, "*shape"]] = {}
    for equation in model.equations_:
        for entry in equation.coefficients:
            start = f"{equation.variable}_t.{entry.term}"
            found |= {f"{start}.values": np.asarray(entry.values), f"{start}.errors": np.asarray(entry.errors)}
            found |= {f"{start}.{axis}": at for axis, at in entry.coordinates.items()}
        if equation.source is not None:
            curve, start = equation.source, f"{equation.variable}_t.f"
            found |= {f"{start}.at": curve.at, f"{start}.values": curve.values, f"{start}.errors": curve.errors}
    return found


def write_report(run: RunFolder, model: FieldPDENet, field: Field) -> None:
    """Write metrics.json, equation.json, .txt and .full.txt, fields.npz and report.png into the run folder."""
    run.write_json(METRICS, summary(model, field))
    run.write_json(FILE, model.learned_.as_dict())
    run.write_text("equation.txt", model.equation_ + "\n")
    run.write_text("equation.full.txt", model.full_equation_ + "\n")
    np.savez_compressed(run.work / ARRAYS, **arrays(model))
    fields_figure(model.equations_).savefig(run.work / "report.png", dpi=110)
