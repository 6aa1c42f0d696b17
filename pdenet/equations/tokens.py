"""Pieces of a typed line, and errors that point at them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backbone.errors import UsageError

MAX_CHARACTERS = 10_000
WINDOW = 60  # characters shown on either side of a mistake

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9]*(?:_(?:\{[A-Za-z0-9]*\}|[A-Za-z0-9]+))*)"
    r"|(?P<operator>\*\*|[-+*/^()=])"
    r"|(?P<space>[ ]+)"
)


@dataclass(frozen=True)
class Token:
    """A piece of a line: kind is number, name, operator or end."""

    kind: str
    text: str
    column: int


def wrong(what: str, line: str, column: int, cure: str = "") -> UsageError:
    """A UsageError that shows the line with a caret under the place."""
    start = max(0, column - WINDOW)
    caret = " " * (column - start) + "^"
    where = f"the equation\n    {line[start : column + WINDOW]}\n    {caret}"
    return UsageError(what, where=where, cure=cure or "u_t = -u*u_x + 0.1*u_xx")


def tokenize(line: str) -> list[Token]:
    """The pieces of one line, with an end mark; UsageError at a character that means nothing."""
    tokens, column = [], 0
    while column < len(line):
        match = _TOKEN.match(line, column)
        if match is None:
            raise wrong(f"unexpected character {line[column]!r}", line, column)
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), column))
        column = match.end()
    return [*tokens, Token("end", "the end of the line", len(line))]


def lines_of(text: str) -> list[str]:
    """The lines of a system, empty ones left out."""
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"{len(text)} characters; at most {MAX_CHARACTERS}", where="the equation", cure="shorten it")
    lines = [re.sub(r"[\t\r\f\v]", " ", line) for line in re.split(r"[;\n]", text)]
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        raise UsageError("no equation", where="the equation", cure="u_t = -u*u_x + 0.1*u_xx")
    return lines
