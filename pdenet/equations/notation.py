"""How equations are written for people: plain text, Unicode and LaTeX."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pdenet.equations.equation import Equation, rounded, scaled, signed_sum
from pdenet.equations.terms import Factor

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


def _unicode_factor(factor: Factor, power: int) -> str:
    def raised(symbol: str, to: int) -> str:
        return symbol + (str(to).translate(_SUPERSCRIPT) if to > 1 else "")

    if not factor.derivative:
        return raised(factor.variable, power)
    below = "".join(raised(f"∂{axis}", count) for axis, count in sorted(Counter(factor.derivative).items()))
    fraction = f"{raised('∂', factor.order)}{factor.variable}/{below}"
    return f"({fraction}){str(power).translate(_SUPERSCRIPT)}" if power > 1 else fraction


def _latex_number(digits: str) -> str:
    mantissa, exponential, exponent = digits.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponential else mantissa


def _latex_name(name: str) -> str:
    base, _, index = name.partition("_")
    symbol = rf"\{base}" if _GREEK.fullmatch(base) else base if len(base) == 1 else rf"\mathrm{{{base}}}"
    return f"{symbol}_{{{index}}}" if index else symbol


def _latex_factor(factor: Factor, power: int) -> str:
    def raised(symbol: str, to: int) -> str:
        return f"{symbol}^{{{to}}}" if to > 1 else symbol

    if not factor.derivative:
        name = _latex_name(factor.variable)
        return raised(name, power)
    below = r" \, ".join(raised(f"{PARTIAL} {axis}", n) for axis, n in sorted(Counter(factor.derivative).items()))
    above = f"{raised(PARTIAL, factor.order)} {_latex_name(factor.variable)}"
    fraction = rf"\frac{{{above}}}{{{below}}}"
    return raised(rf"\left({fraction}\right)", power) if power > 1 else fraction


NOTATIONS = {
    "text": Notation(left="{}_t".format, number=str, factor=_text_factor, times="*"),
    "unicode": Notation(
        left="∂{}/∂t".format, number=_unicode_number, factor=_unicode_factor, times=" ", minus="−", plus_minus="±"
    ),
    "latex": Notation(
        left=lambda name: rf"\frac{{\partial {_latex_name(name)}}}{{\partial t}}",
        number=_latex_number,
        factor=_latex_factor,
        times=r" \, ",
        plus_minus=r"\pm",
    ),
}
