"""Every network of backbone/nets, the same network in plain PyTorch, and a batch of the size that one trains with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from plain import images, points, reversible, translation
from torch import Tensor, nn
from torch.nn import functional

from backbone.grid import Grid
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.cnf import Cnf
from backbone.nets.fractalnet import fractalnet
from backbone.nets.frame import ImageShape
from backbone.nets.hamiltonian import hamiltonian_net, two_layer_hamiltonian_net
from backbone.nets.hyperbolic import hyperbolic_cnn
from backbone.nets.imexnet import imexnet
from backbone.nets.lean_resnet import lean_resnet
from backbone.nets.lm_resnet import lm_resnet
from backbone.nets.lm_resnext import lm_resnext
from backbone.nets.mean_field import MeanFieldResNet
from backbone.nets.neural_ode import neural_ode
from backbone.nets.node_ew import NodeEw
from backbone.nets.parabolic import parabolic_cnn
from backbone.nets.points import PointShape
from backbone.nets.polynet import polynet
from backbone.nets.resnet import resnet
from backbone.nets.revnet import revnet
from backbone.nets.shake_shake import shake_shake
from backbone.nets.stochastic_depth import stochastic_depth
from backbone.nets.translation import TranslationShape, Translator
from backbone.schemes.explicit import RK4, Midpoint

Loss = Callable[[nn.Module], Tensor]


@dataclass(frozen=True)
class Pair:
    """ours, plain: makers of the two networks, whose weights come in one order. loss: of a network on the batch."""

    size: str
    ours: Callable[[], nn.Module]
    plain: Callable[[], nn.Module]
    loss: Loss


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=seeded())


def classifying(batch: Tensor, classes: int) -> Loss:
    labels = torch.randint(classes, batch.shape[:1], generator=seeded())
    return lambda net: functional.cross_entropy(net(batch), labels)


def on_images(ours: Callable[[ImageShape], nn.Module], plain: Callable[[], nn.Module]) -> Pair:
    return Pair(
        "depth 20, widths 16, 32, 64; 64 images of 32 x 32",
        lambda: ours(ImageShape()),
        plain,
        classifying(normal(64, 3, 32, 32), 10),
    )


POINTS = PointShape(width=64, layers=32, t1=5.0, classes=5)


def on_points(
    ours: Callable[[PointShape], nn.Module],
    plain: Callable[[int, int, float, int], nn.Module],
    about: str = "32 layers",
) -> Pair:
    return Pair(
        f"{about}, width 64; 2000 points",
        lambda: ours(POINTS),
        lambda: plain(POINTS.width, POINTS.layers, POINTS.t1, POINTS.classes),
        classifying(normal(2000, 2), POINTS.classes),
    )


def translating() -> Pair:
    shape = {"source_words": 8000, "target_words": 6000, "features": 512, "heads": 4, "inner": 1024, "layers": 6}
    source, target, wanted = (torch.randint(1, 6000, (16, 20), generator=seeded(k)) for k in range(3))
    source[::2, 15:] = 0
    return Pair(
        "6 + 6 layers, 512 features; 16 pairs of 20 words",
        lambda: Translator(TranslationShape(**shape), "strang", generator=seeded()),
        lambda: translation.Macaron(**shape),
        lambda net: functional.cross_entropy(net(source, target).flatten(0, 1), wanted.flatten()),
    )


def node_ew() -> Pair:
    def ours() -> nn.Module:
        net = NodeEw(2, hidden=32, grid=Grid.uniform(0.0, 1.0, 16), scheme=Midpoint(), generator=seeded())
        for weight in net.evolved.velocity.parameters():
            nn.init.normal_(weight, std=0.1, generator=seeded(1))  # or the weights would stand still
        return net

    states = normal(2000, 2)
    return Pair(
        "16 steps, 32 hidden; 2000 points", ours, lambda: points.NodeEw(16, 32), lambda net: net(states).square().mean()
    )


def cnf() -> Pair:
    states = normal(2000, 2)
    return Pair(
        "16 RK4 steps, 32 hidden; 2000 points",
        lambda: Cnf(2, hidden=32, grid=Grid.uniform(0.0, 1.0, 16), scheme=RK4(), generator=seeded()),
        lambda: points.Cnf(16, 32),
        lambda net: net(states),
    )


def mean_field() -> Pair:
    states, wanted = normal(1000, 8), normal(1000, 1)
    return Pair(
        "32 layers of 64 particles, width 16; 1000 points",
        lambda: MeanFieldResNet(8, 16, layers=32, particles=64, generator=seeded()),
        lambda: points.MeanField(8, 16, 32, 64),
        lambda net: functional.mse_loss(net(states), wanted),
    )


PAIRS = {
    "resnet": on_images(lambda shape: resnet(shape, generator=seeded()), images.resnet),
    "lm-resnet": on_images(lambda shape: lm_resnet(shape, generator=seeded()), images.lm_resnet),
    "lm-resnext": on_images(lambda shape: lm_resnext(shape, generator=seeded()), images.lm_resnext),
    "polynet": on_images(lambda shape: polynet(shape, generator=seeded()), images.polynet),
    "fractalnet": on_images(lambda shape: fractalnet(shape, generator=seeded()), images.fractalnet),
    "revnet": on_images(lambda shape: revnet(shape, generator=seeded()), reversible.revnet),
    "stochastic-depth": on_images(
        lambda shape: stochastic_depth(shape, generator=seeded(), draws=seeded(1)), images.stochastic_depth
    ),
    "shake-shake": on_images(lambda shape: shake_shake(shape, generator=seeded(), draws=seeded(1)), images.shake_shake),
    "parabolic": on_images(lambda shape: parabolic_cnn(shape, generator=seeded()), images.parabolic),
    "hyperbolic": on_images(lambda shape: hyperbolic_cnn(shape, generator=seeded()), reversible.hyperbolic),
    "imex": on_images(lambda shape: imexnet(shape, generator=seeded()), images.imex),
    "lean": on_images(lambda shape: lean_resnet(shape, generator=seeded()), images.lean),
    "translator": translating(),
    "hamiltonian": on_points(lambda shape: hamiltonian_net(shape, generator=seeded()), points.hamiltonian),
    "hamiltonian-2": on_points(
        lambda shape: two_layer_hamiltonian_net(shape, generator=seeded()), points.two_layer_hamiltonian
    ),
    "antisymmetric": on_points(lambda shape: antisymmetric_net(shape, generator=seeded()), points.antisymmetric),
    "neural-ode": on_points(
        lambda shape: neural_ode(shape, generator=seeded()), points.neural_ode, "dopri5 to 1e-5, 32 hidden"
    ),
    "node-ew": node_ew(),
    "cnf": cnf(),
    "mean-field": mean_field(),
}
