"""Training by a few multigrid cycles an update, cold or warm, beside the serial solve."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch
from torch.optim import Adam

from backbone.checks.algorithms import euler_net
from backbone.checks.measured import Measured
from backbone.experiments.experiment import Column, Experiment, Measure, Picture, demand_cpu
from backbone.experiments.results import Figure, Results
from backbone.layer_parallel import Mgrit
from backbone.nets.points import PointNet, accuracy, cross_entropy
from backbone.synthetic import Labelled, swiss_roll
from backbone.train.fit import Update
from backbone.train.gradient import Gradient
from backbone.train.layer_parallel import LayerParallel
from backbone.train.numerics import Numerics, flows_of, solved_by

SERIAL, ONE, TWO = "serial", "1 cycle", "2 cycles"
WARM_ONE, WARM_TWO = f"{ONE}, warm", f"{TWO}, warm"
CYCLES = {TWO: 2, ONE: 1, WARM_TWO: 2, WARM_ONE: 1}  # forwards, and as many backwards


@dataclass(frozen=True, kw_only=True)
class LayerParallelExperiment(Experiment):
    """Antisymmetric Euler network on the Swiss roll, all points at once, as many updates of Adam by every method.

    warm: states and adjoints begin with those of the update before (simultaneous optimisation). calls: of the field in
    sequence in forward passes, what is left to wait for where all else is done at once. target: of the loss after an
    update, by the serial solve; one that is not reached counts as an update more than there were.
    """

    name = "layer-parallel"
    question = "do inexact gradients of a few multigrid cycles train as exact ones do, and in fewer serial steps?"
    columns = (
        Column(figure="to_target", title="updates to target", form=".0f"),
        Column(figure="calls_to_target", title="calls to target", form=".0f"),
        Column(figure="calls_to_target", title="/ serial", form=".2f", beside=SERIAL),
        Column(figure="seconds_to_target", title="CPU s to target", form=".1f"),
        Column(figure="seconds_to_target", title="/ serial", form=".2f", beside=SERIAL),
        Column(figure="loss", title="last loss"),
        Column(figure="accuracy", title="accuracy", form=".3f"),
    )
    picture = Picture(x="calls", y="losses", x_title="calls of the field in sequence", y_title="loss", y_log=True)
    width: int = 8
    layers: int = 128
    coarsen: int = 8
    updates: int = 250
    learning_rate: float = 0.02
    target: float = 0.05

    @property
    def methods(self) -> tuple[str, ...]:
        return (SERIAL, *CYCLES)

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        demand_cpu(device)
        train, test = swiss_roll(512).halves()

        def measure(method: str, seed: int) -> dict[str, Figure]:
            net = euler_net(self.layers, width=self.width, seed=seed)
            each = self._calls(net, method, train)
            return {**self._trained(net, method, train, each), "accuracy": accuracy(net, test)}

        return measure

    def _calls(self, net: PointNet, method: str, train: Labelled) -> int:
        """Of the field in sequence in one forward pass."""
        if method == SERIAL:
            return self.layers
        (flow,) = flows_of(net)
        solve = Mgrit(coarsen=self.coarsen, cycles=CYCLES[method])
        n_evals: list[int] = []
        handle = flow.register_forward_hook(lambda module, inputs, output: n_evals.append(output.n_evals))
        with handle, torch.no_grad(), solved_by({flow: Numerics(flow.grid, flow.scheme, solve)}):
            net(train.points)
        return n_evals[0]

    def _trained(self, net: PointNet, method: str, train: Labelled, each: int) -> dict[str, Figure]:
        update = self._update(net, method)
        taken, losses = [], []
        for _ in range(self.updates):
            begun = time.process_time()
            update(train)
            taken.append(time.process_time() - begun)
            with torch.no_grad():
                losses.append(float(cross_entropy(net, train)))
        reached = [step for step, loss in enumerate(losses, start=1) if loss <= self.target]
        to_target = reached[0] if reached else self.updates + 1
        return {
            "to_target": to_target,
            "calls_to_target": to_target * each,
            "seconds_to_target": sum(taken[:to_target]),
            "loss": losses[-1],
            "losses": losses,
            "calls": list(accumulate([each] * self.updates)),
        }

    def _update(self, net: PointNet, method: str) -> Update[Labelled]:
        optimiser = Adam(net.parameters(), lr=self.learning_rate)
        if method == SERIAL:
            return Gradient(net, cross_entropy, optimiser)
        cycles, warm = CYCLES[method], method in (WARM_ONE, WARM_TWO)
        return LayerParallel(
            net,
            cross_entropy,
            optimiser,
            cycles_fwd=cycles,
            cycles_bwd=cycles,
            simultaneous=warm,
            coarsen=self.coarsen,
        )

    def bounds(self, results: Results) -> list[Measured]:
        return [
            bound
            for warm, cold in ((WARM_ONE, ONE), (WARM_TWO, TWO))
            for bound in (
                Measured.below(f"last loss, {warm} / cold", results.mean(warm, "loss", cold), 0.5),
                Measured.above(f"accuracy, {warm}", results.mean(warm, "accuracy"), 0.95),
            )
        ]
