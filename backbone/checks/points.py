"""B16, B17: what networks on points reach: peaks, ellipses and Swiss roll by depth, Swiss roll by width."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.dynamics import Layered
from backbone.flow import EndOf, Flow
from backbone.grid import Grid
from backbone.layers import Neurons, bias
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.frame import unit_steps
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.points import PointNet, PointShape, accuracy, cross_entropy
from backbone.operators import Dense
from backbone.schemes.adams import AB3
from backbone.schemes.explicit import Euler
from backbone.synthetic import Labelled, ellipses, peaks, swiss_roll
from backbone.train.fit import fit
from backbone.train.gradient import Gradient
from backbone.train.multilevel import Multilevel

RATE, LEVEL_STEPS = 0.02, 300  # of Adam on all points at once, for all that differs in depth
LAYERS = 9  # of the networks that differ in width
SEEDS = 4


@runtime_checkable
class Draw(Protocol):
    """Labelled points from a generator."""

    def __call__(self, n: int, *, generator: torch.Generator) -> Labelled: ...


def check_depth(example: Example) -> list[Measured]:
    """B16: Hamiltonian networks, each level with twice the layers of the one before, from the prolonged weights."""
    small, roll = PointShape(width=2, layers=2, t1=5.0), PointShape(width=4, layers=2, t1=5.0)
    # the prototype's 0.988 and 0.982 at two and four layers with five times the errors; 1.000 on the roll, where over
    # seeds a point of 256 may be wrong
    of_rings = {2: 0.94, 4: 0.91, 8: 0.98, 16: 0.98, 32: 0.98}
    of_roll = {2: 0.0, 4: 0.0, 8: 0.0, 16: 0.99, 32: 0.99, 64: 0.99}
    return [
        *_by_depth("ellipses", small, *ellipses_twice(0), of_rings),
        *_by_depth("Swiss roll", roll, *swiss_roll(512).halves(), of_roll),
    ]


def ellipses_twice(seed: int) -> tuple[Labelled, Labelled]:
    """1000 points to train on, and 1000 others to test on."""
    return _twice(ellipses, 1000, seed)


def _twice(draw: Draw, n: int, seed: int) -> tuple[Labelled, Labelled]:
    train, test = (draw(n, generator=seeded(2 * seed + k)) for k in (0, 1))
    return train, test


def _by_depth(
    what: str, shape: PointShape, train: Labelled, test: Labelled, least: Mapping[int, float]
) -> list[Measured]:
    """least: by the layers of each level; 0 where nothing is asked yet."""
    reached = accuracies_by_depth(shape, train, test, levels=len(least), seed=0)
    return [
        Measured.above(f"accuracy on {what}, {layers} layers, width {shape.width}", found, bound)
        for (layers, bound), found in zip(least.items(), reached, strict=True)
        if bound
    ]


def accuracies_by_depth(shape: PointShape, train: Labelled, test: Labelled, *, levels: int, seed: int) -> list[float]:
    """On the test points after each level of a Hamiltonian network, with twice the layers of the level before."""
    net = hamiltonian_net(shape, generator=seeded(seed)).double()
    update = Multilevel(
        net, lambda: Gradient(net, cross_entropy, Adam(net.parameters(), lr=RATE)), steps=(LEVEL_STEPS,) * levels
    )
    reached = []
    for _ in range(levels):
        fit(update, [train], n_steps=LEVEL_STEPS)
        reached.append(accuracy(net, test))
    return reached


def check_peaks(example: Example) -> list[Measured]:
    """B16: too short a time underfits, a plain network learns in spite of its growing modes; 240 steps of Adam."""
    plain, verlet, short, long = (accuracy_on_peaks(name, seed=0) for name in PEAKS)
    return [  # the prototype's 0.945, 0.969, 0.976 with five times the errors, 0.976 - 0.79 with a fifth
        Measured.above("accuracy on peaks, plain AB3, T = 10", plain, 0.725),
        Measured.above("accuracy on peaks, Verlet, T = 5", verlet, 0.845),
        Measured.above("accuracy on peaks, antisymmetric AB3, T = 5", long, 0.88),
        Measured.above("the same minus that with T = 0.2", long - short, 0.037),
    ]


def accuracy_on_peaks(name: str, *, seed: int) -> float:
    """Of one of PEAKS, on points other than those it was trained on."""
    train, test = _twice(peaks, 2000, seed)
    net = PEAKS[name](seeded(seed)).double()
    fit(Gradient(net, cross_entropy, Adam(net.parameters(), lr=RATE)), [train], n_steps=240)
    return accuracy(net, test)


def _peaks_shape(t1: float) -> PointShape:
    return PointShape(width=8, layers=16, t1=t1, classes=5)


def _plain_net(shape: PointShape, *, generator: torch.Generator) -> PointNet:
    """sigma(K x + b) by AB3, nothing known of K's spectrum."""
    operators = [Dense(shape.width, shape.width, generator=generator) for _ in range(shape.layers)]
    grid = Grid.uniform(0.0, shape.t1, shape.layers)
    layers = Layered([Neurons(K, bias(shape.width, K)) for K in operators], grid)
    return PointNet(shape, Flow(layers, grid, AB3()), generator=generator)


