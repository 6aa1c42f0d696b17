"""The tree of a typed expression, and the system of equations made of such trees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pdenet.equations.terms import Factor

SPACE = ("x", "y", "z")


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Coordinate:
    """The place x, y, z or the time t."""

    axis: str


@dataclass(frozen=True)
class InverseLaplacian:
    """The solution p of lap(p) = factor with mean 0."""

    factor: Factor


@dataclass(frozen=True)
class Sum:
    """terms[0] + terms[1] + ..."""

    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Product:
    """factors[0] * factors[1] * ..."""

    factors: tuple[Node, ...]


@dataclass(frozen=True)
class Power:
    """base ** exponent, the exponent a constant."""

    base: Node
    exponent: float


@dataclass(frozen=True)
class Call:
    """function(argument), the function one of FUNCTIONS."""

    function: str
    argument: Node


Node = Number | Factor | InverseLaplacian | Coordinate | Sum | Product | Power | Call

FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "exp": math.exp,
    "tanh": math.tanh,
    "sqrt": math.sqrt,
    "abs": abs,
    "log": math.log,
}
OPERATORS = ("lap", "invlap")
RESERVED = {*SPACE, "t", "pi", *FUNCTIONS, *OPERATORS}


@dataclass(frozen=True)
class System:
    """dv/dt = rates[v] for every variable v, in the order typed, and the quantities defined beside them."""

    rates: Mapping[str, Node]
    definitions: Mapping[str, Node]
    n_dims: int

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the evolved variables."""
        return tuple(self.rates)


def parts_of(node: Node, kind: type[Sum] | type[Product]) -> tuple[Node, ...]:
    """The entries of a sum or product of that kind, else the node alone."""
    match node:
        case Sum(entries) | Product(entries) if isinstance(node, kind):
            return entries
    return (node,)
