"""Cascadic multilevel training: few layers first, then twice as many, started from the prolonged weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from torch import nn

from backbone.errors import UsageError
from backbone.train.numerics import flows_of

BatchT = TypeVar("BatchT")
BatchT_contra = TypeVar("BatchT_contra", contravariant=True)


@runtime_checkable
class Resumable(Protocol[BatchT_contra]):
    """An update whose state can be taken and given back."""

    def __call__(self, batch: BatchT_contra, /) -> Mapping[str, float]: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Multilevel(Generic[BatchT]):
    """`steps[0]` updates as the net is, then steps[l] with 2^l times its layers, h / 2^l, weights prolonged in time.

    inner(): an update of the net as it stands, with an optimiser of its own; asked again after each prolongation, for
    then the weights are new ones. After the last level's steps training goes on there. Raises UsageError for flows
    that cannot be prolonged. Haber, Ruthotto, Holtham, Jun, AAAI 2018.
    """

    def __init__(self, net: nn.Module, inner: Callable[[], Resumable[BatchT]], *, steps: Sequence[int]) -> None:
        if not steps or min(steps) < 1:
            raise UsageError(
                f"steps must name one update or more for each level, got {tuple(steps)}",
                where="Multilevel(steps=)",
                cure="steps=(50, 50, 50)",
            )
        self.net = net
        self.make = inner
        self.steps = tuple(steps)
        self.level = 0
        self.step = 0  # on this level
        self.inner = inner()

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step of the level at hand; layers: how many steps the flows have together."""
        if self.step == self.steps[self.level] and self.level + 1 < len(self.steps):
            self._finer()
        self.step += 1
        return {**self.inner(batch), "layers": float(sum(flow.grid.n_steps for flow in flows_of(self.net)))}

    def _finer(self) -> None:
        prolong(self.net)
        self.level += 1
        self.step = 0
        self.inner = self.make()

    def state_dict(self) -> dict[str, Any]:
        """All that an exact resume needs."""
        return {"level": self.level, "step": self.step, "inner": self.inner.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave; the net is prolonged to its level."""
        while self.level < state["level"]:
            self._finer()
        self.step = state["step"]
        self.inner.load_state_dict(state["inner"])


def prolong(net: nn.Module) -> None:
    """Every flow of the net on a grid twice as fine, in place: half the step, twice the layers."""
    flows = flows_of(net)
    for flow in flows:
        if any(True for _ in flow.scheme.parameters()):
            raise UsageError(
                f"{type(flow.scheme).__name__} has coefficients of its own, one set for these steps",
                where="Multilevel",
                cure="use a scheme without weights, such as Euler()",
            )
    for flow in flows:
        finer = flow.grid.refine(2)
        flow.f = flow.f.prolong(flow.grid, finer)
        flow.grid = finer
