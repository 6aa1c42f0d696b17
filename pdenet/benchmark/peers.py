"""PySINDy on the same data: its weak form at its best, with settings chosen by the answer, and its defaults.

Best: WeakPDELibrary with derivatives of order 6 (its own order 2 leaves false terms of size dx^2), and the best of 160
STLSQ settings, chosen with the truth at hand. That flatters the peer: a user has no truth to choose by.
Default: PDELibrary (strong form, finite differences of order 2) and STLSQ() as they come.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import string
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.benchmark.cases import Row, Weak
from pdenet.benchmark.score import score
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Factor, Term
from pdenet.fields.field import Field

# By whether columns are normalized; close together, because at 5 % noise few of them give the true terms.
THRESHOLDS = {
    False: np.geomspace(1e-3, 0.7, 40),
    True: np.geomspace(1e-4, 10.0, 40),
}
RIDGES = (1e-5, 1e-12)
ORDER_6 = {"order": 6, "periodic": True, "is_uniform": True}
_FACTOR = re.compile(r"(?P<variable>[a-z])(?:_(?P<axes>\d+))?(?:\^(?P<power>\d+))?")


@dataclass(frozen=True)
class Fit:
    """Equations and, in words, the setting that gave them."""

    equations: tuple[Equation, ...]
    setting: str


def check_peers() -> None:
    """InputError if PySINDy is not installed."""
    if importlib.util.find_spec("pysindy") is None:
        raise InputError(
            "needs the 'bench' extra", where="pysindy", cure="pip install 'pdenet-durr[bench]', or add --no-peers"
        )


def fit_best(row: Row, field: Field) -> Fit:
    """The weak form of order 6 with the STLSQ setting that comes closest to the truth."""
    import pysindy as ps

    theta, rate, names = weak_system(_library(row), field)
    fits = []
    for normalize, ridge in itertools.product((False, True), RIDGES):
        for threshold in THRESHOLDS[normalize]:
            optimizer = ps.STLSQ(threshold=threshold, alpha=ridge, normalize_columns=normalize)
            setting = f"threshold {threshold:g}, alpha {ridge:g}" + (", normalized" if normalize else "")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of every threshold that deletes all terms
                optimizer.fit(theta, rate)
            fits.append(Fit(equations(optimizer.coef_, names, field), setting))
    return min(fits, key=lambda fit: _distance(row, fit))


def fit_default(row: Row, field: Field) -> Fit:
    """The strong form with STLSQ(), both as they come."""
    import pysindy as ps

    axes, weak = _grid_axes(field), _library(row)
    library = ps.PDELibrary(
        function_library=ps.PolynomialLibrary(degree=weak.degree, include_bias=False),
        derivative_order=weak.order,
        spatial_grid=_mesh(axes[:-1]),
        include_interaction=weak.interaction,
    )
    model = ps.SINDy(optimizer=ps.STLSQ(), feature_library=library)
    model.fit(_trajectories(field), t=field.dt, feature_names=_letters(field))
    names = library.get_feature_names(_letters(field))
    return Fit(equations(model.coefficients(), names, field), "STLSQ()")


def _library(row: Row) -> Weak:
    """What the row says of PySINDy's library; ValueError for a row on which it is not run."""
    if row.weak is None:
        raise ValueError(f"{row.name}: PySINDy is not run on it")
    return row.weak


def weak_system(
    weak: Weak, field: Field
) -> tuple[Float64[np.ndarray, "row term"], Float64[np.ndarray, "row channel"], list[str]]:
    """The integrals of the candidate terms and of the time derivative over random domains, and the terms' names."""
    import pysindy as ps
    from pysindy.utils import AxesArray, comprehend_axes

    np.random.seed(0)  # its domains come from numpy's global generator; this process has no other use of it
    axes = _grid_axes(field)
    axes[-1] = axes[-1][:: weak.every]
    extents = [weak.width * (axis[-1] - axis[0]) for axis in axes[:-1]]
    library = ps.WeakPDELibrary(
        function_library=ps.PolynomialLibrary(degree=weak.degree, include_bias=False),
        derivative_order=weak.order,
        spatiotemporal_grid=_mesh(axes),
        include_interaction=weak.interaction,
        K=weak.domains,
        H_xt=[*extents, weak.duration * (axes[-1][-1] - axes[-1][0])],
        p=weak.power,
        diff_kwargs=ORDER_6,
    )
    runs = [AxesArray(run[..., :: weak.every, :], comprehend_axes(run)) for run in _trajectories(field)]
    theta = np.concatenate([np.asarray(integrals) for integrals in library.fit_transform(runs)])
    rate = np.concatenate([np.asarray(library.convert_u_dot_integral(run)) for run in runs])
    return theta, rate, library.get_feature_names(_letters(field))


def equations(
    coefficients: Float64[np.ndarray, "channel term"], names: Sequence[str], field: Field
) -> tuple[Equation, ...]:
    """The terms with a coefficient, in this project's notation."""
    variables = dict(zip(_letters(field), field.names, strict=True))
    terms = [term(name, field.axes[::-1], variables) for name in names]
    found = []
    for variable, row in zip(field.names, coefficients, strict=True):
        kept = [(one, float(value)) for one, value in zip(terms, row, strict=True) if value != 0]
        found.append(Equation(f"{variable}_t", tuple(one for one, _ in kept), tuple(value for _, value in kept)))
    return tuple(found)


def _letters(field: Field) -> list[str]:
    """One for each variable: features stand side by side without a sign, so longer names could not be told apart."""
    return list(string.ascii_lowercase[: len(field.names)])


def term(name: str, axes: Sequence[str], variables: Mapping[str, str]) -> Term:
    """A feature's name as a term: `a^2b_12` is u**2*v_xy; digits count the axes, from 1. variables: by letter."""
    text = name.replace(" ", "")
    matches = list(_FACTOR.finditer(text))
    if "".join(match[0] for match in matches) != text:
        raise ValueError(f"cannot read the feature '{name}'")
    factors: list[Factor] = []
    for match in matches:
        derivative = "".join(axes[int(digit) - 1] for digit in match["axes"] or "")
        factors += [Factor(variables[match["variable"]], derivative)] * int(match["power"] or 1)
    return Term.product(factors)


def _distance(row: Row, fit: Fit) -> tuple[int, float]:
    """Wrong terms first, mean error next."""
    result = score(row.equations, fit.equations)
    return result.true - result.found + result.false, result.mean_error


def _grid_axes(field: Field) -> list[Float64[np.ndarray, " point"]]:
    """Coordinates in PySINDy's order: x, y, z, time."""
    coordinates = field.coordinates()
    return [*(coordinates[axis] for axis in field.axes[::-1]), field.times()]


def _mesh(axes: Sequence[Float64[np.ndarray, " point"]]) -> Any:
    """Coordinates of every grid point, the last axis counting them; one axis alone stays a line."""
    return axes[0] if len(axes) == 1 else np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _trajectories(field: Field) -> list[Float64[np.ndarray, "*space time channel"]]:
    """Each run with its axes in PySINDy's order: x, y, z, time, channel."""
    return [np.ascontiguousarray(run.transpose(*range(run.ndim - 1, 1, -1), 0, 1)) for run in field.values]
