"""The coefficients that are printed: the chosen terms fitted to all data, sharpened by shooting where that helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import block_diag

from backbone.errors import Diverged
from pdenet.discovery.collocation import Collocation
from pdenet.discovery.finer import finer
from pdenet.discovery.groups import Groups
from pdenet.discovery.half_spectrum import FourierAxis
from pdenet.discovery.ladder import Rung
from pdenet.discovery.normal_equations import NormalEquations, assemble
from pdenet.discovery.refine import refine
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.select import fit_support
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field


@dataclass(frozen=True)
class Fit:
    """Equations with standard errors, and the covariance of all coefficients, those of the first equation first."""

    equations: tuple[Equation, ...]
    covariance: Float64[np.ndarray, "coefficient coefficient_"]


def fit_terms(
    equations: NormalEquations, name: str, support: Sequence[Term]
) -> tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]]:
    """The equation of some terms with standard errors, and the covariance of its coefficients."""
    if not support:
        return Equation.of(name, (), ()), np.zeros((0, 0))
    coefficients, covariance = fit_support(equations.restrict(support), name)
    errors = np.sqrt(np.diag(covariance))
    return Equation.of(name, support, coefficients.tolist(), errors.tolist()), covariance


def refit(data: Field, found: Mapping[str, Rung], restrictions: Restrictions, device: torch.device) -> Fit:
    """The chosen terms of every variable fitted to all data; fixed coefficients stay, without an error."""
    fits = [_refit_one(data, name, found[name], restrictions, device) for name in data.evolved]
    return Fit(tuple(equation for equation, _ in fits), block_diag(*(block for _, block in fits)))


def _refit_one(
    data: Field, name: str, rung: Rung, restrictions: Restrictions, device: torch.device
) -> tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]]:
    fixed = restrictions.fixed.get(name, {})
    n_free, n_all = len(rung.support), len(rung.support) + len(fixed)
    covariance = np.zeros((n_all, n_all))
    free = Equation.of(name, (), ())
    if rung.support:

        def fitted(collocation: Collocation) -> tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]]:
            terms = (*rung.support, *fixed)
            groups = Groups.of(data, collocation, len(terms) + len(data.state_names))
            equations = assemble(data, terms, collocation, groups, device=device)
            return fit_terms(equations.less(name, fixed), name, rung.support)

        free, covariance[:n_free, :n_free] = widened(
            fitted(rung.collocation), fitted(finer(rung.collocation, data.n_times))
        )
    whole = restrictions.completed(free)
    order = sorted(range(n_all), key=lambda k: (whole.terms[k].order, str(whole.terms[k])))
    ordered = (tuple(row[k] for k in order) for row in (whole.terms, whole.coefficients, whole.errors))
    return Equation(whole.lhs, *ordered), covariance[np.ix_(order, order)]


def widened(
    fit: tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]],
    finer_fit: tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]],
) -> tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]]:
    """The fit with the error of its discretisation: what a finer one changes, beyond the errors of both.

    Residuals do not tell it, since it is the same in all blocks of data.
    """
    (equation, covariance), (other, other_covariance) = fit, finer_fit
    change = np.subtract(other.coefficients, equation.coefficients)
    beyond = np.maximum(change**2 - np.diag(covariance) - np.diag(other_covariance), 0.0)
    covariance = covariance + np.outer(*[np.sign(change) * np.sqrt(beyond)] * 2)
    return replace(equation, errors=tuple(np.sqrt(np.diag(covariance)).tolist())), covariance


def sharpen(
    train: Field, fit: Fit, axes: Sequence[FourierAxis], restrictions: Restrictions, device: torch.device
) -> Fit | None:
    """The fit sharpened by shooting through the data; None if that is no sharper, or the shots go astray."""
    free = [term not in restrictions.fixed.get(eq.variable, {}) for eq in fit.equations for term in eq.terms]
    if not any(free):
        return None
    try:
        shot = Fit(*refine(train, fit.equations, axes, np.array(free), device=device))
    except (Diverged, torch.linalg.LinAlgError):
        return None
    before, after = (np.sqrt(np.diag(one.covariance)[free]) for one in (fit, shot))
    return shot if np.log(after).sum() < np.log(before).sum() else None
