"""Typed equations, `u_t = -u*u_x + 0.1*u_xx`: a small language, its tree, and an own parser (no eval).

A system is a list of lines separated by `;` or new lines. `NAME_t = ...` is an equation, and so is `NAME_tt = ...`,
which makes two variables, NAME and its velocity NAME_t; `NAME = ...` is a definition that later lines may use.
Operators + - * / ** ^, brackets, numbers, pi, the functions below, derivatives u_x u_xy u_{xx}, lap(u), invlap(u) (the
solution p of lap(p) = u with mean 0), coordinates x y z t.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backbone.errors import UsageError
from pdenet.equations.syntax import (
    FUNCTIONS,
    OPERATORS,
    RESERVED,
    SPACE,
    Call,
    Coordinate,
    InverseLaplacian,
    Node,
    Number,
    Power,
    Product,
    Sum,
    System,
    parts_of,
)
from pdenet.equations.terms import Factor, is_velocity, velocity
from pdenet.equations.tokens import Token, lines_of, tokenize, wrong

MAX_NESTING = 30
MAX_ORDER = 8  # of a derivative; far above any equation that a double can resolve
MAX_DEFINED = 2_000  # characters put in by definitions, which could otherwise double with every line

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[0-9]+)?")


@dataclass(frozen=True)
class Names:
    """What a name may mean: n_dims axes, evolved variables, constants, definitions with their size and nesting."""

    n_dims: int
    variables: tuple[str, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    definitions: Mapping[str, tuple[Node, int, int]] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[str, ...]:
        """Space axes of the box."""
        return SPACE[: self.n_dims]

    def known(self) -> list[str]:
        """All words that may stand in an expression, for suggestions."""
        derivatives = [f"{variable}_{axis}" for variable in self.variables for axis in self.axes]
        return [*self.variables, *derivatives, *self.definitions, *self.constants, *RESERVED]


def axes_used(text: str) -> int:
    """The least number of space dimensions that the names in the text need, 1 to 3."""
    names = [token.text for line in lines_of(text) for token in tokenize(line) if token.kind == "name"]
    letters = {letter for name in names for letter in _suffix(name)} | set(names)
    return 3 if "z" in letters else 2 if "y" in letters else 1


def _suffix(name: str) -> str:
    """The letters after the last underscore if they can be a derivative: `xy` of u_xy and u_{xy}, `txx` of u_txx."""
    suffix = name.rpartition("_")[2].strip("{}") if "_" in name else ""
    return suffix if suffix and set(suffix) <= {"t", *SPACE} else ""


def parse_system(text: str, n_dims: int | None = None, constants: Mapping[str, float] | None = None) -> System:
    """Read a system of equations; constants gives the values of named parameters.

    n_dims: dimensions of the box; None takes the least that the text needs. Raises UsageError, with a caret
    under the place, on anything that is not an equation, on unknown names and on axes that the box does not have.
    """
    lines = lines_of(text)
    names = Names(n_dims or axes_used(text), constants=constants or {})
    _demand_used(names.constants, lines)
    heads = [_head(line, names) for line in lines]
    names = replace(names, variables=_variables(heads))
    if not names.variables:
        raise wrong("no equation for a time derivative", lines[0], 0, cure="start with u_t = ...")
    rates: dict[str, Node] = {}
    for line, (name, order) in zip(lines, heads, strict=True):
        if name in rates or name in names.definitions:
            raise wrong(f"'{name}' is given twice", line, 0)
        parser = Parser(line, names)
        node = parser.right_side()
        if order == 2:
            rates |= {name: Factor(velocity(name)), velocity(name): node}
        elif order == 1:
            rates[name] = node
        else:
            entry = (node, len(line) + parser.defined, parser.deepest)
            names = replace(names, definitions={**names.definitions, name: entry})
    rates = {name: rates[name] for name in names.variables}
    return System(rates, {name: node for name, (node, _, _) in names.definitions.items()}, names.n_dims)


def _demand_used(constants: Mapping[str, float], lines: Iterable[str]) -> None:
    """Refuse a constant that the lines do not name, or that would hide a coordinate or a function."""
    words = {token.text for line in lines for token in tokenize(line)}
    for name in constants:
        if name in RESERVED or name not in words:
            what = "has another meaning" if name in RESERVED else "does not stand in the equation"
            raise UsageError(f"'{name}' {what}", where=f"parameter {name}", cure="u_t = nu*u_xx with --param nu=0.1")


def _variables(heads: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The evolved variables, all velocities behind them."""
    evolved = [name for name, order in heads if order > 0]
    return (*dict.fromkeys(evolved), *dict.fromkeys(velocity(name) for name, order in heads if order == 2))


