"""Numbers in text files: delimiter, header and missing cells are found, everything else must be a number."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError

DELIMITERS = (",", ";", "\t")  # else blanks
MISSING = {"", "na", "n/a", "nan", "null", "none", "--"}  # what cells without a number hold, in lower case
COMMENT = "#"


@dataclass(frozen=True)
class Text:
    """names: of the columns, without units in brackets; empty if the file has no header."""

    names: tuple[str, ...]
    numbers: Float64[np.ndarray, "row column"]


def parse_text(path: Path) -> Text:
    """The numbers of a file in rows and columns, NaN where a cell is missing.

    The header is the first line if it is no numbers, or the last comment before them if it has as many words.
    Raises InputError for dates or a header alone, ValueError with row and column for other words among the numbers.
    """
    head, comment, skipped = _first_lines(path)
    delimiter = next((mark for mark in DELIMITERS if mark in head), None)
    cells = _cells(head, delimiter)
    has_header = not all(_is_number(cell) for cell in cells)
    commented = _cells(comment, delimiter)
    names = cells if has_header else commented if len(commented) == len(cells) and comment else []
    first_row = _first_row(path, skipped + has_header)
    if not first_row:
        raise InputError(
            f"the table has a header, {head}, and no rows",
            where=str(path),
            cure="write one line a point under the header, or export the table again",
        )
    try:
        numbers = _numbers(path, delimiter, skipped + has_header)
    except ValueError as error:
        raise _dates(_cells(first_row, delimiter), path) or error from error
    if names and len(names) != numbers.shape[1]:
        raise ValueError(f"the header has {len(names)} names for {numbers.shape[1]} columns")
    return Text(tuple(re.sub(r"\s*[\[(].*", "", name) for name in names), numbers)


def _first_lines(path: Path) -> tuple[str, str, int]:
    """The first line that is no comment, the comment before it, and how many lines stand before it."""
    comment = ""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file):
            if line.startswith(COMMENT):
                comment = line.lstrip(COMMENT).strip()
            elif line.strip():
                return line.strip(), comment, number
    raise ValueError("it holds no numbers")


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _numbers(path: Path, delimiter: str | None, skipped: int) -> Float64[np.ndarray, "row column"]:
    """All rows, by the fast way; if that fails, by the slower one that knows missing cells."""
    try:
        return _load(path, delimiter, skipped, None)
    except ValueError:
        return _load(path, delimiter, skipped, _number)


def _load(
    path: Path, delimiter: str | None, skipped: int, converter: Callable[[str], float] | None
) -> Float64[np.ndarray, "row column"]:
    with path.open(encoding="utf-8-sig") as file:
        return np.loadtxt(
            file,
            delimiter=delimiter,
            skiprows=skipped,
            comments=COMMENT,
            ndmin=2,
            quotechar='"',
            converters=converter,
        )


def _number(cell: str) -> float:
    return float("nan") if cell.strip().lower() in MISSING else float(cell)


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _first_row(path: Path, skipped: int) -> str:
    """The first line of numbers; empty if there is none."""
    with path.open(encoding="utf-8-sig") as file:
        rows = (text for k, text in enumerate(file) if k >= skipped and text.strip() and not text.startswith(COMMENT))
        return next(rows, "")


def _dates(row: list[str], path: Path) -> InputError | None:
    """The error for dates in the first row of the table; None if it has none."""
    for cell in row:
        if not _is_number(cell) and re.match(r"\d{4}-\d{2}", cell):
            return InputError(
                f"'{cell}' is a date; times must be numbers in the unit that coefficients shall have",
                where=str(path),
                cure="write the seconds (or days) since the first time in their place",
            )
    return None
