"""Symplectic schemes for separable fields: one half of the state moves while the other stands, so steps invert.

Hairer, Lubich, Wanner, Geometric Numerical Integration, section I.3. A part of the field counts as one evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.schemes.moves import Halves, Move, Moving
from backbone.schemes.scheme import Memory
from backbone.structured import Opposite, Separable


class Symplectic(Moving):
    """Moves of q and p, the halves of axis 1."""

    requires = Separable

    def halves(self, y: Tensor, memory: Memory) -> Halves:
        q, p = y.chunk(2, dim=1)
        return q, p

    def joined(self, halves: Sequence[Tensor], memory: Memory) -> tuple[Tensor, Memory]:
        return torch.cat(list(halves), dim=1), memory


class SymplecticEuler(Symplectic):
    """q1 = q + h first(t0, p), p1 = p + h second(t1, q1): the block of RevNet. Order 1.

    Started from a p that is half a step behind it is the staggered Verlet scheme of Hamiltonian networks.
    """

    order = 1

    def moves(self, f: VectorField, t0: float, t1: float, number: int) -> Sequence[Move]:
        assert isinstance(f, Separable)
        h = t1 - t0
        return _along(f.first, 0, h, t0), _along(f.second, 1, h, t1)


class Verlet(Symplectic):
    """Stoermer-Verlet: q half a step, p a whole one, q the other half. Order 2, symmetric."""

    order = 2

    def moves(self, f: VectorField, t0: float, t1: float, number: int) -> Sequence[Move]:
        assert isinstance(f, Separable)
        h = t1 - t0
        return _along(f.first, 0, h / 2, t0), _along(f.second, 1, h, t0 + h / 2), _along(f.first, 0, h / 2, t1)


def _along(part: VectorField, moved: int, h: float, t: float) -> Move:
    """The move along a part; a sign goes into its length."""
    return Move(moved, -h, t, part.field) if isinstance(part, Opposite) else Move(moved, h, t, part)
