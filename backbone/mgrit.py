"""MGRIT: multigrid reduction in time. All steps at once, cycle by cycle, instead of one after another.

The steps u_{n+1} = Phi_n(u_n) + g_{n+1} are a system of equations, solved by relaxation on every step and corrections
from a grid of every c-th point ("C-points"; the others are F-points). Full approximation scheme, two or more levels.
Falgout, Friedhoff, Kolev, MacLachlan, Schroder, SIAM J. Sci. Comput. 36 (2014); for layers of a network
Guenther, Ruthotto, Schroder, Cyr, Gauger, SIAM J. Math. Data Sci. 2 (2020).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Inexact
from torch import Tensor

Slabs = Inexact[Tensor, "slab batch *state"]
Points = Inexact[Tensor, "point batch *state"]
Arriving = Inexact[Tensor, "step batch *state"]


class Propagator(ABC):
    """The steps Phi_0 ... Phi_{n-1} of one level."""

    n_steps: int

    @abstractmethod
    def many(self, first: int, stride: int, u: Slabs) -> Slabs:
        """Phi_n(u_n) for n = first, first + stride, ... at once."""

    @abstractmethod
    def one(self, n: int, u: Tensor) -> Tensor:
        """Phi_n(u), "batch *state"."""


@runtime_checkable
class Chain(Protocol):
    """Processes that share the points: the first point of each is the last one of the process before."""

    def back(self) -> Chain:
        """The same processes in the opposite order."""
        ...

    def own(self, n_steps: int) -> slice:
        """The steps of this process."""
        ...

    def shift(self, u: Points) -> None:
        """Hand the last point on and take the first one over, all processes at once."""
        ...

    def receive(self, u: Points) -> None:
        """Wait for the first point from the process before."""
        ...

    def send(self, u: Points) -> None:
        """Hand the last point on to the next process, which waits for it."""
        ...

    def known(self, u: Points) -> Points:
        """Those points that every process is to know: all, or the very last one."""
        ...

    def first(self, u: Points) -> Tensor:
        """The very first point."""
        ...

    def total(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Sums over the processes."""
        ...


class Alone:
    """A single process has all points."""

    def back(self) -> Alone:
        return self

    def own(self, n_steps: int) -> slice:
        return slice(0, n_steps)

    def shift(self, u: Points) -> None:
        pass

    def receive(self, u: Points) -> None:
        pass

    def send(self, u: Points) -> None:
        pass

    def known(self, u: Points) -> Points:
        return u

    def first(self, u: Points) -> Tensor:
        return u[0]

    def total(self, parts: Sequence[Tensor]) -> list[Tensor]:
        return list(parts)


@torch.no_grad()
def solve(
    levels: Sequence[Propagator], u: Points, g: Arriving, *, cycles: int, c_relaxation: bool = True, chain: Chain
) -> None:
    """`cycles` V-cycles on u, in place, from what u holds; u[0] is given.

    levels: the finest first; each has a share of the steps of the one before, the last is solved step by step.
    g: what arrives besides at points 1, 2, ... c_relaxation: FCF-relaxation, else F.
    """
    fine = levels[0]
    if len(levels) == 1:
        _march(fine, u, g, chain)
        return
    c = fine.n_steps // levels[1].n_steps
    _relax_f(fine, u, g, c)
    for _ in range(cycles):
        if c_relaxation:
            u[c::c] = _arriving(fine, u, g, c)
            chain.shift(u)
            _relax_f(fine, u, g, c)
        _correct(levels, u, g, c, c_relaxation, chain)
        _relax_f(fine, u, g, c)


def residual(fine: Propagator, u: Points, g: Arriving) -> Arriving:
    """Phi_n(u_n) + g_{n+1} - u_{n+1} at points 1, 2, ..."""
    return fine.many(0, 1, u[:-1]) + g - u[1:]


def _relax_f(fine: Propagator, u: Points, g: Arriving, c: int) -> None:
    """F-relaxation: from every C-point to the next one's predecessor, all intervals at once."""
    v = u[:-1:c]
    for j in range(c - 1):
        v = fine.many(j, c, v) + g[j::c]
        u[j + 1 :: c] = v


def _arriving(fine: Propagator, u: Points, g: Arriving, c: int) -> Slabs:
    """Phi(u) + g at the C-points 1, 2, ..., from their predecessors."""
    return fine.many(c - 1, c, u[c - 1 :: c]) + g[c - 1 :: c]


def _correct(levels: Sequence[Propagator], u: Points, g: Arriving, c: int, c_relaxation: bool, chain: Chain) -> None:
    """C-points from the coarse system v_{k+1} = Phi_H(v_k) + [arriving_{k+1} - Phi_H(u_k)].

    With the residual r = arriving - u this is the full approximation scheme's right-hand side u - Phi_H(u) + r. The
    exact u solves it.
    """
    v = u[::c].clone()
    g_coarse = _arriving(levels[0], u, g, c) - levels[1].many(0, 1, v[:-1])
    solve(levels[1:], v, g_coarse, cycles=1, c_relaxation=c_relaxation, chain=chain)
    u[::c] = v


def _march(propagator: Propagator, u: Points, g: Arriving, chain: Chain) -> None:
    """The serial solve."""
    chain.receive(u)
    for n in range(propagator.n_steps):
        u[n + 1] = propagator.one(n, u[n]) + g[n]
    chain.send(u)
