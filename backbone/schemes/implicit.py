"""Implicit schemes: stable on stiff fields, at the price of an equation to solve in every step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Inexact
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.errors import UntrustedResult, UsageError
from backbone.schemes.krylov import gmres, newton, transposed_product
from backbone.schemes.scheme import Memory, Scheme


class ImplicitTrapezoid(Scheme):
    """The trapezoidal rule, A-stable: y1 = y0 + h/2 (f(t0, y0) + f(t1, y1)). Order 2, symmetric.

    tolerance: of `solve_implicit`, which says how it is solved and differentiated.
    """

    order = 2

    def __init__(self, tolerance: float = 1e-12) -> None:
        super().__init__()
        self.tolerance = _between_0_and_1(tolerance, "ImplicitTrapezoid")

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        h = t1 - t0
        known = y + h / 2 * f(t0, y)
        return solve_implicit(f, known, h / 2, t1, y, memory.after(1), self)

    def back(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        return self.step(f, t1, t0, y, memory)


class BackwardEuler(Scheme):
    """Backward Euler, L-stable: y1 = y0 + h f(t1, y1). Order 1.

    Its inverse is an explicit step, which undoes the damping: rounding grows as |1 - h lambda| a step.
    """

    order = 1

    def __init__(self, tolerance: float = 1e-12) -> None:
        super().__init__()
        self.tolerance = _between_0_and_1(tolerance, "BackwardEuler")

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        return solve_implicit(f, y, t1 - t0, t1, y, memory, self)

    def back(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        return y - (t1 - t0) * f(t1, y), memory.after(1)


def solve_implicit(
    f: VectorField,
    known: Tensor,
    h: float,
    t1: float,
    guess: Tensor,
    memory: Memory,
    scheme: ImplicitTrapezoid | BackwardEuler,
) -> tuple[Tensor, Memory]:
    """The y1 with y1 = known + h f(t1, y1), and the memory with its evaluations.

    Solved by Newton-Krylov until a correction is below the scheme's tolerance of |y1| (never below ten rounding
    units). Differentiable by the implicit function theorem: one transposed Krylov solve backwards, the Newton steps are
    not recorded. First derivatives only. Raises UntrustedResult where Newton's method does not converge.
    """
    tolerance = max(scheme.tolerance, 10 * torch.finfo(known.dtype).eps)

    def residual(y1: Tensor) -> Tensor:
        return y1 - h * f(t1, y1) - known

    with torch.no_grad():
        root = newton(residual, guess, tolerance=tolerance)
    if root.error > max(tolerance, torch.finfo(known.dtype).eps ** 0.5):
        raise UntrustedResult(
            f"Newton's method has not converged on the step to t={t1:g}: "
            f"its last correction is {root.error:.1e} of the state",
            where=type(scheme).__name__,
            cure="take smaller steps",
        )
    memory = memory.after(root.n_residuals + root.n_products)
    if not torch.is_grad_enabled():
        return root.y, memory
    return _attach(root.y, residual), memory.after(1)


def _between_0_and_1(tolerance: float, name: str) -> float:
    if not 0.0 < tolerance < 1.0:
        raise UsageError(f"tolerance must lie between 0 and 1, got {tolerance}", where=name, cure="tolerance=1e-8")
    return tolerance


def _attach(y1: Tensor, residual: Callable[[Tensor], Tensor]) -> Tensor:
    """y1 with the derivative that residual(y1; theta, y0) = 0 gives it: dy1 = -J^-1 dg, J = dg/dy1.

    The value is y1 to the bit; backwards, J^T v = gradient is solved by GMRES.
    """
    g = residual(y1)
    if not g.requires_grad:
        return y1

    def solve_transposed(gradient: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            raise UsageError(
                "second derivatives through an implicit step are not there",
                where="solve_implicit",
                cure="use create_graph=False, or an explicit scheme",
            )
        return gmres(transposed_product(residual, y1), gradient, tolerance=100 * torch.finfo(y1.dtype).eps)[0]

    g.register_hook(solve_transposed)  # type: ignore[no-untyped-call]
    return y1 - (g - g.detach())
