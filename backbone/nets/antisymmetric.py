"""Antisymmetric networks: layers without growing modes, stepped by Adams-Bashforth."""

from __future__ import annotations

import torch

from backbone.dynamics import Layered
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.layers import Antisymmetric
from backbone.nets.points import PointNet, PointShape
from backbone.operators import Dense
from backbone.schemes.adams import AB3


def antisymmetric_net(shape: PointShape, *, gamma: float = 0.0, generator: torch.Generator) -> PointNet:
    """Points to logits by x' = sigma((K - K^T - gamma I) x + b), AB3: stable for imaginary h lambda up to 0.72.

    Haber and Ruthotto, Inverse Problems 34 (2018).
    """
    fields = [
        Antisymmetric(Dense(shape.width, shape.width, generator=generator), gamma=gamma) for _ in range(shape.layers)
    ]
    grid = Grid.uniform(0.0, shape.t1, shape.layers)
    return PointNet(shape, Flow(Layered(fields, grid), grid, AB3()), generator=generator)
