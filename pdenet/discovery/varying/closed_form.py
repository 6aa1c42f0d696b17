"""Formulas in place of fields and curves, where left-out data find nothing missing in them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from numpy.polynomial import legendre
from scipy.optimize import minimize_scalar

from pdenet.discovery.varying.columns import Curve
from pdenet.discovery.varying.crossvalidation import CrossValidation, inverse_of
from pdenet.discovery.varying.structure import worth

MOST_FUNCTIONS = 6  # of a formula of a field: more are no closed form
PRICE = 0.01  # share of what is unexplained that a formula of a field may cost
MOST_POWERS = 5  # of a polynomial source
N_WAVES = 240  # tried wave numbers of a source
NODES = 256  # of the quadrature by which a form becomes a polynomial

Values = Float64[np.ndarray, " point"]


@dataclass(frozen=True)
class Form:
    """sum_j parameter_j * part_j(u), the parts with a wave number or rate w if there is one.

    words: of each part, `{w}` standing for w.
    """

    words: tuple[str, ...]
    parts: tuple[Callable[[Values, float], Values], ...]
    has_rate: bool

    @property
    def n_numbers(self) -> int:
        """Numbers that are free."""
        return len(self.parts) + self.has_rate


@dataclass(frozen=True)
class FoundForm:
    """A form with its rate, and how the unknowns follow from its parameters and those of the terms."""

    form: Form
    rate: float
    unknowns: Float64[np.ndarray, "unknown parameter"]


def few_functions(cv: CrossValidation, few: int = MOST_FUNCTIONS) -> Bool[np.ndarray, " unknown"]:
    """The unknowns that are needed, if those of a term are few; all of them of every other term.

    The unknowns are ranked by how many standard errors they are from zero, and left out from the end for as long as
    left-out data do not mind.
    """
    design = cv.design
    whole = np.ones(design.n_unknowns, dtype=bool)
    inverse = inverse_of(cv.total.matrix)
    numbers = inverse @ cv.total.side
    ranked = np.argsort(-(numbers**2) / np.diag(inverse))
    reference = cv.errors(whole)

    def largest(n: int) -> Bool[np.ndarray, " unknown"]:
        kept = design.term == -1
        kept[ranked[:n]] = True
        return kept

    low, high = 0, design.n_unknowns  # the fewest that do lie above low and are at most high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if worth(cv.errors(largest(middle)), reference, PRICE) else (low, middle)
    kept = largest(high)
    for term in np.unique(design.term):
        own = design.term == term
        if np.count_nonzero(kept & own) > few:
            kept[own] = True
    return kept


def find_form(cv: CrossValidation, curve: Curve) -> FoundForm | None:
    """The form of the curve with fewest numbers in which left-out data find nothing missing."""
    design = cv.design
    own = design.term == -1
    inverse = inverse_of(cv.total.matrix)
    numbers = inverse @ cv.total.side
    weight = inverse_of(inverse[np.ix_(own, own)])
    reference = cv.errors(np.ones(design.n_unknowns, dtype=bool))
    fitting = _Fitting(curve, numbers[own], weight)
    fitted = [fitting.fit(form) for form in _forms()]
    best_first = sorted(fitted, key=lambda found: (found[1].n_numbers, found[0]))
    tried: dict[int, int] = {}
    for _, form, rate, columns in best_first:
        tried[form.n_numbers] = tried.get(form.n_numbers, 0) + 1
        if tried[form.n_numbers] > 2:  # the two nearest of each size
            continue
        unknowns = np.zeros((design.n_unknowns, int((~own).sum()) + len(form.parts)))
        unknowns[np.flatnonzero(~own), np.arange(int((~own).sum()))] = 1.0
        unknowns[own, int((~own).sum()) :] = columns
        if not worth(cv.errors_of(unknowns), reference):
            return FoundForm(form, rate, unknowns)
    return None


def _forms() -> Iterator[Form]:
    powers: list[tuple[str, Callable[[Values, float], Values]]] = [("", lambda u, w: np.ones_like(u))]
    powers += [("{u}" if n == 1 else f"{{u}}**{n}", lambda u, w, n=n: u**n) for n in range(1, MOST_POWERS + 1)]
    sine = ("sin({w}*{u})", lambda u, w: np.sin(w * u))
    cosine = ("cos({w}*{u})", lambda u, w: np.cos(w * u))
    growth = ("exp({w}*{u})", lambda u, w: np.exp(w * u))
    step = ("tanh({w}*{u})", lambda u, w: np.tanh(w * u))
    for n in range(4):
        for chosen in itertools.combinations(powers, n):
            yield _form(chosen, has_rate=False)
    for lead in ((sine,), (cosine,), (sine, cosine), (growth,), (step,)):
        for extra in ((), (powers[0],), (powers[1],)):
            yield _form((*extra, *lead), has_rate=True)


def _form(entries: tuple[tuple[str, Callable[[Values, float], Values]], ...], *, has_rate: bool) -> Form:
    return Form(tuple(words for words, _ in entries), tuple(part for _, part in entries), has_rate)


class _Fitting:
    """Forms in the metric of a curve's numbers: `weight` is the inverse of their covariance, up to a factor."""

    def __init__(self, curve: Curve, numbers: Values, weight: Float64[np.ndarray, "unknown unknown_"]) -> None:
        self._half = np.linalg.cholesky(weight + 1e-12 * np.diag(np.diag(weight))).T
        self._numbers, self._span = self._half @ numbers, curve.high - curve.low
        nodes, weights = legendre.leggauss(NODES)
        degree = len(numbers) - 1
        basis = legendre.legvander(nodes, degree) * np.sqrt(2.0 * np.arange(degree + 1) + 1.0)
        self._at = curve.low + (nodes + 1.0) / 2.0 * self._span
        self._project = (basis * weights[:, None]).T / 2.0
        self._rates = np.geomspace(0.5, 2.0 * max(degree, 1), N_WAVES) / self._span

    def fit(self, form: Form) -> tuple[float, Form, float, Float64[np.ndarray, "unknown part"]]:
        """Misfit of a form, with its best rate and its parts as numbers of the curve's polynomials."""
        rate = 0.0
        if form.has_rate:
            sizes = [self._misfit(form, rate) for rate in self._rates.tolist()]
            k = int(np.clip(np.argmin(sizes), 1, N_WAVES - 2))
            bounds = (self._rates[k - 1], self._rates[k + 1])
            rate = float(minimize_scalar(lambda w: self._misfit(form, float(w)), bounds=bounds, method="bounded").x)
        return self._misfit(form, rate), form, rate, self._columns(form, rate)

    def _columns(self, form: Form, rate: float) -> Float64[np.ndarray, "unknown part"]:
        values = [part(self._at, rate) for part in form.parts]
        return self._project @ np.array(values).reshape(len(values), NODES).T

    def _misfit(self, form: Form, rate: float) -> float:
        rows = self._half @ self._columns(form, rate)
        best = np.linalg.lstsq(rows, self._numbers, rcond=None)[0] if form.parts else np.zeros(0)
        return float(np.sum((self._numbers - rows @ best) ** 2))
