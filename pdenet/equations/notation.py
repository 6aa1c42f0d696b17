"""How equations are written for people: plain text, Unicode and LaTeX."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pdenet.equations.equation import Equation, rounded, scaled, signed_sum
from pdenet.equations.terms import Factor, rate

ERROR_DIGITS = 2
ALL_DIGITS = 17  # of a double

PARTIAL = r"\partial"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_GREEK = re.compile(
    "alpha|beta|[gG]amma|[dD]elta|epsilon|zeta|eta|[tT]heta|iota|kappa|[lL]ambda|mu|nu|[xX]i|[pP]i|rho|[sS]igma|tau|"
    "[uU]psilon|[pP]hi|chi|[pP]si|[oO]mega"
)


@dataclass(frozen=True)
class Notation:
    """How one format writes the parts of `u_t = number * factor**power ... + ...`.

    left: of the variable. number: of the digits of a positive number. factor: of a factor and its power.
    times: between number and factors. minus, plus_minus: the signs.
    """

    left: Callable[[str], str]
    number: Callable[[str], str]
    factor: Callable[[Factor, int], str]
    times: str
    minus: str = "-"
    plus_minus: str = "+-"

    def line(self, equation: Equation, digits: int | None, *, errors: bool) -> str:
        """One equation; with `errors`, (coefficient +- standard error) for each term, with digits to match."""
        return f"{self.left(equation.variable)} = {self.right_side(equation, digits, errors=errors)}"

    def right_side(self, equation: Equation, digits: int | None, *, errors: bool = False) -> str:
        """The sum of the terms."""
        pieces = []
        for k, (term, coefficient) in enumerate(zip(equation.terms, equation.coefficients, strict=True)):
            shown = enough_digits(coefficient, equation.errors[k], digits) if errors else digits
            number = self.number(rounded(abs(coefficient), shown))
            if errors:
                number = f"({number} {self.plus_minus} {self.number(rounded(equation.errors[k], ERROR_DIGITS))})"
            factors = [self.factor(factor, power) for factor, power in term.powers]
            pieces.append((coefficient < 0, scaled(number, factors, self.times)))
        return signed_sum(pieces, self.minus)


def enough_digits(number: float, error: float, least: int | None) -> int | None:
    """Significant digits of a number down to the last one of its standard error, and no fewer than `least`.

    So the rounding never hides what the error says is known; 17 are all that a double has.
    """
    if least is None or number == 0.0 or error == 0.0:
        return least
    last_place = math.floor(math.log10(error)) - ERROR_DIGITS + 1
    return min(max(least, math.floor(math.log10(abs(number))) - last_place + 1), ALL_DIGITS)


def _text_factor(factor: Factor, power: int) -> str:
    return f"{factor}**{power}" if power > 1 else str(factor)


def _unicode_number(digits: str) -> str:
    mantissa, exponential, exponent = digits.partition("e")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponential else mantissa


def _unicode_raised(symbol: str, to: int) -> str:
    return symbol + (str(to).translate(_SUPERSCRIPT) if to > 1 else "")


def _unicode_derivative(name: str, letters: str) -> str:
    below = "".join(_unicode_raised(f"∂{axis}", count) for axis, count in Counter(letters).items())
    return f"{_unicode_raised('∂', len(letters))}{name}/{below}"


def _unicode_factor(factor: Factor, power: int) -> str:
    if not factor.letters:
        return _unicode_raised(factor.variable, power)
    fraction = _unicode_derivative(factor.measured, factor.letters)
    return f"({fraction}){str(power).translate(_SUPERSCRIPT)}" if power > 1 else fraction


def _latex_number(digits: str) -> str:
    mantissa, exponential, exponent = digits.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponential else mantissa


def _latex_name(name: str) -> str:
    base, _, index = name.partition("_")
    symbol = rf"\{base}" if _GREEK.fullmatch(base) else base if len(base) == 1 else rf"\mathrm{{{base}}}"
    return f"{symbol}_{{{index}}}" if index else symbol


def _latex_raised(symbol: str, to: int) -> str:
    return f"{symbol}^{{{to}}}" if to > 1 else symbol


def _latex_derivative(name: str, letters: str) -> str:
    below = r" \, ".join(_latex_raised(f"{PARTIAL} {axis}", n) for axis, n in Counter(letters).items())
    return rf"\frac{{{_latex_raised(PARTIAL, len(letters))} {_latex_name(name)}}}{{{below}}}"


def _latex_factor(factor: Factor, power: int) -> str:
    if not factor.letters:
        return _latex_raised(_latex_name(factor.variable), power)
    fraction = _latex_derivative(factor.measured, factor.letters)
    return _latex_raised(rf"\left({fraction}\right)", power) if power > 1 else fraction


def _left(derivative: Callable[[str, str], str]) -> Callable[[str], str]:
    """How a notation of derivatives writes the left side of a variable's equation."""

    def left(variable: str) -> str:
        moved = Factor(variable)
        return derivative(moved.measured, f"t{moved.letters}")

    return left


NOTATIONS = {
    "text": Notation(left=rate, number=str, factor=_text_factor, times="*"),
    "unicode": Notation(
        left=_left(_unicode_derivative),
        number=_unicode_number,
        factor=_unicode_factor,
        times=" ",
        minus="−",
        plus_minus="±",
    ),
    "latex": Notation(
        left=_left(_latex_derivative),
        number=_latex_number,
        factor=_latex_factor,
        times=r" \, ",
        plus_minus=r"\pm",
    ),
}
