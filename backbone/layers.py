"""Layers as fields dy/dt = f(t, y): what a step of a network adds, built on operators K with exact transposes.

Haber and Ruthotto, Inverse Problems 34 (2018), and Ruthotto and Haber, J. Math. Imaging Vis. 62 (2020).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import Time
from backbone.operators import Operator
from backbone.structured import Opposite, Separable

Activation = Callable[[Tensor], Tensor]
Batch = Float[Tensor, "batch channel *space"]


class Neurons(nn.Module):
    """sigma(K y + b), or with K^T for K: the plain layer of a residual network."""

    def __init__(
        self,
        K: Operator,
        b: nn.Parameter,
        *,
        transposed: bool = False,
        activation: Activation = torch.tanh,
    ) -> None:
        super().__init__()
        self.K, self.b = K, b
        self.transposed = transposed
        self.activation = activation

    def forward(self, t: Time, y: Batch) -> Batch:
        return self.activation(self.K.transpose(y, self.b) if self.transposed else self.K(y, self.b))


class Antisymmetric(nn.Module):
    """sigma((K - K^T - gamma I) y + b): the Jacobian's spectrum lies on (left of) the imaginary axis for any K."""

    def __init__(self, K: Operator, *, gamma: float = 0.0, activation: Activation = torch.tanh) -> None:
        super().__init__()
        self.K = K
        self.b = bias(K.n_in, K)
        self.gamma = gamma
        self.activation = activation

    def forward(self, t: Time, y: Batch) -> Batch:
        turned = self.K(y, self.b) - self.K.transpose(y)
        return self.activation(torch.sub(turned, y, alpha=self.gamma) if self.gamma else turned)


class PotentialGradient(nn.Module):
    """sign * K^T sigma(K y + b), the gradient of a convex potential for a monotone sigma.

    sign = -1: parabolic layer, distances of states do not grow; under `SecondOrder` the hyperbolic one.
    """

    def __init__(self, K: Operator, *, sign: float = -1.0, activation: Activation = torch.tanh) -> None:
        super().__init__()
        self.K = K
        self.b = bias(K.n_out, K)
        self.sign = sign
        self.activation = activation

    def forward(self, t: Time, y: Batch) -> Batch:
        uphill = self.K.transpose(self.activation(self.K(y, self.b)))
        return uphill if self.sign == 1.0 else self.sign * uphill

    def potential(self, y: Batch) -> Float[Tensor, " batch"]:
        """The potential of sigma = tanh: sum of log cosh(K y + b)."""
        x = self.K(y, self.b)
        return (torch.logaddexp(x, -x) - torch.log(torch.tensor(2.0, dtype=x.dtype))).flatten(1).sum(1)


def hamiltonian_like(K: Operator) -> Separable:
    """z' = -sigma(K y + b), y' = sigma(K^T z + b), state (z, y): Hamiltonian but for the outer sigma."""
    b = bias(K.n_out, K)
    return Separable(Opposite(Neurons(K, b)), Neurons(K, b, transposed=True))


def hamiltonian(K1: Operator, K2: Operator) -> Separable:
    """z' = -K2^T sigma(K2 y + b2), y' = K1^T sigma(K1 z + b1), state (z, y).

    Hamilton's equations of H = sum log cosh(K1 z + b1) + sum log cosh(K2 y + b2) for sigma = tanh.
    """
    return Separable(Opposite(PotentialGradient(K2, sign=1.0)), PotentialGradient(K1, sign=1.0))


def energy(field: Separable, state: Batch) -> Float[Tensor, " batch"]:
    """H of a field made by `hamiltonian`."""
    z, y = state.chunk(2, dim=1)
    assert isinstance(field.first, Opposite)
    of_y, of_z = field.first.field, field.second
    assert isinstance(of_y, PotentialGradient)
    assert isinstance(of_z, PotentialGradient)
    return of_y.potential(y) + of_z.potential(z)


def bias(n: int, like: Operator) -> nn.Parameter:
    """Zeros for n channels, in the format of an operator."""
    return nn.Parameter(torch.zeros(n, dtype=next(like.parameters()).dtype))
