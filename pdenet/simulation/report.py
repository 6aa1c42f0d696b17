"""What a simulation says about itself: lines for people, a document for programs, a recipe inside the file."""

from __future__ import annotations

from typing import Any

from pdenet.simulation.experiment import Simulation
from pdenet.simulation.plan import Plan


def recipe(plan: Plan) -> dict[str, str]:
    """Everything that makes the same data again."""
    parameters = ", ".join(f"{name}={value!r}" for name, value in plan.parameters.items())
    return {
        "equation": plan.row.text,
        "parameters": parameters,
        "solver": plan.row.solver,
        "length": "x".join(map(repr, plan.lengths[::-1])),
        "burn_in": repr(plan.burn_in),
        "initial": plan.initial,
        "noise": repr(plan.noise),
        "noise_def": plan.noise_def,
        "seed": str(plan.seed),
        "tolerance": repr(plan.tolerance),
    }


def summary(simulation: Simulation) -> dict[str, Any]:
    """The `--json` document, without the file."""
    plan, field = simulation.plan, simulation.field
    return {
        "equation": plan.row.text,
        "parameters": dict(plan.parameters),
        "variables": list(field.names),
        "dims": ["run", "time", *field.axes],
        "shape": [field.n_runs, field.n_times, *field.space_shape],
        "dt": field.dt,
        "dx": dict(zip(field.axes, field.dx, strict=True)),
        "scheme": simulation.scheme,
        "initial": plan.initial,
        "noise": plan.noise,
        "noise_def": plan.noise_def,
        "seed": plan.seed,
        "conserved": dict(simulation.conserved),
        "notes": list(simulation.notes),
    }


def summary_lines(simulation: Simulation) -> list[str]:
    """The same for people."""
    plan, field = simulation.plan, simulation.field
    lines = [f"equation: {line.strip()}" for line in plan.row.text.split(";")]
    if plan.parameters:
        lines.append("with " + ", ".join(f"{name} = {value:g}" for name, value in plan.parameters.items()))
    sizes = "x".join(map(str, field.space_shape[::-1]))
    runs = "1 run" if field.n_runs == 1 else f"{field.n_runs} runs"
    lines.append(f"data: {runs}, {field.n_times} snapshots every {field.dt:g}, grid {sizes}")
    lines.append(f"scheme: {simulation.scheme}")
    if plan.noise:
        of = "each run's first snapshot" if plan.noise_def == "sample" else "the whole set"
        lines.append(f"noise: {100 * plan.noise:g} % of the standard deviation of {of}")
    kept = ", ".join(f"{what} (to {drift:.0e})" for what, drift in simulation.conserved.items())
    lines += [f"conserved: {kept}"] if kept else []
    return lines + [f"note: {note}" for note in simulation.notes]
