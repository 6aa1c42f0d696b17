"""The networks that can be trained by name, made to fit their data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from backbone.errors import UsageError
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.fractalnet import fractalnet
from backbone.nets.frame import ImageShape
from backbone.nets.hamiltonian import hamiltonian_net, two_layer_hamiltonian_net
from backbone.nets.hyperbolic import hyperbolic_cnn
from backbone.nets.imexnet import imexnet
from backbone.nets.lean_resnet import lean_resnet
from backbone.nets.lm_resnet import lm_resnet
from backbone.nets.lm_resnext import lm_resnext
from backbone.nets.parabolic import parabolic_cnn
from backbone.nets.points import PointShape
from backbone.nets.polynet import polynet
from backbone.nets.resnet import resnet
from backbone.nets.revnet import revnet
from backbone.nets.shake_shake import shake_shake
from backbone.nets.small_cnn import SmallShape, small_cnn
from backbone.nets.stochastic_depth import stochastic_depth


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a network must fit: the shape of one sample and the number of classes; layers: None for the usual depth."""

    sample: tuple[int, ...]
    classes: int
    layers: int | None = None


Make = Callable[[Fit, torch.Generator, torch.Generator], nn.Module]  # generators: of the weights, of random layers


def _images(net: Callable[[ImageShape, torch.Generator, torch.Generator], nn.Module]) -> Make:
    def make(fit: Fit, generator: torch.Generator, draws: torch.Generator) -> nn.Module:
        shape = ImageShape(depth=fit.layers or 20, channels=fit.sample[0], classes=fit.classes)
        return net(shape, generator, draws)

    return make


def _points(net: Callable[[PointShape, torch.Generator], nn.Module]) -> Make:
    def make(fit: Fit, generator: torch.Generator, draws: torch.Generator) -> nn.Module:
        shape = PointShape(features=fit.sample[0], layers=fit.layers or 16, classes=fit.classes)
        return net(shape, generator)

    return make


def _small(fit: Fit, generator: torch.Generator, draws: torch.Generator) -> nn.Module:
    shape = SmallShape(channels=fit.sample[0], pixels=fit.sample[1], classes=fit.classes, steps=fit.layers or 1)
    return small_cnn(shape, generator=generator)


ON_PICTURES: dict[str, Make] = {
    "small-cnn": _small,
    "resnet": _images(lambda shape, generator, draws: resnet(shape, generator=generator)),
    "lm-resnet": _images(lambda shape, generator, draws: lm_resnet(shape, generator=generator)),
    "lm-resnext": _images(lambda shape, generator, draws: lm_resnext(shape, generator=generator)),
    "polynet": _images(lambda shape, generator, draws: polynet(shape, generator=generator)),
    "fractalnet": _images(lambda shape, generator, draws: fractalnet(shape, generator=generator)),
    "revnet": _images(lambda shape, generator, draws: revnet(shape, generator=generator)),
    "stochastic-depth": _images(
        lambda shape, generator, draws: stochastic_depth(shape, generator=generator, draws=draws)
    ),
    "shake-shake": _images(lambda shape, generator, draws: shake_shake(shape, generator=generator, draws=draws)),
    "parabolic": _images(lambda shape, generator, draws: parabolic_cnn(shape, generator=generator)),
    "hyperbolic": _images(lambda shape, generator, draws: hyperbolic_cnn(shape, generator=generator)),
    "imex": _images(lambda shape, generator, draws: imexnet(shape, generator=generator)),
    "lean": _images(lambda shape, generator, draws: lean_resnet(shape, generator=generator)),
}
ON_POINTS: dict[str, Make] = {
    "hamiltonian": _points(lambda shape, generator: hamiltonian_net(shape, generator=generator)),
    "hamiltonian-2": _points(lambda shape, generator: two_layer_hamiltonian_net(shape, generator=generator)),
    "antisymmetric": _points(lambda shape, generator: antisymmetric_net(shape, generator=generator)),
}


def demand_known(name: str) -> None:
    """Raise UsageError for a name that no network has."""
    if name not in ON_PICTURES and name not in ON_POINTS:
        raise UsageError(
            f"there is no network '{name}' to train",
            where=f"backbone train {name}",
            cure=f"name one of: {', '.join([*ON_PICTURES, *ON_POINTS])}",
        )


def named_net(name: str, fit: Fit, *, generator: torch.Generator, draws: torch.Generator) -> nn.Module:
    """The network of a name for samples of a shape: pictures "channel row col", or points "feature".

    generator: of the weights; draws: of layers left out or mixed at random, kept by the net. Raises UsageError for a
    name that is unknown, or of the other kind of data.
    """
    known = ON_PICTURES if len(fit.sample) == 3 else ON_POINTS
    if name not in known:
        demand_known(name)
        data = "pictures" if known is ON_PICTURES else "points"
        raise UsageError(
            f"{name} is no network for {data}",
            where=f"backbone train {name}",
            cure=f"name one for {data}: {', '.join(known)}",
        )
    return known[name](fit, generator, draws)
