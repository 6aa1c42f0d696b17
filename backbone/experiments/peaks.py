"""Networks on the peaks function: what a scheme and the length of its time do to what is learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.checks.points import PEAKS, accuracy_on_peaks
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results

LONG, SHORT = "antisymmetric AB3, T = 5", "antisymmetric AB3, T = 0.2"


@dataclass(frozen=True, kw_only=True)
class PeaksExperiment(Experiment):
    """16 layers of width 8, 240 steps of Adam on 2000 points of five classes; accuracy on 2000 others."""

    name = "peaks"
    question = "what do growing modes and a short time do to a network on the peaks function?"
    columns = (Column(figure="accuracy", title="accuracy", form=".3f"),)
    picture = Picture(x="duration", y="accuracy", x_title="length in time", y_title="accuracy")

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(PEAKS)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)

        def measure(method: str, seed: int) -> dict[str, Figure]:
            return {"duration": float(method.split()[-1]), "accuracy": accuracy_on_peaks(method, seed=seed)}

        return measure

    def bounds(self, results: Results) -> list[Measured]:
        gain = results.mean(LONG, "accuracy") - results.mean(SHORT, "accuracy")
        return [
            Measured.above("accuracy, antisymmetric, T = 5", results.mean(LONG, "accuracy"), 0.88),
            Measured.above("the same minus that with T = 0.2", gain, 0.037),
        ]
