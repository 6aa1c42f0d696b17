"""Hamiltonian networks on points in the plane by depth: each level from the prolonged weights of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.checks.points import accuracies_by_depth, ellipses_twice
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results
from backbone.nets.points import PointShape
from backbone.synthetic import swiss_roll

ELLIPSES, ROLL = "ellipses, width 2", "Swiss roll, width 4"
LAYERS = (2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class DepthExperiment(Experiment):
    """Verlet to t = `duration`, 300 steps of Adam a level; accuracy on points that were not trained on."""

    name = "depth"
    question = "what does a Hamiltonian network reach on ellipses and the Swiss roll, by its depth?"
    columns = tuple(Column(figure=f"at_{n}", title=f"{n} layers", form=".3f") for n in LAYERS)
    picture = Picture(x="layers", y="accuracies", x_title="layers", y_title="accuracy", x_log=True)
    duration: float = 5.0

    @property
    def methods(self) -> tuple[str, ...]:
        return (ELLIPSES, ROLL)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)

        def measure(method: str, seed: int) -> dict[str, Figure]:
            width, (train, test) = (4, swiss_roll(512).halves()) if method == ROLL else (2, ellipses_twice(seed))
            shape = PointShape(width=width, layers=LAYERS[0], t1=self.duration)
            reached = accuracies_by_depth(shape, train, test, levels=len(LAYERS), seed=seed)
            each = {f"at_{n}": accuracy for n, accuracy in zip(LAYERS, reached, strict=True)}
            return {**each, "layers": LAYERS, "accuracies": reached}

        return measure

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.above("accuracy on ellipses, 32 layers", results.mean(ELLIPSES, "at_32"), 0.98),
            Measured.above("accuracy on the Swiss roll, 32 layers", results.mean(ROLL, "at_32"), 0.99),
        ]
