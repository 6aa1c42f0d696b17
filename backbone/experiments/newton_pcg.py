"""Newton's method and conjugate gradients beside Adam and SGD, with the same number of passes through the layers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.optim import SGD, Adam

from backbone.checks.measured import Measured
from backbone.checks.points import ellipses_twice
from backbone.errors import UsageError
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results
from backbone.gradients import Backprop
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.points import PointNet, PointShape, accuracy, cross_entropy
from backbone.synthetic import Labelled, swiss_roll
from backbone.train.fit import Update
from backbone.train.gradient import Gradient
from backbone.train.line_search import HALVINGS
from backbone.train.newton_pcg import NewtonPcg
from backbone.train.numerics import flows_of

NEWTON, ADAM, GRADIENT = "newton-pcg", "Adam", "SGD"
POINTS: dict[str, Callable[[int], tuple[Labelled, Labelled]]] = {
    "ellipses": ellipses_twice,
    "swiss-roll": lambda seed: swiss_roll(512).halves(),
}
SHARES = 100  # of the budget, at the end of each of which the loss is told


@dataclass(frozen=True, kw_only=True)
class NewtonExperiment(Experiment):
    """Hamiltonian network on ellipses or, for points=swiss-roll, the Swiss roll, all points at once; float64, backprop.

    passes: once through all layers, forward or back. A gradient takes two; a turn of newton-pcg three, three more for
    each step of conjugate gradients (a derivative of a pass back counts two) and one for each length that is tried.
    The classifier's own Newton steps touch no layer and are in the seconds alone.
    """

    name = "newton-pcg"
    question = "does block coordinate descent by Newton's method reach more than Adam or SGD for the same work?"
    columns = (
        Column(figure="updates", title="updates", form=".0f"),
        Column(figure="passes", title="passes", form=".0f"),
        Column(figure="loss", title="loss"),
        Column(figure="accuracy", title="accuracy", form=".3f"),
        Column(figure="train_s", title="CPU s", form=".1f"),
    )
    picture = Picture(x="spent", y="losses", x_title="passes through all layers", y_title="loss", y_log=True)
    points: str = "ellipses"
    width: int = 4
    layers: int = 8
    budget: int = 3000
    adam_rate: float = 0.02
    sgd_rate: float = 0.2
    momentum: float = 0.9

    @property
    def methods(self) -> tuple[str, ...]:
        return (NEWTON, ADAM, GRADIENT)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)
        if self.points not in POINTS:
            raise UsageError(f"there are no points '{self.points}'", where="--set points", cure="--set points=ellipses")

        def measure(method: str, seed: int) -> dict[str, Figure]:
            train, test = POINTS[self.points](seed)
            shape = PointShape(width=self.width, layers=self.layers)
            net = hamiltonian_net(shape, generator=torch.Generator().manual_seed(seed)).double()
            flows_of(net)[0].gradient = Backprop()
            return {**self._trained(net, method, train), "accuracy": accuracy(net, test)}

        return measure

    def _trained(self, net: PointNet, method: str, train: Labelled) -> dict[str, Figure]:
        """Update until the budget is spent; losses: of the cross-entropy, after each share of it."""
        update, updates, passes = self._update(net, method), 0, 0
        marks = [self.budget * (k + 1) / SHARES for k in range(SHARES)]
        losses: list[float] = []
        seconds = 0.0
        while passes < self.budget:
            begun = time.process_time()
            passes += _passes(update(train))
            seconds += time.process_time() - begun
            updates += 1
            passed = sum(mark <= passes for mark in marks) - len(losses)
            losses += [float(cross_entropy(net, train).detach())] * passed
        return {
            "updates": updates,
            "passes": passes,
            "loss": losses[-1],
            "train_s": seconds,
            "spent": marks,
            "losses": losses,
        }

    def _update(self, net: PointNet, method: str) -> Update[Labelled]:
        if method == NEWTON:
            return NewtonPcg(net)
        if method == ADAM:
            return Gradient(net, cross_entropy, Adam(net.parameters(), lr=self.adam_rate))
        return Gradient(net, cross_entropy, SGD(net.parameters(), lr=self.sgd_rate, momentum=self.momentum))

    def bounds(self, results: Results) -> list[Measured]:
        return [Measured.above("accuracy of newton-pcg", results.mean(NEWTON, "accuracy"), 0.98)]


def _passes(told: Mapping[str, float]) -> int:
    """Of one update by what it told."""
    if "cg_steps" not in told:
        return 2
    tries = 1 - round(math.log2(told["step"])) if told["step"] else HALVINGS
    return 3 + 3 * round(told["cg_steps"]) + tries
