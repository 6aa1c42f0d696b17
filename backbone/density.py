"""The density that a flow carries along: continuous normalising flows."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import Dynamics, VectorField

Points = Float[Tensor, "batch dim"]


class Augmented(nn.Module):
    """d/dt (x, log p) = (f(t, x), -tr df/dx), state "batch dim + 1": the last column is the log-density.

    The trace is exact, one backward pass a dimension, or Hutchinson's estimate e^T (df/dx) e with a given probe e,
    "batch dim" of signs. Chen et al., NeurIPS 2018, eq. (8); Grathwohl et al., FFJORD, ICLR 2019.
    """

    def __init__(self, field: VectorField, probe: Points | None = None) -> None:
        super().__init__()
        self.field = field
        self.probe = probe

    def forward(self, t: float, state: Float[Tensor, "batch dim_and_1"]) -> Float[Tensor, "batch dim_and_1"]:
        recorded = torch.is_grad_enabled()
        x = state[:, :-1]
        with torch.enable_grad():
            x = x if recorded and x.requires_grad else x.detach().requires_grad_()
            dx = self.field(t, x)
            trace = self._trace(dx, x, recorded)
        slope = torch.cat([dx, -trace[:, None]], dim=1)
        return slope if recorded else slope.detach()

    def _trace(self, dx: Points, x: Points, recorded: bool) -> Float[Tensor, " batch"]:
        def pulled(weights: Points) -> Tensor:
            return torch.autograd.grad(dx, x, weights, create_graph=recorded, retain_graph=True)[0]

        if self.probe is not None:
            return (pulled(self.probe) * self.probe).sum(1)
        units = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        columns = [pulled(unit.expand_as(x))[:, i] for i, unit in enumerate(units)]
        return torch.stack(columns).sum(0)


class Carried(Dynamics):
    """A dynamics f with the log-density that it carries, exact: `Augmented` on every step."""

    def __init__(self, f: Dynamics) -> None:
        super().__init__()
        self.f = f

    def on(self, t0: float, t1: float) -> VectorField:
        return Augmented(self.f.on(t0, t1))
