"""Hamiltonian networks: Verlet steps that keep an energy, and a gradient that keeps no states."""

from __future__ import annotations

import torch

from backbone.dynamics import Layered
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.layers import hamiltonian, hamiltonian_like
from backbone.nets.points import PointNet, PointShape
from backbone.operators import Dense
from backbone.reversible import Reversible
from backbone.schemes.symplectic import SymplecticEuler, Verlet


def hamiltonian_net(shape: PointShape, *, generator: torch.Generator) -> PointNet:
    """Points to logits by z_{n+1/2} = z_{n-1/2} - h sigma(K y_n + b), y_{n+1} = y_n + h sigma(K^T z_{n+1/2} + b).

    z_{-1/2} = 0: Verlet's scheme, staggered. Haber and Ruthotto, Inverse Problems 34 (2018).
    """
    fields = [hamiltonian_like(_square(shape, generator)) for _ in range(shape.layers)]
    grid = Grid.uniform(0.0, shape.t1, shape.layers)
    flow = Flow(Layered(fields, grid), grid, SymplecticEuler(), gradient=Reversible())
    return PointNet(shape, flow, halves=True, generator=generator)


def two_layer_hamiltonian_net(shape: PointShape, *, generator: torch.Generator) -> PointNet:
    """Points to logits by y' = K1^T sigma(K1 z + b1), z' = -K2^T sigma(K2 y + b2): Hamilton's equations, Verlet.

    Chang, Meng, Haber, Ruthotto, Begert, Holtham, AAAI 2018.
    """
    fields = [hamiltonian(_square(shape, generator), _square(shape, generator)) for _ in range(shape.layers)]
    grid = Grid.uniform(0.0, shape.t1, shape.layers)
    flow = Flow(Layered(fields, grid), grid, Verlet(), gradient=Reversible())
    return PointNet(shape, flow, halves=True, generator=generator)


def _square(shape: PointShape, generator: torch.Generator) -> Dense:
    return Dense(shape.width, shape.width, generator=generator)
