"""The classifier on fixed features: softmax regression with Tikhonov's term, by Newton's method."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from backbone.train.line_search import armijo

Features = Float[Tensor, "sample feature"]
Labels = Int[Tensor, " sample"]
Weights = Float[Tensor, "class entry"]


class Softmax:
    """E(V) = mean_s -log softmax(V f_s)[label_s] + decay / 2 |V|^2, V = (W, mu), f = (features, 1): strictly convex."""

    def __init__(self, features: Features, labels: Labels, decay: float) -> None:
        self.f = functional.pad(features, (0, 1), value=1.0)
        self.labels = labels
        self.decay = decay

    def value(self, V: Weights) -> Float[Tensor, ""]:
        """E(V)."""
        return functional.cross_entropy(self.f @ V.T, self.labels) + self.decay / 2 * (V**2).sum()

    def gradient(self, V: Weights) -> Weights:
        """(p - y) f^T / n + decay V."""
        p = (self.f @ V.T).softmax(1)
        y = functional.one_hot(self.labels, V.shape[0]).to(p)
        return (p - y).T @ self.f / len(p) + self.decay * V

    def hessian(self, V: Weights) -> Float[Tensor, "unknown unknown_"]:
        """sum_s (diag p - p p^T) (x) f f^T / n + decay I."""
        p = (self.f @ V.T).softmax(1)
        among = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
        each = torch.einsum("scd,si,sj->cidj", among, self.f, self.f).reshape(V.numel(), V.numel()) / len(p)
        return each + self.decay * torch.eye(V.numel(), dtype=V.dtype, device=V.device)


@torch.no_grad()
def newton(softmax: Softmax, V: Weights, *, n_steps: int, tolerance: float = 1e-12) -> tuple[Weights, list[float]]:
    """V <- V - s H^-1 gradient, s by Armijo's rule, until the gradient is small; all norms of gradients."""
    norms = []
    for _ in range(n_steps):
        gradient = softmax.gradient(V)
        norms.append(float(gradient.norm()))
        if norms[-1] < tolerance:
            break
        factor = torch.linalg.cholesky(softmax.hessian(V))
        move = -torch.cholesky_solve(gradient.reshape(-1, 1), factor).reshape(V.shape)
        V = V + _length(softmax, V, move, float((gradient * move).sum())) * move
    return V, norms


def _length(softmax: Softmax, V: Weights, move: Weights, slope: float) -> float:
    return armijo(lambda s: float(softmax.value(V + s * move)), float(softmax.value(V)), slope)


def of_head(head: nn.Linear) -> Weights:
    """V = (W, mu) of a linear layer."""
    return torch.cat([head.weight, head.bias[:, None]], dim=1).detach()


@torch.no_grad()
def into_head(V: Weights, head: nn.Linear) -> None:
    """The layer takes (W, mu)."""
    head.weight.copy_(V[:, :-1])
    head.bias.copy_(V[:, -1])
