"""Equations read back from the LaTeX that is printed here, and from the like of it."""

from __future__ import annotations

import re

from backbone.errors import Failure, UsageError
from pdenet.equations.equation import Equation

# what is printed and what that is in plain text, in the order in which it can be undone
_NAMES = (
    (r"\\mathrm\{([A-Za-z0-9]+)\}", r"\1"),
    (r"_\{([0-9]+)\}", r"_\1"),
    (r"\\(?!partial|frac|left|right|times|pm)([A-Za-z]+)", r"\1"),  # Greek letters
)
_MARKS = (
    (r" ?\\times 10\^\{(-?[0-9]+)\}", r"e\1"),
    (r"\(([^()]*?) \\pm [^()]*\)", r"\1"),  # a coefficient with its standard error
    (r"\\left\(([^()]*?)\\right\)", r"\1"),
    (r"\^\{([0-9]+)\}", r"**\1"),
    (r" ?\\, ?", "*"),
)
_PARTIAL = r"\\partial(?:\^\{[0-9]+\})?"
_FRACTION = re.compile(rf"\\frac\{{{_PARTIAL} (?P<name>[^{{}}]+)\}}\{{(?P<below>(?:[^{{}}]|\{{[0-9]+\}})+)\}}")
_BELOW = re.compile(r"\\partial (?P<axis>[txyz])(?:\^\{(?P<order>[0-9]+)\})?")


def parse_latex(text: str) -> Equation:
    r"""The equation printed as `\frac{\partial u}{\partial t} = 0.1 \, \frac{\partial^{2} u}{\partial x^{2}}`.

    Exact if every digit was printed; standard errors are left out. Raises UsageError for anything else.
    """
    plain = _undone(_FRACTION.sub(_derivative, _undone(text.strip(), _NAMES)), _MARKS)
    try:
        return Equation.parse(plain)
    except Failure as failure:
        raise UsageError(
            f"cannot read this LaTeX: {failure.what}",
            where=f"equation '{text}'",
            cure="print it as text: pdenet-durr equation RUN --format text",
        ) from failure


def _undone(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for printed, plain in pairs:
        text = re.sub(printed, plain, text)
    return text


def _derivative(fraction: re.Match[str]) -> str:
    """`u_xxy` from its fraction."""
    letters = "".join(piece["axis"] * int(piece["order"] or 1) for piece in _BELOW.finditer(fraction["below"]))
    return f"{fraction['name']}_{letters}"
