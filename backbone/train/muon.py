"""Muon: momentum whose step is made orthogonal, so that every direction of a weight matrix learns at the same pace.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024: G -> U V^T for the singular value
decomposition G = U S V^T, approached by five steps of a Newton-Schulz iteration. A kernel "out in row col" counts as
the matrix "out (in row col)". torch.optim.Muon takes matrices only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.errors import UsageError

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al.: steepest at zero; singular values end within 0.7 ... 1.2
ITERATIONS = 5


class Muon(Optimizer):
    """w <- (1 - lr d) w - lr sqrt(max(1, rows / columns)) orthogonal(g + momentum m), m <- momentum m + g (Nesterov).

    d: weight_decay. The step does not depend on the scale of the gradient, so without decay the singular values of a
    weight grow for ever; with it they stay below about 1 / d (Liu et al., arXiv:2502.16982, section 2.2).
    Raises UsageError for weights with fewer than two axes.
    """

    def __init__(
        self, weights: Iterable[nn.Parameter], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        weights = list(weights)
        for weight in weights:
            if weight.ndim < 2:
                raise UsageError(
                    f"a weight of shape {tuple(weight.shape)} is no matrix", where="Muon", cure="give it to Adam"
                )
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Float[Tensor, ""]] | None = None) -> Float[Tensor, ""] | None:  # type: ignore[override]
        """One update; closure works out the loss and its gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, **{name: group[name] for name in ("lr", "momentum", "weight_decay")})
        return loss

    def _move(self, weight: Tensor, *, lr: float, momentum: float, weight_decay: float) -> None:
        assert weight.grad is not None
        memory = self.state[weight]
        if not memory:
            memory["momentum"] = torch.zeros_like(weight)
        memory["momentum"].mul_(momentum).add_(weight.grad)
        ahead = weight.grad.add(memory["momentum"], alpha=momentum).flatten(1)
        scale = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
        weight.mul_(1.0 - lr * weight_decay).add_(orthogonal(ahead).view(weight.shape), alpha=-lr * scale)


def orthogonal(matrix: Float[Tensor, "row col"]) -> Float[Tensor, "row col"]:
    """U V^T of the matrix U S V^T, its singular values brought to 0.7 ... 1.2; a zero matrix stays zero."""
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).transpose(0, 1)
    a, b, c = NEWTON_SCHULZ
    tiny = torch.finfo(matrix.dtype).tiny
    x: Tensor = matrix / matrix.abs().amax().clamp_min(tiny)  # squares of such numbers do not vanish
    x = x / torch.linalg.matrix_norm(x).clamp_min(tiny)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x