PEAKS: dict[str, Callable[[torch.Generator], PointNet]] = {
    "plain AB3, T = 10": lambda generator: _plain_net(_peaks_shape(10.0), generator=generator),
    "Verlet, T = 5": lambda generator: hamiltonian_net(_peaks_shape(5.0), generator=generator),
    "antisymmetric AB3, T = 0.2": lambda generator: antisymmetric_net(_peaks_shape(0.2), generator=generator),
    "antisymmetric AB3, T = 5": lambda generator: antisymmetric_net(_peaks_shape(5.0), generator=generator),
}


def check_width(example: Example) -> list[Measured]:
    """B17: nine tanh layers of step 1 on the Swiss roll: the wider the better, means over four seeds."""
    widths = (2, 3, 4, 8)
    accuracies = [accuracy_by_width(width, range(SEEDS)) for width in widths]
    point = 1 / (256 * SEEDS)  # above means: by one point of all at least
    found = [
        Measured.above(f"Swiss roll, accuracy at width {b} minus that at {a}", more - less, point)
        for (a, b), (less, more) in zip(pairwise(widths), pairwise(accuracies), strict=True)
    ]
    return [*found, Measured.above("Swiss roll, accuracy at width 8", accuracies[-1], 0.98)]


class _SeedsLayer(nn.Module):
    """tanh(K x + b) for several seeds at once, "seed point feature"."""

    def __init__(self, K: Float[Tensor, "seed width width"]) -> None:
        super().__init__()
        self.K = nn.Parameter(K)
        self.b = nn.Parameter(torch.zeros_like(K[:, :1]))

    def forward(self, t: float, x: Float[Tensor, "seed point width"]) -> Float[Tensor, "seed point width"]:
        return torch.tanh(torch.baddbmm(self.b, x, self.K))


class _SeedsNet(nn.Module):
    """Points to the logits of every seed, "seed point class"."""

    def __init__(self, width: int, seeds: Sequence[int]) -> None:
        super().__init__()
        self.seeds = len(seeds)
        K = torch.stack([normal(LAYERS, width, width, seed=seed) for seed in seeds], dim=1) / math.sqrt(width)
        grid = unit_steps(LAYERS)
        self.flow = EndOf(Flow(Layered([_SeedsLayer(layer) for layer in K], grid), grid, Euler()))
        self.head = nn.Parameter(normal(self.seeds, width, 2, seed=9) / math.sqrt(width))

    def forward(self, points: Float[Tensor, "point width"]) -> Float[Tensor, "seed point class"]:
        ends: Tensor = self.flow(points.expand(self.seeds, *points.shape))
        return ends @ self.head


def accuracy_by_width(width: int, seeds: Sequence[int]) -> float:
    """The mean over seeds: Adam with 1e-2, 1000 steps on every other point, padded with zeros; tested between them."""
    data, net, n = swiss_roll(512), _SeedsNet(width, seeds), len(seeds)
    train, test = Labelled(functional.pad(data.points, (0, width - 2)), data.labels).halves()

    def loss(net: nn.Module, batch: Labelled) -> Tensor:
        return n * functional.cross_entropy(net(batch.points).flatten(0, 1), batch.labels.repeat(n))

    fit(Gradient(net, loss, Adam(net.parameters(), lr=1e-2)), [train], n_steps=1000)
    with torch.no_grad():
        return float((net(test.points).argmax(2) == test.labels).double().mean())
