"""Equations as source code: SymPy expressions, and a Python function of NumPy arrays."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Sequence

from pdenet.equations.equation import Equation
from pdenet.equations.notation import Notation
from pdenet.equations.terms import Factor, rate


def sympy_source(equations: Sequence[Equation], digits: int | None) -> str:
    """One `Eq(Derivative(u(t, x), t), ...)` a line, for `sympy.sympify`."""
    notation = _sympy_notation(equations)
    return "\n".join(
        f"Eq({notation.left(equation.variable)}, {notation.right_side(equation, digits)})" for equation in equations
    )


def _sympy_notation(equations: Sequence[Equation]) -> Notation:
    """Variables are functions of t and of the space axes up to the last one that the terms differentiate along."""
    letters = {
        axis
        for equation in equations
        for term in equation.terms
        for factor in term.factors
        for axis in factor.derivative
    }
    axes = ("t", *("xyz"[: max("xyz".index(axis) for axis in letters | {"x"}) + 1]))
    arguments = ", ".join(axes)

    def derivative(name: str, letters: str) -> str:
        function = f"{identifier(name)}({arguments})"
        along = ", ".join(axis if n == 1 else f"({axis}, {n})" for axis, n in Counter(letters).items())
        return f"Derivative({function}, {along})" if along else function

    def factor_text(factor: Factor, power: int) -> str:
        body = derivative(factor.measured, factor.letters)
        return f"{body}**{power}" if power > 1 else body

    def left(variable: str) -> str:
        moved = Factor(variable)
        return derivative(moved.measured, f"t{moved.letters}")

    return Notation(left=left, number=str, factor=factor_text, times="*")


def python_source(equations: Sequence[Equation], digits: int | None) -> str:
    """Source of a function of NumPy arrays, with no imports and nothing to run but its definition."""

    def name(factor: Factor) -> str:
        return identifier(str(factor))

    def factor_text(factor: Factor, power: int) -> str:
        return f"{name(factor)}**{power}" if power > 1 else name(factor)

    notation = Notation(left=rate, number=str, factor=factor_text, times=" * ")
    unknowns = [Factor(equation.variable) for equation in equations]
    used = {factor for equation in equations for term in equation.terms for factor in term.factors}
    arguments = [*unknowns, *sorted(used - set(unknowns), key=lambda factor: (factor.order, factor))]
    lines = [f"def rhs({', '.join(map(name, arguments))}):", '    """Time derivatives, from arrays of equal shape.', ""]
    lines += [f"    {equation.to_text(digits)}" for equation in equations]
    lines.append('    """')
    for equation, unknown in zip(equations, unknowns, strict=True):
        # constants alone would lose the shape of the arrays
        shape = "" if any(term.powers for term in equation.terms) else f" + 0.0 * {name(unknown)}"
        lines.append(f"    {equation.lhs} = {notation.right_side(equation, digits)}{shape}")
    return "\n".join([*lines, f"    return {', '.join(equation.lhs for equation in equations)}"])


def identifier(name: str) -> str:
    """The name, with an underscore behind the words that Python keeps for itself."""
    return f"{name}_" if keyword.iskeyword(name) else name
