"""Two-phase training of neural ODEs: backprop through a few Euler steps first, the solver's own gradient then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.schemes.explicit import Euler
from backbone.train.gradient import Gradient
from backbone.train.numerics import Numerics, flows_of, solved_by

BatchT = TypeVar("BatchT")


class TwoPhase(Generic[BatchT]):
    """`switch` updates by backprop through `n_euler` Euler steps, then updates with the net's own solver and gradient.

    The Euler net is a coarse discretisation of the same equation with the same weights; the second phase only has to
    correct for the difference. first, then: the optimisers of the phases. He, Xie, Lin, Neural ODE with evolving
    weights: 10 Euler steps, rate 0.01, then the adjoint, rate 0.001.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Callable[[nn.Module, BatchT], Tensor],
        first: Optimizer,
        then: Optimizer,
        *,
        n_euler: int = 10,
        switch: int,
    ) -> None:
        if switch < 0:
            raise UsageError(f"switch must not be negative, got {switch}", where="TwoPhase", cure="switch=100")
        self.net = net
        self.phases = Gradient(net, loss, first), Gradient(net, loss, then)
        self.euler = {flow: _by_euler(flow, n_euler) for flow in flows_of(net)}
        self.switch = switch
        self.step = 0

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step; phase: 1 or 2."""
        first, then = self.phases
        self.step += 1
        if self.step > self.switch:
            return {**then(batch), "phase": 2.0}
        with solved_by(self.euler):
            return {**first(batch), "phase": 1.0}

    def state_dict(self) -> dict[str, Any]:
        """All that an exact resume needs."""
        return {"step": self.step, "phases": [phase.state_dict() for phase in self.phases]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.step = state["step"]
        for phase, kept in zip(self.phases, state["phases"], strict=True):
            phase.load_state_dict(kept)


def _by_euler(flow: Flow, n_steps: int) -> Numerics:
    return Numerics(Grid.uniform(flow.grid.ts[0], flow.grid.ts[-1], n_steps), Euler())
