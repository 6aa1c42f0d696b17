"""Layer-parallel training: gradients of a few multigrid cycles, states kept warm from update to update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.layer_parallel import Guesses, Mgrit
from backbone.mgrit import Alone, Chain
from backbone.train.gradient import Gradient
from backbone.train.numerics import Numerics, flows_of, solved_by

BatchT = TypeVar("BatchT")


class LayerParallel(Generic[BatchT]):
    """theta <- optimiser(theta, inexact gradient): `cycles_fwd` MGRIT cycles for the states, `cycles_bwd` for adjoints.

    simultaneous: one-shot optimisation, states and adjoints start from those of the last update, so that one or two
    cycles follow the weights; for full-batch training: the same samples in the same order at every call. The loss told
    is that of the inexact states. chain: processes that share the layers. Guenther, Ruthotto, Schroder, Cyr, Gauger,
    SIAM J. Math. Data Sci. 2 (2020).
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Callable[[nn.Module, BatchT], Tensor],
        optimiser: Optimizer,
        *,
        cycles_fwd: int = 2,
        cycles_bwd: int = 1,
        simultaneous: bool = False,
        levels: int = 2,
        coarsen: int = 8,
        chain: Chain = Alone(),
    ) -> None:
        self.gradient = Gradient(net, loss, optimiser)
        self.guesses = [Guesses() for _ in flows_of(net)] if simultaneous else []
        self.mgrit = Mgrit(levels=levels, coarsen=coarsen, cycles=cycles_fwd, cycles_back=cycles_bwd, chain=chain)

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step; loss: at the weights before it, of the states as they are."""
        flows = flows_of(self.gradient.net)
        solves = [self.mgrit.from_guesses(guesses) for guesses in self.guesses] or [self.mgrit] * len(flows)
        parallel = {flow: Numerics(flow.grid, flow.scheme, solve) for flow, solve in zip(flows, solves, strict=True)}
        with solved_by(parallel):
            return self.gradient(batch)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser and warm states: all that an exact resume needs."""
        return {
            **self.gradient.state_dict(),
            "guesses": [(guesses.states, guesses.adjoints) for guesses in self.guesses],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.gradient.load_state_dict(state)
        self.guesses = [Guesses(*guesses) for guesses in state["guesses"]]
