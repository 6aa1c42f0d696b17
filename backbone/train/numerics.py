"""How the flows of a network are solved, exchanged for the time of an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.solve import Sequential, Solve


@dataclass(frozen=True, eq=False)
class Numerics:
    """Everything of a flow but its dynamics."""

    grid: Grid
    scheme: Scheme
    solve: Solve = Sequential()
    gradient: Gradient = Backprop()

    @classmethod
    def of(cls, flow: Flow) -> Numerics:
        """Those that a flow has."""
        return cls(flow.grid, flow.scheme, flow.solve, flow.gradient)

    def into(self, flow: Flow) -> None:
        """Let a flow have these."""
        flow.grid, flow.scheme, flow.solve, flow.gradient = self.grid, self.scheme, self.solve, self.gradient


def flows_of(net: nn.Module) -> list[Flow]:
    """The flows of a network. Raises UsageError if it has none."""
    flows = [part for part in net.modules() if isinstance(part, Flow)]
    if not flows:
        raise UsageError(
            f"a {type(net).__name__} holds no Flow", where="net", cure="write its layers as a Flow, or use Gradient"
        )
    return flows


@contextmanager
def solved_by(numerics: Mapping[Flow, Numerics]) -> Iterator[None]:
    """Flows solved otherwise until the end of the block."""
    own = {flow: Numerics.of(flow) for flow in numerics}
    for flow, other in numerics.items():
        other.into(flow)
    try:
        yield
    finally:
        for flow, before in own.items():
            before.into(flow)
