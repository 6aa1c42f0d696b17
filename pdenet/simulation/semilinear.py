"""A typed system on a periodic box as dynamics of its Fourier coefficients: diagonal linear part and the rest."""

from __future__ import annotations

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from backbone.dynamics import SemiLinear
from pdenet.equations.expansion import Atom, Expansion, Monomial, expand
from pdenet.equations.syntax import Call, Coordinate, InverseLaplacian, Node, Number, Power, Product, Sum, System
from pdenet.equations.terms import Factor
from pdenet.simulation.modes import Box, interpolate, project

Leaf = Factor | InverseLaplacian
UNBOUNDED_DEGREE = 3  # degree counted for functions and quotients, whose products have no highest mode
MAX_PADDING = 3  # exact up to degree 5; beyond, the resolved tail keeps the aliasing small


def variable(leaf: Leaf) -> str:
    """The evolved variable that the leaf is made of."""
    return leaf.factor.variable if isinstance(leaf, InverseLaplacian) else leaf.variable


def leaves(node: Node) -> set[Leaf]:
    """All variables, derivatives and inverse Laplacians in the node."""
    match node:
        case Factor() | InverseLaplacian():
            return {node}
        case Sum(entries) | Product(entries):
            return {leaf for entry in entries for leaf in leaves(entry)}
        case Power(inner, _) | Call(_, inner):
            return leaves(inner)
    return set()


def split(system: System) -> tuple[dict[str, dict[Leaf, float]], dict[str, Expansion]]:
    """Per equation: coefficients of the constant-coefficient linear terms in its own variable, and all the rest."""
    linear: dict[str, dict[Leaf, float]] = {name: {} for name in system.variables}
    rest: dict[str, Expansion] = {name: {} for name in system.variables}
    for name, node in system.rates.items():
        for monomial, coefficient in expand(node).items():
            match monomial:
                case (((Factor() | InverseLaplacian()) as leaf, 1),) if variable(leaf) == name:
                    linear[name][leaf] = coefficient
                case _:
                    rest[name][monomial] = coefficient
    return linear, rest


def degree(polynomial: Expansion) -> int:
    """Largest number of fields multiplied in one product."""

    def of_atom(atom: Atom) -> int:
        return UNBOUNDED_DEGREE if isinstance(atom, Power | Call) and leaves(atom) else 1

    return max((sum(power * of_atom(atom) for atom, power in monomial) for monomial in polynomial), default=0)


def padded(shape: tuple[int, ...], n_factors: int) -> tuple[int, ...]:
    """Points that hold products of n_factors fields without aliasing: N (n+1)/2, Orszag's 2/3 rule for n = 2 and 1/2
    rule for n = 3, raised to the next number whose prime factors are 2, 3, 5."""
    growth = min(max(n_factors + 1, 2) / 2, MAX_PADDING)
    return tuple(_smooth(math.ceil(n * growth)) for n in shape)


def _smooth(n: int) -> int:
    """The least even number of at least n with prime factors 2, 3, 5 only."""
    n += n % 2
    while True:
        left = n
        for prime in (2, 3, 5):
            while left % prime == 0:
                left //= prime
        if left == 1:
            return n
        n += 2


