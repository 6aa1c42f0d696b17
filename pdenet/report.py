"""What `learn` leaves behind: the equations in every format, the figures of merit and the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from backbone.errors import Diverged, UsageError
from backbone.runs import RunFolder
from pdenet.discovery.identifiability import Identifiability
from pdenet.discovery.pareto import Candidate
from pdenet.discovery.second_opinion import agreement
from pdenet.equations.complex_form import complex_equations
from pdenet.equations.equation import Equation
from pdenet.equations.printing import format_equations, shortened
from pdenet.equations.terms import rate
from pdenet.estimator import PDENet
from pdenet.fields.field import Field
from pdenet.fields.memory import in_words
from pdenet.learned.record import FILE, METRICS
from pdenet.network.stages import StageResult
from pdenet.plots import Comparison, report_figure

MAX_CHARACTERS = 90  # of an equation in the table
FORMS = (
    ("text", "equation.txt"),
    ("unicode", "equation.unicode.txt"),
    ("latex", "equation.tex"),
    ("python", "equation.py"),
)


def summary(model: PDENet, field: Field) -> dict[str, Any]:
    """The machine-readable result: equations with full digits, noise, held-out error, Pareto table."""
    document: dict[str, Any] = {"equations": [equation.as_dict() for equation in model.equations_]}
    document |= {"complex": complex_equations(model.equations_, digits=None)}
    found = model.discovery_
    if found is not None:
        document |= {
            "noise": dict(found.noise),
            "heldout_error": _finite(found.heldout_error),
            "held_out": found.held_out,
            "library": {"order": found.order, "degree": found.degree},
            "measure": found.measure,
            "identifiability": {name: _identified(entry) for name, entry in found.identified.items()},
            "second_opinion": {
                equation.variable: _opinion(equation, found.opinions[equation.variable])
                for equation in found.equations
                if equation.variable in found.opinions
            },
            "likelihood": found.likelihood,
            "time_order": {"order": found.data.time_order, "why": found.time_order},
            "decided_by": looked_at(field, found.data),
            "doubts": [doubt.as_dict() for doubt in found.doubts],
            "pareto": {
                name: [
                    {
                        "n_terms": len(row.equation.terms),
                        "misfit": row.misfit,
                        "insample_error": _finite(row.insample_error),
                        "heldout_error": _finite(row.heldout_error),
                        "chosen": row.chosen,
                        "equation": row.equation.to_text(6),
                    }
                    for row in rows
                ]
                for name, rows in found.fronts.items()
            },
        }
    if model.paper_ is not None:
        document |= {"noise": None, "heldout_error": None, "blocks": model.blocks}
    return document | {"recipe": model.recipe, "seconds": model.seconds_, "dt": field.dt, "dx": list(field.dx)}


def _opinion(equation: Equation, other: Equation) -> dict[str, Any]:
    both = agreement(equation, other)
    return {
        "equation": other.as_dict(),
        "same_terms": both.same_terms,
        "largest_difference": _finite(both.share),
        "in_standard_errors": _finite(both.sigmas),
    }


def _identified(found: Identifiability) -> dict[str, Any]:
    closest = [
        {
            "term": str(rival.chosen),
            "rival": str(rival.term),
            "correlation": rival.correlation,
            "separation": rival.separation,
        }
        for rival in found.closest
    ]
    return {"condition": found.condition, "closest": closest}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def looked_at(field: Field, data: Field) -> str:
    """What the equations were decided by: all data, or stretches of those that are larger than memory."""
    if data.values is field.values:
        return "all data"
    n = field.n_runs * field.n_times
    return (
        f"{data.n_runs} stretches of {data.n_times} snapshots, of {n} in all ({in_words(data.values.nbytes)} of "
        f"{in_words(field.values.nbytes)})"
    )


def result_lines(model: PDENet, field: Field) -> list[str]:
    """What a reader wants to know beside the equations: noise, the candidates by size, the held-out error."""
    found = model.discovery_
    if found is None:
        return [f"{stage.name}: loss {stage.loss:.3g} after {stage.iterations} iterations" for stage in _stages(model)]
    lines = ["noise: " + ", ".join(f"{name} {level:.2g}" for name, level in found.noise.items())]
    lines.append(f"candidates by number of terms, with the relative error of their {found.measure} (*: chosen)")
    for name, rows in found.fronts.items():
        lines.append(f"terms  in-sample  held-out  equation of {rate(name)}")
        lines += [_table_line(row) for row in rows]
    lines += [_identified_line(name, entry) for name, entry in found.identified.items() if entry.closest]
    lines += [
        _opinion_line(equation, found.opinions[equation.variable])
        for equation in found.equations
        if equation.variable in found.opinions
    ]
    lines.append(f"likelihood: {found.likelihood}")
    lines += [f"order in time: {found.data.time_order} ({found.time_order})"] if found.time_order else []
    if found.data.values is not field.values:
        fitted = "" if found.by_likelihood else "; the coefficients were fitted to all"
        lines.append(f"larger than memory: decided by {looked_at(field, found.data)}{fitted}")
    lines.append(f"library up to order {found.order}, degree {found.degree}; held out: {found.held_out}")
    if np.isfinite(found.heldout_error):
        lines.append(f"held-out roll-out error: {found.heldout_error:.3g} of the spread of the data")
    if found.doubts:
        return lines
    lines += format_equations(model.equations_, "text", errors=True).splitlines()
    return lines + [f"joined: {text}" for text in complex_equations(model.equations_)]


def _identified_line(name: str, found: Identifiability) -> str:
    """How near to each other the chosen terms are, and the term that another could replace most easily."""
    nearest = min(found.closest, key=lambda rival: rival.separation)
    return (
        f"{rate(name)}: condition {found.condition:.3g} of the chosen terms; closest rival: {nearest.term} for "
        f"{nearest.chosen}, which stays {nearest.separation:.3g} standard errors from 0 beside it"
    )


def _opinion_line(equation: Equation, other: Equation) -> str:
    """What the weak form says, and how far it is from what was found."""
    both = agreement(equation, other)
    if not both.same_terms:
        verdict = "other terms: trust only what both have"
    elif not equation.terms:
        verdict = "the same"
    else:
        verdict = f"the same terms, coefficients within {100 * both.share:.2g} %"
    return f"second opinion, in weak form: {other.to_text()} ({verdict})"


def _table_line(row: Candidate) -> str:
    mark = "*" if row.chosen else " "
    held = "" if np.isnan(row.heldout_error) else f"{row.heldout_error:.3g}"
    text = shortened(row.equation.to_text(), MAX_CHARACTERS)
    return f"{mark} {len(row.equation.terms):3d}  {row.insample_error:9.3g}  {held:>8}  {text}"


def _stages(model: PDENet) -> tuple[StageResult, ...]:
    return model.paper_.stages if model.paper_ is not None else ()


def write_report(run: RunFolder, model: PDENet, field: Field) -> None:
    """Write metrics.json, report.png and, unless they are in doubt, equation.* into the run folder."""
    document = summary(model, field)
    run.write_json(METRICS, {key: value for key, value in document.items() if key != "equations"})
    found = model.discovery_
    if found is None or not found.doubts:
        run.write_json(FILE, model.learned_.as_dict())
        for form, name in FORMS:
            run.write_text(name, format_equations(model.equations_, form) + "\n")
    doubts = [f"cannot tell: {doubt.what}" for doubt in found.doubts] if found is not None else []
    figure = report_figure(
        model.equations_,
        doubts or format_equations(model.equations_, "text").splitlines(),
        fronts=found.fronts if found is not None else {},
        measure=found.measure if found is not None else "roll-out",
        comparison=_compare(model, model.sample_),
        error_over_time=found.error_over_time if found is not None else (),
        dt=field.dt,
        filters=model.paper_.moments if model.paper_ is not None and field.n_dims == 2 else {},
    )
    figure.savefig(run.work / "report.png", dpi=110)


def _compare(model: PDENet, field: Field) -> Comparison | None:
    """The last run, rolled out from its first snapshot (or a tenth of a long run) to the end of that stretch."""
    if "none" in field.boundary or field.known or not any(equation.terms for equation in model.equations_):
        return None
    last = min(field.n_times - 1, max(9, field.n_times // 10))
    run = field.select(runs=[field.n_runs - 1], times=slice(0, last + 1))
    try:
        forecast = model.roll_out(run)
    except (Diverged, UsageError):  # a wrong equation may blow up or be ill-posed: then there is nothing to compare
        return None
    plane = (0,) * (field.n_dims - 2) if field.n_dims == 3 else ()
    axes = list(zip(field.origin, field.lengths, strict=True))[-2:]
    x_start, x_length = axes[-1]
    y_start, y_length = axes[0]
    return Comparison(
        name=field.names[0],
        time=field.t0 + last * field.dt,
        measured=run.values[(0, last, 0, *plane)],
        predicted=forecast.values[(0, -1, 0, *plane)],
        extent=(x_start, x_start + x_length, y_start, y_start + y_length),
    )