def _head(line: str, names: Names) -> tuple[str, int]:
    """The name on the left of a line, and how many time derivatives of it stand there, none to two."""
    first, second = [*tokenize(line), Token("end", "the end of the line", len(line))][:2]
    if first.kind != "name" or second.text != "=":
        place = first if first.kind != "name" else second
        raise wrong(f"expected a left side such as 'u_t =', got '{place.text}'", line, place.column)
    name = re.sub(r"_(tt?|\{tt?\})$", "", first.text)
    if not _VARIABLE.fullmatch(name):
        cure = "u_t = ... or u_tt = ...; write a third time derivative as a system: u_tt = v; v_t = ..."
        raise wrong(f"'{first.text}' cannot stand on the left", line, first.column, cure)
    if name in RESERVED or name in names.constants:
        raise wrong(f"'{name}' has another meaning and cannot be a variable", line, first.column, "rename it, say u")
    return name, first.text.removeprefix(name).count("t")


def _folded(value: Callable[[], float | complex]) -> float | None:
    """The value of an operation on constants, None where it is not a finite real number."""
    try:
        number = value()
    except (ArithmeticError, ValueError):
        return None
    return number if isinstance(number, float) and math.isfinite(number) else None


class Parser:
    """Pratt parser of one line: each infix operator has a binding power, higher binds tighter."""

    POWERS: Mapping[str, int] = {"+": 10, "-": 10, "*": 20, "/": 20, "**": 30, "^": 30}

    def __init__(self, line: str, names: Names) -> None:
        self.line = line
        self.names = names
        self.tokens = tokenize(line)
        self.place = 0
        self.depth = 0
        self.deepest = 0  # nesting reached
        self.defined = 0  # characters put in by definitions

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def right_side(self) -> Node:
        """Everything after the equal sign."""
        self.place = 2
        node = self.expression(0)
        if self.token.kind != "end":
            raise self.wrong(f"expected an operator before '{self.token.text}'", self.token, "write products with *")
        return node

    def wrong(self, what: str, token: Token, cure: str = "") -> UsageError:
        return wrong(what, self.line, token.column, cure)

    def take(self) -> Token:
        token = self.token
        self.place += token.kind != "end"
        return token

    def expression(self, binding: int) -> Node:
        """The longest expression from here whose operators all bind tighter than `binding`."""
        self.nest(1)
        left = self.prefix()
        while self.POWERS.get(self.token.text, 0) > binding:
            operator = self.take()
            tightness = self.POWERS[operator.text]
            right = self.expression(tightness - 1 if tightness == 30 else tightness)  # powers group to the right
            left = self.joined(operator, left, right)
        self.depth -= 1
        return left

    def nest(self, levels: int) -> None:
        """Go some levels deeper; the tree is walked by recursion, so its depth is bounded."""
        self.depth += levels
        self.deepest = max(self.deepest, self.depth)
        if self.depth > MAX_NESTING:
            raise self.wrong(f"nested more than {MAX_NESTING} deep", self.token, "use definitions or fewer brackets")

    def prefix(self) -> Node:
        token = self.take()
        match token.kind, token.text:
            case "number", text:
                return self.constant(token, lambda: float(text))
            case "name", _:
                return self.call(token) if self.token.text == "(" else self.name(token)
            case "operator", "(":
                return self.closed(self.expression(0))
            case "operator", "-":
                return self.scaled(-1.0, self.expression(20))
            case "operator", "+":
                return self.expression(20)
        raise self.wrong(f"expected a number, a variable or '(', got '{token.text}'", token)

    def closed(self, node: Node) -> Node:
        if self.token.text != ")":
            raise self.wrong(f"expected ')', got '{self.token.text}'", self.token, "close every bracket")
        self.take()
        return node

    def constant(self, token: Token, value: Callable[[], float | complex]) -> Number:
        number = _folded(value)
        if number is None:
            raise self.wrong("this is not a finite real number", token, "use constants a double can hold")
        return Number(number)

    @staticmethod
    def scaled(number: float, node: Node) -> Node:
        return Number(number * node.value) if isinstance(node, Number) else Product((Number(number), node))

    def joined(self, operator: Token, left: Node, right: Node) -> Node:
        """left operator right, with constants folded; sums and products stay flat."""
        match operator.text, left, right:
            case (("**" | "^"), Number(a), Number(b)):
                return self.constant(operator, lambda: a**b)
            case (("**" | "^"), _, Number(b)):
                return Power(left, b)
            case (("**" | "^"), _, _):
                raise self.wrong("the exponent must be a number", operator, "u**2, or exp(v*log(u))")
            case "/", _, Number(b):
                inverse = self.constant(operator, lambda: 1.0 / b)
                return self.joined(replace(operator, text="*"), left, inverse)
            case "/", _, _:
                return Product((*parts_of(left, Product), Power(right, -1.0)))
            case "*", Number(a), Number(b):
                return self.constant(operator, lambda: a * b)
            case "*", _, _:
                return Product((*parts_of(left, Product), *parts_of(right, Product)))
            case _, Number(a), Number(b):
                return self.constant(operator, lambda: a + b if operator.text == "+" else a - b)
        right = right if operator.text == "+" else self.scaled(-1.0, right)
        return Sum((*parts_of(left, Sum), *parts_of(right, Sum)))

    def call(self, name: Token) -> Node:
        self.take()
        argument = self.closed(self.expression(0))
        if name.text in OPERATORS:
            return self.applied(name, argument)
        if name.text not in FUNCTIONS:
            raise self.unknown("function", name, [*FUNCTIONS, *OPERATORS])
        if isinstance(argument, Number):
            return self.constant(name, lambda: float(FUNCTIONS[name.text](argument.value)))
        return Call(name.text, argument)

    def applied(self, name: Token, node: Node) -> Node:
        """lap or invlap of a sum of constants times variables or derivatives."""
        match node:
            case Factor() if name.text == "invlap":
                return InverseLaplacian(node)
            case Factor(variable, derivative):
                terms = tuple(self.derivative(name, variable, derivative + 2 * axis) for axis in self.names.axes)
                return terms[0] if len(terms) == 1 else Sum(terms)
            case Sum(terms):
                parts = [parts_of(self.applied(name, term), Sum) for term in terms]
                return Sum(tuple(part for several in parts for part in several))
            case Product((Number(), rest)):
                return Product((node.factors[0], self.applied(name, rest)))
        raise self.wrong(f"{name.text}() takes a variable, a derivative or a sum of them", name, "lap(u)")

    def derivative(self, token: Token, variable: str, letters: str) -> Factor:
        if len(letters) > MAX_ORDER:
            raise self.wrong(f"a derivative of order {len(letters)}; at most {MAX_ORDER}", token)
        return Factor(variable, letters)

    def name(self, token: Token) -> Node:
        """What a name stands for."""
        text, names = token.text, self.names
        if text == "pi":
            return Number(math.pi)
        if text in names.constants:
            return Number(names.constants[text])
        if text in names.definitions:
            return self.definition(token)
        if text in names.variables:
            return Factor(text)
        if text == "t" or text in names.axes:
            return Coordinate(text)
        base, _, suffix = text.rpartition("_")
        letters = suffix.strip("{}")
        if velocity(base) in names.variables and "t" in letters:
            return self.of_variable(token, velocity(base), letters.replace("t", "", 1))
        if base in names.variables:
            return self.of_variable(token, base, letters)
        if base in names.definitions:
            raise self.wrong(f"'{base}' is a definition: its derivatives have no name", token, "define them too")
        if text in SPACE:
            raise self.wrong(f"'{text}': the box has only the axes {', '.join(names.axes)}", token, "--grid 64x64")
        raise self.unknown("variable", token, names.known())

    def of_variable(self, token: Token, variable: str, letters: str) -> Factor:
        """The derivative of a variable; the caret goes under the first letter that is no axis."""
        axes = self.names.axes
        at = replace(token, column=token.column + len(variable) + (0 if is_velocity(variable) else 1))
        if letters == "t":
            raise self.wrong("a time derivative stands on the left only", at)
        odd = [letter for letter in letters if letter not in axes]
        if odd or not (letters or is_velocity(variable)):
            what = f"'{token.text}': '{odd[0] if odd else ''}' is not an axis; the axes are {', '.join(axes)}"
            raise self.wrong(what, at, str(Factor(variable, "x")) if odd and odd[0] not in SPACE else "--grid 64x64")
        return self.derivative(token, variable, letters)

    def definition(self, token: Token) -> Node:
        node, size, depth = self.names.definitions[token.text]
        self.defined += size
        if self.defined > MAX_DEFINED:
            raise self.wrong("the definitions make this line too long", token, "use fewer definitions")
        self.nest(depth)
        self.depth -= depth
        return node

    def unknown(self, kind: str, token: Token, known: Iterable[str]) -> UsageError:
        near = difflib.get_close_matches(token.text, list(known), n=1)
        names = ", ".join(self.names.variables)
        cure = f"did you mean {near[0]}?" if near else f"use {names}, their derivatives, or --param {token.text}=1"
        return self.wrong(f"unknown {kind} '{token.text}'", token, cure)
