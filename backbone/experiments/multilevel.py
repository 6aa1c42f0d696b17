"""Cascadic multilevel training beside training from scratch: steps of the deep net until a loss is reached."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch
from torch.optim import Adam

from backbone.checks.measured import Measured
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.points import PointShape, accuracy, cross_entropy
from backbone.synthetic import Labelled, swiss_roll
from backbone.train.fit import History, fit
from backbone.train.gradient import Gradient
from backbone.train.multilevel import Multilevel

CASCADE, SCRATCH = "cascade", "from scratch"


@dataclass(frozen=True, kw_only=True)
class MultilevelExperiment(Experiment):
    """Hamiltonian net on the Swiss roll, alternate points for training, Adam begun anew on each level.

    layers: of the deep net; the cascade begins with layers / 2^(levels - 1). A target that is not reached counts as
    one step more than there were.
    """

    name = "multilevel"
    question = "does a cascade of depths reach the loss of the deep net in fewer of its steps?"
    columns = (
        Column(figure="fine_steps", title="deep steps to target", form=".0f"),
        Column(figure="fine_steps", title="/ scratch", form=".2f", beside=SCRATCH),
        Column(figure="work", title="layer passes to target", form=".0f"),
        Column(figure="work", title="/ scratch", form=".2f", beside=SCRATCH),
        Column(figure="loss", title="last loss"),
        Column(figure="accuracy", title="accuracy", form=".3f"),
        Column(figure="train_s", title="CPU s", form=".0f"),
    )
    picture = Picture(x="passes", y="losses", x_title="passes through layers", y_title="loss", y_log=True)
    width: int = 4
    layers: int = 64
    levels: int = 4
    coarse_steps: int = 100
    fine_steps: int = 300
    learning_rate: float = 0.02
    target: float = 0.05

    @property
    def methods(self) -> tuple[str, ...]:
        return (CASCADE, SCRATCH)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        train, test = (_to(half, device) for half in swiss_roll(512).halves())

        def measure(method: str, seed: int) -> dict[str, Figure]:
            return self._piece(method, seed, train, test)

        return measure

    def _piece(self, method: str, seed: int, train: Labelled, test: Labelled) -> dict[str, Figure]:
        coarse = self.levels - 1 if method == CASCADE else 0
        shape = PointShape(width=self.width, layers=self.layers // 2**coarse)
        net = hamiltonian_net(shape, generator=torch.Generator().manual_seed(seed)).to(train.points)
        steps = (*[self.coarse_steps] * coarse, self.fine_steps)
        update = Multilevel(
            net, lambda: Gradient(net, cross_entropy, Adam(net.parameters(), lr=self.learning_rate)), steps=steps
        )
        begun = time.process_time()
        history = fit(update, [train], n_steps=sum(steps))
        seconds = time.process_time() - begun
        return {**self._until_target(history), "accuracy": accuracy(net, test), "train_s": seconds}

    def _until_target(self, history: History) -> dict[str, Figure]:
        losses, layers = history.series("loss"), history.series("layers")
        passes = list(accumulate(layers))
        fine = [step for step, depth in enumerate(layers) if depth == self.layers]
        reached = [step for step in fine if losses[step] <= self.target]
        last = reached[0] if reached else len(losses) - 1
        return {
            "fine_steps": last - fine[0] + (0 if reached else 1),
            "work": passes[last],
            "loss": losses[-1],
            "losses": losses,
            "passes": passes,
        }

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.below(
                "deep steps of the cascade / from scratch", results.mean(CASCADE, "fine_steps", SCRATCH), 0.9
            )
        ]


def _to(data: Labelled, device: torch.device) -> Labelled:
    return Labelled(data.points.to(device), data.labels.to(device))
