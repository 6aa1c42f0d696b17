"""The Gauss-Newton system of a layered flow's weights, solved by conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

Features = Float[Tensor, "sample feature"]
Control = Float[Tensor, "step weight"]  # all weights of every step


class DepthRegulariser:
    """R(theta) = alpha / 2 (sum_n |theta_{n+1} - theta_n|^2 / h + eps h sum_n |theta_n|^2), smooth in depth.

    Its Hessian M = alpha (D^T D / h + eps h I), D the differences of neighbours, is the same for every weight.
    """

    def __init__(self, n_steps: int, h: float, *, alpha: float, eps: float, like: Tensor) -> None:
        D = torch.eye(n_steps, dtype=like.dtype, device=like.device).diff(dim=0)
        unit = torch.eye(n_steps, dtype=like.dtype, device=like.device)
        self.M = alpha * (D.T @ D / h + eps * h * unit)
        self.factor = torch.linalg.cholesky(self.M)

    def value(self, theta: Control) -> Float[Tensor, ""]:
        """R(theta)."""
        return (theta * (self.M @ theta)).sum() / 2

    def gradient(self, theta: Control) -> Control:
        """M theta."""
        return self.M @ theta

    def precondition(self, residual: Control) -> Control:
        """M^-1 residual."""
        return torch.cholesky_solve(residual, self.factor)


class GaussNewton:
    """v -> J^T H J v + M v for features z(theta), J = dz / dtheta and H the Hessian of the mean cross-entropy in z.

    Logits W z + mu with probabilities p: H = W^T (diag p - p p^T) W / n for each sample. J v is the derivative of
    u -> J^T u along v, which is linear: two passes back, none forward. layers: the weights of each step.
    """

    def __init__(
        self,
        z: Features,
        layers: Sequence[Sequence[nn.Parameter]],
        W: Float[Tensor, "class feature"],
        p: Float[Tensor, "sample class"],
        regulariser: DepthRegulariser,
    ) -> None:
        self.z, self.layers, self.W, self.p = z, layers, W, p
        self.regulariser = regulariser
        self._u = torch.zeros_like(z, requires_grad=True)
        self._pulled = self._pull(self._u, create_graph=True)

    def __call__(self, v: Control) -> Control:
        """(J^T H J + M) v."""
        Jv = torch.autograd.grad(self._pulled, self._u, v, retain_graph=True)[0]
        return self.transposed(self.hessian(Jv)) + self.regulariser.gradient(v)

    def transposed(self, u: Features) -> Control:
        """J^T u."""
        return self._pull(u, create_graph=False)

    def hessian(self, dz: Features) -> Features:
        """H dz."""
        q = dz @ self.W.T
        return (self.p * q - self.p * (self.p * q).sum(1, keepdim=True)) @ self.W / len(self.p)

    def _pull(self, u: Features, *, create_graph: bool) -> Control:
        flat = [weight for layer in self.layers for weight in layer]
        slopes = torch.autograd.grad(self.z, flat, u, retain_graph=True, create_graph=create_graph)
        return torch.cat([slope.reshape(-1) for slope in slopes]).reshape(len(self.layers), -1)


def conjugate_gradients(
    matrix: Callable[[Control], Control],
    precondition: Callable[[Control], Control],
    b: Control,
    *,
    n_steps: int,
    tolerance: float,
) -> tuple[Control, int]:
    """x with matrix(x) = b to |residual| <= tolerance |b|, or after n_steps; and the number of steps taken.

    Nocedal and Wright, Numerical Optimization, algorithm 5.3.
    """
    x, r = torch.zeros_like(b), b.clone()
    y = precondition(r)
    d, rho = y, (r * y).sum()
    for step in range(n_steps):
        if float(r.norm()) <= tolerance * float(b.norm()):
            return x, step
        Ad = matrix(d)
        a = rho / (d * Ad).sum()
        x, r = x + a * d, r - a * Ad
        y = precondition(r)
        rho, before = (r * y).sum(), rho
        d = y + rho / before * d
    return x, n_steps
