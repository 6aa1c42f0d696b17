"""Layer-parallel gradients beside the serial ones: what cycles cost, and how near they come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.checks.parallel import SmoothLayers, difference, smooth_layers, solved
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.experiments.stopwatch import in_turns
from backbone.integrate import integrate
from backbone.layer_parallel import Mgrit
from backbone.schemes.explicit import Euler
from backbone.solve import Sequential, Solve

SERIAL, OWN = "serial", "own"
CYCLES = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class MgritExperiment(Experiment):
    """Forward and backward pass of a stack of Euler layers with smooth weights, in float64 on one device.

    The serial loop is the eager one of `Sequential`, which takes turns with every method; a GPU's would first be
    captured in a graph.
    """

    name = "mgrit"
    question = "what does a layer-parallel gradient cost beside the serial one, and how near is it?"
    columns = (
        Column(figure="calls", title="field calls in sequence", form=".0f"),
        Column(figure="ms", title="ms", form=".0f"),
        Column(figure="of_serial", title="/ serial", form=".2f"),
        Column(figure="state", title="state's error"),
        Column(figure="gradient", title="gradient's error"),
    )
    picture = Picture(x="of_serial", y="gradient", x_title="time / serial", y_title="gradient's error", y_log=True)
    layers: int = 1024
    coarsen: int = 16
    levels: int = 2
    batch: int = 1
    width: int = 16
    duration: float = 1.0
    repeats: int = 5

    @property
    def methods(self) -> tuple[str, ...]:
        return (SERIAL, *(f"{k} cycles" for k in CYCLES))

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        def measure(method: str, seed: int) -> dict[str, Figure]:
            stack = smooth_layers(self.layers, self.duration, width=self.width, batch=self.batch, seed=seed)
            stack = stack.to(device)
            return self._beside_serial(stack, self._solve(method))

        return measure

    def _solve(self, method: str) -> Solve:
        if method == SERIAL:
            return Sequential()
        return Mgrit(levels=self.levels, coarsen=self.coarsen, cycles=int(method.split()[0]))

    def _beside_serial(self, stack: SmoothLayers, how: Solve) -> dict[str, Figure]:
        exact, found = solved(stack, Sequential()), solved(stack, how)
        calls = integrate(stack.f, stack.y0, stack.grid, Euler(), solve=how).n_evals
        runs = {name: partial(solved, stack, solve) for name, solve in ((SERIAL, Sequential()), (OWN, how))}
        taken = in_turns(runs, stack.y0.device, rounds=self.repeats)
        return {
            "calls": calls,
            "ms": 1e3 * taken[OWN],
            "of_serial": taken[OWN] / taken[SERIAL],
            "state": difference(found[:1], exact[:1]),
            "gradient": difference(found[1:], exact[1:]),
        }

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.below("gradient's error after 2 cycles", results.mean("2 cycles", "gradient"), 1e-3),
            Measured.below("gradient's error after 8 cycles", results.mean("8 cycles", "gradient"), 1e-12),
        ]
