"""Terms of an equation: products of variables and their derivatives, written `u*u_x`, `u**2`, `u_xy`.

An equation for u_tt has two variables, u and its velocity `u_t`, with derivatives such as `u_txx`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from backbone.errors import UsageError

_FACTOR = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9]*(?:_[0-9]+)?)(?:_(?=.)(?P<velocity>t?)(?P<derivative>[xyz]*))?")


def velocity(name: str) -> str:
    """The variable `u_t` beside u."""
    return f"{name}_t"


def is_velocity(name: str) -> bool:
    """Whether a variable is the velocity of another one."""
    return name.endswith("_t")


def rate(name: str) -> str:
    """The left side of a variable's equation: `u_t` of u, `u_tt` of u_t."""
    return f"{name}t" if is_velocity(name) else velocity(name)


@dataclass(frozen=True, order=True)
class Factor:
    """A variable or one of its space derivatives: Factor("u", "xy") is u_xy, Factor("u_t", "x") is u_tx.

    Letters are kept sorted.
    """

    variable: str
    derivative: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "derivative", "".join(sorted(self.derivative)))

    @property
    def measured(self) -> str:
        """The variable that this is a derivative of, in time as well: u of u_tx."""
        return self.variable.removesuffix("_t")

    @property
    def letters(self) -> str:
        """The axes of that derivative, t first: tx of u_tx."""
        return "t" * is_velocity(self.variable) + self.derivative

    @property
    def order(self) -> int:
        """Order of the derivative in space."""
        return len(self.derivative)

    def __str__(self) -> str:
        if not self.derivative:
            return self.variable
        return f"{self.variable}{'' if is_velocity(self.variable) else '_'}{self.derivative}"

    @classmethod
    def parse(cls, text: str) -> Factor:
        """Read `u` or `u_xy`; UsageError on anything else."""
        match = _FACTOR.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"'{text}' is not a variable or a derivative", where="term", cure="write u, u_x or u_xy")
        return cls(velocity(match["name"]) if match["velocity"] else match["name"], match["derivative"] or "")


@dataclass(frozen=True)
class Term:
    """A product of factors with powers; the empty product is the constant `1`. Equal products compare equal."""

    powers: tuple[tuple[Factor, int], ...] = ()

    @classmethod
    def product(cls, factors: Iterable[Factor]) -> Term:
        """The product of the factors, repeated ones as powers; undifferentiated variables come first."""
        counts = Counter(factors)
        return cls(tuple(sorted(counts.items(), key=lambda item: (item[0].order, item[0]))))

    @classmethod
    def parse(cls, text: str) -> Term:
        """Read `u*u_x`, `u**2*v` or `1`; UsageError on anything else."""
        factors: list[Factor] = []
        for piece in text.replace(" ", "").replace("**", "^").split("*"):
            if piece == "1":
                continue
            base, _, power = piece.partition("^")
            if power and not (power.isdigit() and int(power) > 0):
                raise UsageError(
                    f"power '{power}' in '{text}' is not a positive whole number", where="term", cure="write u**2*u_x"
                )
            factors += [Factor.parse(base)] * int(power or 1)
        return cls.product(factors)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors, repeated by their powers."""
        return tuple(factor for factor, power in self.powers for _ in range(power))

    @property
    def degree(self) -> int:
        """Number of factors."""
        return sum(power for _, power in self.powers)

    @property
    def order(self) -> int:
        """Sum of the derivative orders of all factors."""
        return sum(factor.order * power for factor, power in self.powers)

    def __str__(self) -> str:
        if not self.powers:
            return "1"
        return "*".join(f"{factor}**{power}" if power > 1 else str(factor) for factor, power in self.powers)
