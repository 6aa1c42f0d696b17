"""Continuous flows as densities: weights that stand still, weights that evolve, and as many that stand still."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from backbone.checks.measured import Measured
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.grid import Grid
from backbone.nets.cnf import Cnf
from backbone.schemes.explicit import Midpoint
from backbone.synthetic import eight_gaussians
from backbone.train.fit import fit
from backbone.train.gradient import Gradient

STILL, EVOLVING, LARGE = "neural ODE", "NODE-EW", "neural ODE of its size"
TEST_POINTS, TEST_SEED = 2000, 1000


@dataclass(frozen=True, kw_only=True)
class DensityExperiment(Experiment):
    """Eight Gaussians, new points at every update, Adam; midpoint steps, backprop through them, exact traces.

    loss: the mean negative log-likelihood, at best 1.70, the entropy of the mixture. block: updates whose mean loss is
    compared with the target; one that is never reached counts as a block more than there were.
    """

    name = "density"
    question = "does a density learn faster where its weights evolve in time (NODE-EW)?"
    columns = (
        Column(figure="parameters", title="parameters", form=".0f"),
        Column(figure="reached", title="updates to target", form=".0f"),
        Column(figure="test", title="test loss", form=".2f"),
        Column(figure="ms", title="ms/update", form=".0f"),
    )
    picture = Picture(x="updates", y="blocks", x_title="updates", y_title="loss, mean of a block")
    hidden: int = 32
    rank: int = 8
    steps: int = 8
    points: int = 100
    updates: int = 300
    block: int = 50
    learning_rate: float = 5e-3
    target: float = 2.2

    @property
    def methods(self) -> tuple[str, ...]:
        return (STILL, EVOLVING, LARGE)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        def measure(method: str, seed: int) -> dict[str, Figure]:
            net, n = self._net(method, seed).to(device), self.updates
            draws = torch.Generator().manual_seed(seed)
            batches = (eight_gaussians(self.points, generator=draws).float().to(device) for _ in range(n))
            begun = time.process_time()
            history = fit(Gradient(net, _loss, Adam(net.parameters(), lr=self.learning_rate)), batches, n_steps=n)
            ms = 1e3 * (time.process_time() - begun) / n
            test = eight_gaussians(TEST_POINTS, generator=torch.Generator().manual_seed(TEST_SEED))
            return {
                **self._by_blocks(history.series("loss")),
                "parameters": _size(net),
                "test": float(_loss(net, test.float().to(device)).detach()),
                "ms": ms,
            }

        return measure

    def _net(self, method: str, seed: int) -> Cnf:
        """The large one has as many weights as the evolving one: f(t, x) in the plane has 6 to a hidden unit."""
        hidden, rank = self.hidden, self.rank if method == EVOLVING else 0
        if method == LARGE:
            hidden = round((_size(self._net(EVOLVING, seed)) - 2) / 6)
        grid, generator = Grid.uniform(0.0, 1.0, self.steps), torch.Generator().manual_seed(seed)
        return Cnf(2, hidden=hidden, rank=rank, grid=grid, scheme=Midpoint(), generator=generator)

    def _by_blocks(self, losses: list[float]) -> dict[str, Figure]:
        blocks = [sum(losses[k : k + self.block]) / self.block for k in range(0, self.updates, self.block)]
        ends = [(k + 1) * self.block for k in range(len(blocks))]
        reached = [end for end, loss in zip(ends, blocks, strict=True) if loss < self.target]
        return {"reached": reached[0] if reached else ends[-1] + self.block, "updates": ends, "blocks": blocks}

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.below("test loss of NODE-EW", results.mean(EVOLVING, "test"), 2.2),
            Measured.below(
                "updates of NODE-EW to the target / neural ODE", results.mean(EVOLVING, "reached", STILL), 1.0
            ),
        ]


def _loss(net: nn.Module, points: Tensor) -> Tensor:
    loss: Tensor = net(points)
    return loss


def _size(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())