class Evaluator:
    """Values of expressions on the points of a box, from the coefficients of the variables on another.

    modes "run channel *mode" live on `box`; values "run *space" on `points`.
    """

    def __init__(self, system: System, wanted: set[Leaf], box: Box, points: Box, device: torch.device) -> None:
        self.points = points
        self.box = box
        self.leaves = sorted(wanted, key=str)
        self.channel = [system.variables.index(variable(leaf)) for leaf in self.leaves]
        self.symbols = [box.symbol(leaf, device) for leaf in self.leaves]
        self.coordinates = {axis: points.points(axis, device) for axis in box.axes}

    def values(self, modes: Complex[Tensor, "run channel *mode"]) -> dict[Leaf, Float[Tensor, " run *space"]]:
        """Every leaf on the points."""
        if not self.leaves:
            return {}
        parts = zip(self.channel, self.symbols, strict=True)
        modes = torch.stack([modes[:, channel] * symbol.to(modes.dtype) for channel, symbol in parts])
        return dict(zip(self.leaves, interpolate(modes, self.box, self.points), strict=True))

    def polynomial(
        self, terms: Expansion, values: dict[Leaf, Tensor], t: float, like: Float[Tensor, " run *space"]
    ) -> Float[Tensor, " run *space"]:
        """The sum of products at time t; `like` gives shape and dtype."""
        total = torch.zeros_like(like)
        for monomial, coefficient in terms.items():
            product = self.product(monomial, values, t)
            if product is None:
                total += coefficient
            else:
                total.add_(product, alpha=coefficient)
        return total

    def product(self, monomial: Monomial, values: dict[Leaf, Tensor], t: float) -> Tensor | None:
        """The product of the atoms, None for the empty one."""
        result: Tensor | None = None
        for atom, power in monomial:
            value = self.node(atom, values, t)
            for _ in range(power):
                result = value if result is None else result * value
        return result

    def node(self, node: Node, values: dict[Leaf, Tensor], t: float) -> Tensor:
        """Any node at time t, as a tensor that broadcasts to "run *space"."""
        match node:
            case Factor() | InverseLaplacian():
                return values[node]
            case Coordinate("t"):
                return torch.full_like(next(iter(self.coordinates.values())), t)
            case Coordinate(axis):
                return self.coordinates[axis]
            case Number(value):
                return torch.full_like(next(iter(self.coordinates.values())), value)
            case Sum(terms):
                return sum((self.node(term, values, t) for term in terms[1:]), self.node(terms[0], values, t))
            case Product(factors):
                return math.prod((self.node(f, values, t) for f in factors[1:]), start=self.node(factors[0], values, t))
            case Power(base, exponent):
                return self.node(base, values, t) ** exponent
            case Call(function, argument):
                return getattr(torch, function)(self.node(argument, values, t))
        raise TypeError(node)


class Rest:
    """The part of the dynamics that is not diagonal: evaluated on padded points, cut back to the box."""

    def __init__(self, system: System, rest: dict[str, Expansion], box: Box, device: torch.device) -> None:
        points = box.resized(padded(box.shape, max(map(degree, rest.values()))))
        wanted = {
            leaf for terms in rest.values() for monomial in terms for atom, _ in monomial for leaf in leaves(atom)
        }
        self.rest = rest
        self.box = box
        self.points = points
        self.evaluator = Evaluator(system, wanted, box, points, device)

    def __call__(
        self, t: float, modes: Complex[Tensor, "run channel *mode"], /
    ) -> Complex[Tensor, "run channel *mode"]:
        evaluator = self.evaluator
        values = evaluator.values(modes)
        real = modes.real.dtype
        like = torch.empty((modes.shape[0], *self.points.shape), dtype=real, device=modes.device)
        rates = torch.stack([evaluator.polynomial(terms, values, t, like) for terms in self.rest.values()], dim=1)
        return project(rates, self.points, self.box)


def nothing(t: float, modes: Complex[Tensor, "run channel *mode"], /) -> Complex[Tensor, "run channel *mode"]:
    """The rest of a system whose linear part is all."""
    return torch.zeros_like(modes)


def spectral_dynamics(system: System, box: Box, *, device: torch.device, dtype: torch.dtype) -> SemiLinear:
    """dc/dt = L c + N(t, c) of the coefficients c "run channel *mode", L real where no term is of odd order."""
    linear, rest = split(system)
    rows = []
    for name in system.variables:
        row = torch.zeros(box.spectral_shape, dtype=torch.complex128, device=device)
        for leaf, coefficient in linear[name].items():
            row = row + coefficient * box.symbol(leaf, device)
        rows.append(row)
    symbol = torch.stack(rows)
    numbers = symbol.to(dtype.to_complex()) if bool(symbol.imag.any()) else symbol.real.to(dtype)
    return SemiLinear(numbers, Rest(system, rest, box, device) if any(rest.values()) else nothing)
