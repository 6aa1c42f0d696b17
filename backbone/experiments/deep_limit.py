"""The least energy of a network by its depth: minima and minimisers beside those of twice the depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.checks.training import TurnedPoints
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results


@dataclass(frozen=True, kw_only=True)
class DeepLimit(Experiment):
    """Points of the plane are to be turned; energies with the roughness of the weights in depth, least by L-BFGS.

    layers: each twice the one before, from 4 on. A control is compared with that of twice the layers as a function of
    time, by the root of the mean square over [0, 1].
    """

    name = "deep-limit"
    question = "do the least energy and its weights tend to a limit as a network gets deeper?"
    columns = (
        Column(figure="energy", title="least energy", form=".6f"),
        Column(figure="gap", title="distance from that of twice the layers"),
        Column(figure="moved", title="distance of the weights"),
    )
    picture = Picture(
        x="layers",
        y="gap",
        x_title="layers",
        y_title="distance from the energy of twice the layers",
        x_log=True,
        y_log=True,
    )
    layers: tuple[int, ...] = (4, 8, 16, 32)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(_title(n) for n in self.layers)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)
        turn = lru_cache(maxsize=1)(TurnedPoints)  # of a seed: minimisers of all depths start from one another

        def measure(method: str, seed: int) -> dict[str, Figure]:
            points, n = turn(seed), int(method.split()[0])
            shallow, deep = (points.minimiser(depth) for depth in (n, 2 * n))
            least, deeper = (float(points.energy(control).detach()) for control in (shallow, deep))
            apart = (shallow.refined() - deep.theta.detach()).square().sum(1).mean().sqrt()
            return {"layers": n, "energy": least, "gap": abs(least - deeper), "moved": float(apart)}

        return measure

    def bounds(self, results: Results) -> list[Measured]:
        found = []
        for n in self.layers[:-1]:
            for figure, title in (("gap", "energies"), ("moved", "weights")):
                ratio = results.mean(_title(n), figure) / results.mean(_title(2 * n), figure)
                found.append(Measured(f"distance of {title}, {n} layers over {2 * n}", ratio, 1.6, 2.6))
        return found


def _title(n: int) -> str:
    return f"{n} layers"
