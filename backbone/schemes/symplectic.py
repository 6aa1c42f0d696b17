"""Symplectic schemes for separable fields: one half of the state moves while the other stands, so steps invert.

Hairer, Lubich, Wanner, Geometric Numerical Integration, section I.3. A part of the field counts as one evaluation.
"""

from __future__ import annotations

import torch

from backbone.dynamics import VectorField
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import Separable


class SymplecticEuler(Scheme):
    """q1 = q + h first(t0, p), p1 = p + h second(t1, q1): the block of RevNet. Order 1.

    Started from a p that is half a step behind it is the staggered Verlet scheme of Hamiltonian networks.
    """

    order = 1
    requires = Separable

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Separable)
        h = t1 - t0
        q, p = y.chunk(2, dim=1)
        q = torch.add(q, f.first(t0, p), alpha=h)
        p = torch.add(p, f.second(t1, q), alpha=h)
        return torch.cat([q, p], dim=1), memory.after(2)

    def back(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Separable)
        h = t1 - t0
        q, p = y.chunk(2, dim=1)
        p = torch.sub(p, f.second(t1, q), alpha=h)
        q = torch.sub(q, f.first(t0, p), alpha=h)
        return torch.cat([q, p], dim=1), memory.after(2)

    def reversible(self) -> bool:
        return True


class Verlet(Scheme):
    """Stoermer-Verlet: q half a step, p a whole one, q the other half. Order 2, symmetric."""

    order = 2
    requires = Separable

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Separable)
        h = t1 - t0
        q, p = y.chunk(2, dim=1)
        q = torch.add(q, f.first(t0, p), alpha=h / 2)
        p = torch.add(p, f.second(t0 + h / 2, q), alpha=h)
        q = torch.add(q, f.first(t1, p), alpha=h / 2)
        return torch.cat([q, p], dim=1), memory.after(3)

    def back(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Separable)
        h = t1 - t0
        q, p = y.chunk(2, dim=1)
        q = torch.sub(q, f.first(t1, p), alpha=h / 2)
        p = torch.sub(p, f.second(t0 + h / 2, q), alpha=h)
        q = torch.sub(q, f.first(t0, p), alpha=h / 2)
        return torch.cat([q, p], dim=1), memory.after(3)

    def reversible(self) -> bool:
        return True
