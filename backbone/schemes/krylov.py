"""Matrix-free Newton-Krylov: solves g(y) = 0 with nothing but products of the Jacobian with vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

FORCING = 1e-6  # each linear solve to 6 digits: a linear problem is done in two corrections
MAX_NEWTON = 30
MAX_KRYLOV = 200

Vector = Inexact[Tensor, " batch *state"]


@dataclass(frozen=True, eq=False)
class Root:
    """y: the root found. error: size of the last correction relative to y. n_products: Jacobian products taken."""

    y: Tensor
    error: float
    n_residuals: int
    n_products: int


def gmres(
    product: Callable[[Vector], Vector], b: Vector, *, tolerance: float = FORCING, max_iterations: int = MAX_KRYLOV
) -> tuple[Vector, int]:
    """The x with product(x) = b up to `tolerance` times |b|, and the number of products taken.

    product is linear over the reals, so that complex states are solved as pairs of reals (a spectral field need not
    be holomorphic). GMRES without restart, twice-iterated Gram-Schmidt: Saad, Iterative Methods for Sparse Linear
    Systems, 2nd ed., algorithm 6.9.
    """
    beta = float(torch.linalg.vector_norm(b))
    if beta == 0.0:
        return torch.zeros_like(b), 0
    basis = [_as_real(b) / beta]
    system = Triangle(beta)
    for k in range(max_iterations):
        w = _as_real(product(_like(basis[k], b)))
        V = torch.stack(basis)
        first = V @ w
        w = w - first @ V
        second = V @ w
        w = w - second @ V
        rest = float(torch.linalg.vector_norm(w))
        residual = system.add([*(first + second).tolist(), rest])
        if residual <= tolerance * beta or not rest > 0.0:
            break
        basis.append(w / rest)
    weights = torch.tensor(system.solve(), dtype=V.dtype, device=V.device)
    return _like(weights @ V, b), len(V)


class Triangle:
    """The least-squares problem |beta e_1 - H w| of GMRES, kept triangular by Givens rotations: Saad, section 6.5.3.

    Plain floats, not LAPACK, whose last bits depend on where the memory lies: equal steps must give equal bits.
    """

    def __init__(self, beta: float) -> None:
        self.columns: list[list[float]] = []
        self.rotations: list[tuple[float, float]] = []
        self.target = [beta]

    def add(self, column: list[float]) -> float:
        """Add a column of the Hessenberg matrix H, one entry longer than the last; gives the new least value."""
        for i, (c, s) in enumerate(self.rotations):
            column[i], column[i + 1] = c * column[i] + s * column[i + 1], c * column[i + 1] - s * column[i]
        sub = column.pop()
        size = math.hypot(column[-1], sub)
        c, s = (column[-1] / size, sub / size) if size > 0.0 else (1.0, 0.0)
        column[-1] = size
        self.columns.append(column)
        self.rotations.append((c, s))
        last = self.target.pop()
        self.target += [c * last, -s * last]
        return abs(self.target[-1])

    def solve(self) -> list[float]:
        """The minimiser w by back substitution; a direction that a singular H does not see gets weight 0."""
        weights = self.target[:-1]
        for j in reversed(range(len(weights))):
            column = self.columns[j]
            weights[j] = weights[j] / column[j] if column[j] > 0.0 else 0.0
            for i in range(j):
                weights[i] -= column[i] * weights[j]
        return weights


def newton(residual: Callable[[Vector], Vector], y: Vector, *, tolerance: float) -> Root:
    """A root of `residual` from the guess y, by inexact Newton steps.

    Ends once a correction is below `tolerance` of |y|, or below the root of the rounding unit and no longer halving
    (the floor that rounding sets for a stiff residual). Root.error says where it ended; the caller judges.
    """
    floor = torch.finfo(y.dtype).eps ** 0.5
    error, n_products, n_residuals = float("inf"), 0, 0
    for _ in range(MAX_NEWTON):
        g, product = _linearise(residual, y)
        n_residuals += 1
        if not bool(torch.isfinite(g).all()):
            return Root(g, float("nan"), n_residuals, n_products)
        correction, taken = gmres(product, -g)
        y, n_products = y + correction, n_products + taken
        last, error = error, _relative(correction, y)
        if error <= tolerance or (error <= floor and error > last / 2):
            break
    return Root(y, error, n_residuals, n_products)


@contextmanager
def _own_tape() -> Iterator[None]:
    """Record for products here, and keep the tensors themselves: a checkpoint around would run its steps for each."""
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(lambda kept: kept, lambda kept: kept):
        yield


def transposed_product(g: Callable[[Vector], Vector], y: Vector) -> Callable[[Vector], Vector]:
    """The product v -> (dg/dy)(y)^T v."""
    with _own_tape():
        at = y.detach().requires_grad_()
        value = g(at)
    return lambda v: torch.autograd.grad(value, at, v, retain_graph=True)[0]


def _linearise(g: Callable[[Vector], Vector], y: Vector) -> tuple[Vector, Callable[[Vector], Vector]]:
    """g(y) and the product v -> (dg/dy)(y) v, the derivative of w -> (dg/dy)^T w: one backward pass each."""
    with _own_tape():
        at = y.detach().requires_grad_()
        value = g(at)
        w = torch.zeros_like(value, requires_grad=True)
        pulled = torch.autograd.grad(value, at, w, create_graph=True)[0]
    return value.detach(), lambda v: torch.autograd.grad(pulled, w, v, retain_graph=True)[0]


def _relative(part: Tensor, whole: Tensor) -> float:
    size = float(torch.linalg.vector_norm(whole))
    return float(torch.linalg.vector_norm(part)) / size if size > 0.0 else float(torch.linalg.vector_norm(part))


def _as_real(y: Vector) -> Float[Tensor, " entry"]:
    return (torch.view_as_real(y) if y.is_complex() else y).reshape(-1)


def _like(entries: Float[Tensor, " entry"], y: Vector) -> Vector:
    if y.is_complex():
        return torch.view_as_complex(entries.reshape(*y.shape, 2))
    return entries.reshape(y.shape)
