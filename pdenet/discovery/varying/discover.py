"""From data to equations with fields for coefficients: gather moments, find the structure, fit, say how sure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.discovery.collocation import Axis, PeriodicAxis
from pdenet.discovery.resolution import choose_collocation
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.varying.basis import AxisBasis, FourierBasis, LegendreBasis
from pdenet.discovery.varying.closed_form import few_functions, find_form
from pdenet.discovery.varying.columns import Columns, Curve
from pdenet.discovery.varying.equation import VaryingEquation
from pdenet.discovery.varying.fit import Fit
from pdenet.discovery.varying.moments import Gathering, Moments
from pdenet.discovery.varying.options import Varying
from pdenet.discovery.varying.structure import LADDER, NUMERICAL, Scored, Search
from pdenet.discovery.varying.weak_time import WeakWindow, choose_window
from pdenet.equations.library import candidate_terms
from pdenet.equations.terms import Factor, Term
from pdenet.fields.field import Field
from pdenet.fields.noise import noise_by_run

FIRST_ORDER, LAST_ORDER = 2, 4  # of the libraries that are tried unless a bound is given
HALF = 0.5  # a larger library must leave less than this share of what a smaller one leaves
MAX_TIME_LEVEL = 11
WIDER = 1.25  # times the resolved wave numbers: fields within their bands on PDE-Net's data, and not at 1 or 1.7


@dataclass(frozen=True)
class VaryingDiscovery:
    """The equations found, and what they were found from. noise: standard deviation by variable. window: snapshots of
    a test function. order: of the library."""

    equations: tuple[VaryingEquation, ...]
    noise: Mapping[str, float]
    window: WeakWindow
    order: int


@dataclass(frozen=True)
class _Task:
    """What all libraries on the same data share."""

    field: Field
    noise: Float64[np.ndarray, "run channel"]
    options: Varying
    restrictions: Restrictions
    seed: int
    device: torch.device
    progress: Callable[[str], None]


@dataclass(frozen=True)
class _Library:
    """One library on the data."""

    terms: tuple[Term, ...]
    columns: Columns
    axes: tuple[Axis, ...]
    functions: WeakWindow
    moments: Moments
    order: int


def discover_varying(
    field: Field,
    options: Varying,
    *,
    order: int | None = None,
    restrictions: Restrictions | None = None,
    seed: int = 0,
    device: torch.device,
    progress: Callable[[str], None] = lambda text: None,
) -> VaryingDiscovery:
    """Find the equation of every variable that is not a known input, with coefficients that vary along options.axes.

    The candidates are linear, every variable with every derivative up to the order, unless restrictions name others.
    Points near gaps and walls are left out. Raises InputError for too few snapshots or too little data.
    """
    if field.has_gaps:
        field = replace(field, boundary=("none",) * field.n_dims)
    progress("estimating the noise")
    restrictions = restrictions or Restrictions()
    task = _Task(field, noise_by_run(field), options, restrictions, seed, device, progress)
    library = _gather(task, order or FIRST_ORDER)
    targets = library.columns.targets
    if order is None and not restrictions.name_all(targets):
        library = _climb(task, library)
    return VaryingDiscovery(
        equations=tuple(_equation(task, library, name) for name in targets),
        noise=dict(zip(field.names, np.sqrt(np.mean(task.noise**2, axis=0)).tolist(), strict=True)),
        window=library.functions,
        order=library.order,
    )


def _gather(task: _Task, order: int) -> _Library:
    """Library and moments up to an order."""
    field, options = task.field, task.options
    targets = [name for name in field.names if name not in options.known]
    general = candidate_terms(field.names, field.axes, order=order, degree=1)
    if options.source is not None:  # constants and multiples of u belong to f(u)
        general = tuple(term for term in general if term not in (Term(), Term.product([Factor(options.source)])))
    terms = task.restrictions.library(targets, () if task.restrictions.name_all(targets) else general)
    highest = max((term.order for term in terms), default=0)
    axes = _widened(choose_collocation(field, task.noise, max_order=highest, degree=1).axes)
    functions = choose_window(field, task.noise, axes)
    columns = Columns(field, terms, _curve(field, options.source), targets, axes, task.device)
    moments = Gathering(field, columns, functions, options.axes, task.device).gather(
        task.noise, generator=np.random.default_rng(task.seed), progress=task.progress
    )
    if len(moments.rows) < 2:
        raise InputError(
            "one stretch of one run: there is nothing to leave out, so smoothness cannot be chosen",
            where=field.source,
            cure="add runs, or save more snapshots",
        )
    return _Library(terms, columns, axes, functions, moments, highest)


def _widened(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes with a few waves beyond those that are resolved: fields in front of derivatives couple both."""
    return tuple(
        replace(axis, cutoff=min(math.ceil(WIDER * axis.cutoff), (axis.n_points - 1) // 2))
        if isinstance(axis, PeriodicAxis)
        else axis
        for axis in axes
    )


def _climb(task: _Task, library: _Library) -> _Library:
    """The library of the order that leaves less than half of what lower ones leave, if there is one."""

    def left(rich: _Library) -> float:
        return sum(_start(task, rich, name)[1].mean for name in rich.columns.targets)

    lowest = left(library)
    for order in range(FIRST_ORDER + 1, LAST_ORDER + 1):
        richer = _gather(task, order)
        remains = left(richer)
        if remains < HALF * lowest and lowest - remains > NUMERICAL:
            library, lowest = richer, remains
    return library


def _start(task: _Task, library: _Library, name: str) -> tuple[Search, Scored]:
    """The search for one equation, blocks weighted by their residuals, and all its candidates at a common level."""
    target = library.columns.target(name)
    slopes = np.einsum("bp->b", library.moments.raw[:, target, target]) / library.moments.rows
    moments = library.moments.weighted(1.0 / np.maximum(slopes, 1e-300))
    bases, limits = _bases(task.field, library, task.options.axes)
    allowed = task.restrictions.allowed(name, library.terms)
    candidates = [k for k, term in enumerate(library.terms) if term in allowed]
    search = Search(moments, target, bases, limits, len(library.terms), progress=task.progress)
    return search, search.common_level(candidates, with_curve=library.columns.curve is not None)


def _equation(task: _Task, library: _Library, name: str) -> VaryingEquation:
    """Structure, numbers, formulas and bands of one equation."""
    search, start = _start(task, library, name)
    found = search.smooth(search.simplify(start))
    found = search.simplify(search.extend(found, list(start.structure.terms)))
    cv = search.crossvalidation(found.structure)
    form = find_form(cv, library.columns.curve) if library.columns.curve is not None else None
    kept = few_functions(cv)
    return Fit(search, cv, kept, form, library.terms, library.columns.curve).equation(name, task.field, found.mean)


def _bases(field: Field, library: _Library, axes: Sequence[str]) -> tuple[tuple[AxisBasis, ...], tuple[int, ...]]:
    """Functions of every varying axis, and the highest level that its points can hold."""
    bases: list[AxisBasis] = []
    limits: list[int] = []
    operators = dict(zip(field.axes, library.axes, strict=True))
    for axis, at in library.moments.coordinates.items():
        operator = operators.get(axis)
        if isinstance(operator, PeriodicAxis):
            bases.append(FourierBasis(axis, 0.0, operator.length))
            limits.append(min((operator.n_points - 1) // 3, LADDER[-1]))
        else:
            bases.append(LegendreBasis(axis, float(at.min()), max(float(np.ptp(at)), 1e-300)))
            limits.append(min(max(len(at) // 3, 0), LADDER[-1] if axis != "t" else MAX_TIME_LEVEL))
    return tuple(bases), tuple(limits)


def _curve(field: Field, source: str | None) -> Curve | None:
    """The curve over the range of its variable."""
    if source is None:
        return None
    values = field.values[:, :, field.names.index(source)]
    return Curve(source, float(np.nanmin(values)), float(np.nanmax(values)), LADDER[-1])
