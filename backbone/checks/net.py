"""What is checked of every network: its gradient, and what a gradient without states keeps and reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from backbone.adjoint import ContinuousAdjoint
from backbone.checks.examples import Build, Example, normal
from backbone.checks.measured import Measured
from backbone.flow import Flow
from backbone.gradients import Backprop
from backbone.reversible import Reversible
from backbone.stability import Stability, stability_report
from backbone.tape import saved_bytes

ResultT = TypeVar("ResultT")

DIFFERENCE = 1e-7  # of weights: a central difference then rounds 1e-16/1e-7, and hardly crosses a kink


def check_net(build: Build) -> list[Measured]:
    """A small network's gradient against a central difference, and against backprop where it keeps no states."""
    example = build("small", 3)
    net, inputs = in_double(example)
    _leave_kinks(net)
    gradient = _gradient(net, inputs)
    along = normal(gradient.numel(), seed=7)
    slope, difference = float(gradient @ along), _difference(net, inputs, along)
    # an adaptive solve of tolerance 1e-5 jumps where the number of its steps does
    bound = 1e-4 if _flows(net, ContinuousAdjoint) else 1e-7
    error = abs(slope - difference) / float(gradient.norm())  # the slope along normal numbers is of that size
    found = [Measured.below("gradient minus central difference, relative", error, bound)]
    if _flows(net, Reversible):
        found += _check_reversible(net, inputs, gradient)
    if _flows(net, Reversible) or _flows(net, ContinuousAdjoint):
        kept = [look(build(size, 2)).kept for size in ("ordinary", "deep")]
        found.append(Measured("bytes kept besides weights, twice as deep over ordinary", kept[1] / kept[0], 1.0, 1.0))
    return found


def in_double(example: Example) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The network in evaluation and float64, with its inputs; words stay whole numbers."""
    inputs = tuple(entry.double() if entry.is_floating_point() else entry for entry in example.inputs)
    return example.net.double().eval(), inputs


@torch.no_grad()
def _leave_kinks(net: nn.Module) -> None:
    """Move all weights a little: constants that are zero keep whole regions on the kink of ReLU."""
    for seed, weight in enumerate(net.parameters()):
        weight.add_(normal(*weight.shape, seed=seed), alpha=0.03)


def _loss(net: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    answer: Tensor = net(*inputs)
    return (answer**2).mean()


def _gradient(net: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    weights = list(net.parameters())
    slopes = torch.autograd.grad(_loss(net, inputs), weights, materialize_grads=True, allow_unused=True)
    return torch.cat([slope.reshape(-1) for slope in slopes])


@torch.no_grad()
def _difference(net: nn.Module, inputs: tuple[Tensor, ...], along: Tensor) -> float:
    """The central difference of the loss when the weights move along a direction."""
    weights = list(net.parameters())
    parts = torch.split(along, [weight.numel() for weight in weights])
    losses = []
    for move in (DIFFERENCE, -2 * DIFFERENCE):
        for weight, part in zip(weights, parts, strict=True):
            weight.add_(part.reshape(weight.shape), alpha=move)
        losses.append(float(_loss(net, inputs)))
    for weight, part in zip(weights, parts, strict=True):
        weight.add_(part.reshape(weight.shape), alpha=DIFFERENCE)
    return (losses[0] - losses[1]) / (2 * DIFFERENCE)


def _flows(net: nn.Module, kind: type) -> list[Flow]:
    return [part for part in net.modules() if isinstance(part, Flow) and isinstance(part.gradient, kind)]


def _check_reversible(net: nn.Module, inputs: tuple[Tensor, ...], gradient: Tensor) -> list[Measured]:
    """The reversible gradient against backprop through the same steps."""
    flows = _flows(net, Reversible)
    for flow in flows:
        flow.gradient = Backprop()
    exact = _gradient(net, inputs)
    for flow in flows:
        flow.gradient = Reversible()
    difference = float((gradient - exact).norm() / exact.norm())
    return [Measured.below("reversible minus backprop gradient, relative", difference, 1e-11)]  # rounding a step


@dataclass(frozen=True)
class Look:
    """parameters: how many numbers are learned. n_evals: of all fields. kept: bytes on the tape besides the weights.

    schemes, gradients: of all flows.
    """

    parameters: int
    n_evals: int
    kept: int
    schemes: tuple[str, ...]
    gradients: tuple[str, ...]


def look(example: Example) -> Look:
    """Run a network in evaluation once and see what it does."""
    (_, kept), solves = _watched(
        lambda: saved_bytes(lambda: example.net.eval()(*example.inputs), besides=example.net.parameters())
    )
    return Look(
        parameters=sum(weight.numel() for weight in example.net.parameters()),
        n_evals=sum(solve.n_evals for solve in solves),
        kept=kept,
        schemes=tuple(dict.fromkeys(type(solve.flow.scheme).__name__ for solve in solves)),
        gradients=tuple(dict.fromkeys(type(solve.flow.gradient).__name__ for solve in solves)),
    )


def stability_of(example: Example) -> Stability:
    """The stability of all flows of a (small) network at its inputs: the worst of each number."""
    _, solves = _watched(lambda: example.net.eval()(*example.inputs))
    reports = [stability_report(s.flow.f, s.start, s.flow.grid, s.flow.scheme) for s in solves]
    return Stability(
        real_part=max(report.real_part for report in reports),
        step_radius=max(report.step_radius for report in reports),
        growth=max(report.growth for report in reports),
    )


@dataclass(frozen=True, eq=False)
class _Solve:
    """A call of a flow: from where, and how many evaluations it took."""

    flow: Flow
    start: Tensor
    n_evals: int


def _watched(run: Callable[[], ResultT]) -> tuple[ResultT, list[_Solve]]:
    """What run() returns, and the calls of flows in it, also of those that are made on the way."""
    solves: list[_Solve] = []

    def note(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(module, Flow):
            solves.append(_Solve(module, inputs[0].detach(), output.n_evals))

    hook = register_module_forward_hook(note)
    try:
        return run(), solves
    finally:
        hook.remove()
