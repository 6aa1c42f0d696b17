"""The method of successive approximations: Pontryagin's maximum principle as a training algorithm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.gradients import Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Memory, Scheme
from backbone.solve import Solve
from backbone.state import State
from backbone.steps import Steps
from backbone.train.numerics import Numerics, flows_of, solved_by

BatchT = TypeVar("BatchT")
States = Float[Tensor, " point batch *state"]


class Msa(Generic[BatchT]):
    """Maximise H_n(x_n, p_{n+1}, theta_n) = p_{n+1} . Phi_n(x_n; theta_n) in every layer of the net's only flow.

    Forwards x_{n+1} = Phi_n(x_n), backwards p_n = grad_x H_n with p_N = -d loss / d x_N, then `ascents` steps
    theta_n <- theta_n + rate grad_theta H_n with x and p held. One ascent is one step of gradient descent, for
    grad_theta H_n = -d loss / d theta_n; more of them go further towards the maximum before the next pass. Weights
    outside the flow take a step of gradient descent. One-step schemes. Li, Chen, Tai, E, JMLR 18 (2018).
    """

    def __init__(
        self, net: nn.Module, loss: Callable[[nn.Module, BatchT], Tensor], *, rate: float, ascents: int = 1
    ) -> None:
        flows = flows_of(net)
        if len(flows) != 1 or ascents < 1:
            raise UsageError(
                f"Msa trains a net of one flow by one ascent or more, got {len(flows)} and {ascents}",
                where="Msa",
                cure="use Gradient for nets of several flows",
            )
        self.net = net
        self.loss = loss
        self.rate = rate
        self.ascents = ascents

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One forward and one backward pass, then the ascents; loss: at the weights before it."""
        (flow,) = flows_of(self.net)
        self.net.zero_grad()
        recorded = Recorded()
        with solved_by({flow: Numerics(flow.grid, flow.scheme, recorded)}):
            loss = self.loss(self.net, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        x = recorded.states_of_path()
        p = costates(flow, x, recorded.slope().neg())
        recorded.pull_back(p[0].neg())
        self._descend([weight for weight in self.net.parameters() if weight.grad is not None])
        for _ in range(self.ascents):
            self.net.zero_grad()
            hamiltonian(flow, x, p).neg().backward()  # type: ignore[no-untyped-call]
            self._descend(list(flow.parameters()))
        return {"loss": loss.item()}

    @torch.no_grad()
    def _descend(self, weights: list[nn.Parameter]) -> None:
        for weight in weights:
            if weight.grad is not None:
                weight.sub_(weight.grad, alpha=self.rate)

    def state_dict(self) -> dict[str, Any]:
        """The weights: all that an exact resume needs."""
        return {"net": self.net.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.net.load_state_dict(state["net"])


def costates(flow: Flow, x: States, last: Tensor) -> States:
    """p_n = grad_x H_n(x_n, p_{n+1}), from p_N to p_0."""
    p = [last]
    for n in reversed(range(flow.grid.n_steps)):
        with torch.enable_grad():
            x_n = x[n].detach().requires_grad_()
            h_n = (p[0] * _phi(flow, n, x_n)).sum()
        p.insert(0, torch.autograd.grad(h_n, x_n)[0])
    return torch.stack(p)


def hamiltonian(flow: Flow, x: States, p: States) -> Float[Tensor, ""]:
    """The sum of all layers' H_n(x_n, p_{n+1}, theta_n): each theta_n meets only its own."""
    return torch.stack([(p[n + 1] * _phi(flow, n, x[n])).sum() for n in range(flow.grid.n_steps)]).sum()


def _phi(flow: Flow, n: int, x: Tensor) -> Tensor:
    """Phi_n(x; theta_n), one step of the flow."""
    t0, t1 = flow.grid.steps[n]
    return flow.scheme.step(flow.f.on(t0, t1), t0, t1, x, Memory())[0]


class Recorded(Solve):
    """One step after another off the tape; the last state is a leaf of what follows."""

    def __init__(self) -> None:
        self.path: list[Tensor] = []

    def states(
        self, f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, gradient: Gradient, until: Endpoint | None
    ) -> Iterator[State]:
        if type(scheme.start(y0)) is not Memory or until is not None:
            raise UsageError("Msa needs a one-step scheme and no endpoint", where="Msa", cure="use scheme=Euler()")
        steps = Steps(f, grid, scheme)
        first = steps.first(y0)
        self.path = [y0]
        yield first
        for state in steps.untaped(first, grid.n_steps, lambda last: last.y.detach().requires_grad_()):
            self.path.append(state.y)
            yield state

    def states_of_path(self) -> States:
        """x_0 ... x_N."""
        return torch.stack([x.detach() for x in self.path])

    def slope(self) -> Tensor:
        """d loss / d x_N after the loss was differentiated."""
        slope = self.path[-1].grad
        assert slope is not None
        return slope

    def pull_back(self, slope: Tensor) -> None:
        """Hand d loss / d x_0 on to what was before the flow."""
        if self.path[0].requires_grad:
            self.path[0].backward(slope)  # type: ignore[no-untyped-call]
