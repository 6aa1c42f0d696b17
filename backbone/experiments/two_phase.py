"""Two-phase training of a NODE-EW beside the adjoint alone: what an update costs, and what is reached."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.checks.measured import Measured
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.grid import Grid
from backbone.nets.node_ew import JointNodeEw, NodeEw
from backbone.schemes.explicit import DormandPrince, Euler
from backbone.train.two_phase import TwoPhase

TWO, ADJOINT = "two-phase", "adjoint"
Pairs = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class TwoPhaseExperiment(Experiment):
    """A flow of the plane that is to turn points by an angle of 1.5 times their radius, `points` normal ones.

    euler: updates by backprop through n_euler Euler steps; adjoint: updates by the adjoint in the second phase; the
    adjoint alone has as many updates as both. Loss and test by the adaptive solve of `tolerance`.
    """

    name = "two-phase"
    question = "what does training a NODE-EW by Euler steps first save beside the adjoint alone?"
    columns = (
        Column(figure="test", title="test error"),
        Column(figure="train_s", title="CPU s", form=".1f"),
        Column(figure="train_s", title="/ adjoint", form=".3f", beside=ADJOINT),
        Column(figure="first_ms", title="ms/update, phase 1", form=".0f"),
        Column(figure="second_ms", title="ms/update, phase 2", form=".0f"),
    )
    picture = Picture(x="seconds", y="losses", x_title="CPU seconds", y_title="loss", y_log=True)
    hidden: int = 32
    points: int = 100
    n_euler: int = 10
    euler: int = 150
    adjoint: int = 30
    first_rate: float = 0.01
    second_rate: float = 0.003
    tolerance: float = 1e-4

    @property
    def methods(self) -> tuple[str, ...]:
        return (TWO, ADJOINT)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        train, test = (_turned(self.points, seed, device) for seed in (0, 1))

        def measure(method: str, seed: int) -> dict[str, Figure]:
            net = self._net(seed).to(train[0])
            figures = self._trained(net, train, switch=self.euler if method == TWO else 0)
            with torch.no_grad():
                return {**figures, "test": float(_loss(net, test))}

        return measure

    def _net(self, seed: int) -> JointNodeEw:
        generator = torch.Generator().manual_seed(seed)
        net = NodeEw(2, hidden=self.hidden, grid=Grid((0.0, 1.0)), scheme=Euler(), generator=generator)
        solve = Adaptive(rtol=self.tolerance, atol=self.tolerance)
        grid = Grid((0.0, 1.0))
        return JointNodeEw(net.evolved, 2, grid, DormandPrince(), solve=solve, gradient=ContinuousAdjoint())

    def _trained(self, net: JointNodeEw, train: Pairs, *, switch: int) -> dict[str, Figure]:
        """Losses and CPU seconds after each update; the adjoint alone keeps the first phase's rate until then."""
        rates = (self.first_rate, self.second_rate) if switch else (self.first_rate, self.first_rate)
        first, then = (Adam(net.parameters(), lr=rate) for rate in rates)
        update = TwoPhase(net, _loss, first, then, n_euler=self.n_euler, switch=switch)
        begun, seconds, losses = time.process_time(), [0.0], []
        for _ in range(self.euler + self.adjoint):
            losses.append(update(train)["loss"])
            seconds.append(time.process_time() - begun)
        n = self.euler + self.adjoint - switch
        return {
            "losses": losses,
            "seconds": seconds[1:],
            "train_s": seconds[-1],
            "first_ms": 1e3 * seconds[switch] / max(switch, 1),
            "second_ms": 1e3 * (seconds[-1] - seconds[switch]) / n,
        }

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.below("CPU seconds of two-phase / adjoint", results.mean(TWO, "train_s", ADJOINT), 0.5),
            Measured.below("test error of two-phase / adjoint", results.mean(TWO, "test", ADJOINT), 1.5),
        ]


def _turned(n: int, seed: int, device: torch.device) -> Pairs:
    """Points and where they are to go."""
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(device)
    angle = 1.5 * x.norm(dim=1)
    rows = [x[:, 0] * angle.cos() - x[:, 1] * angle.sin(), x[:, 0] * angle.sin() + x[:, 1] * angle.cos()]
    return x, torch.stack(rows, dim=1)


def _loss(net: nn.Module, batch: Pairs) -> Tensor:
    x, target = batch
    error: Tensor = net(x) - target
    return error.square().sum(1).mean()
