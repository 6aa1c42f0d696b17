"""The blessing of width: what nine residual layers reach on the Swiss roll, by the width of their state."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.checks.points import accuracy_by_width
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results


@dataclass(frozen=True, kw_only=True)
class WidthExperiment(Experiment):
    """Nine tanh layers of step 1, points padded with zeros, 1000 steps of Adam; accuracy on the points between."""

    name = "width"
    question = "what do nine residual layers reach on the Swiss roll, by their width?"
    columns = (Column(figure="accuracy", title="accuracy", form=".3f"),)
    picture = Picture(x="width", y="accuracy", x_title="width", y_title="accuracy", x_log=True)
    widths: tuple[int, ...] = (2, 3, 4, 8, 16)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(_title(width) for width in self.widths)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)

        def measure(method: str, seed: int) -> dict[str, Figure]:
            width = int(method.split()[-1])
            return {"width": width, "accuracy": accuracy_by_width(width, [seed])}

        return measure

    def bounds(self, results: Results) -> list[Measured]:
        reached = {width: results.mean(_title(width), "accuracy") for width in self.widths}
        gains = [
            Measured.above(f"accuracy at width {b} minus that at {a}", reached[b] - reached[a], 0.0)
            for a, b in pairwise(width for width in self.widths if width <= 8)
        ]
        return [*gains, Measured.above("accuracy at the largest width", reached[self.widths[-1]], 0.98)]


def _title(width: int) -> str:
    return f"width {width}"
