"""`pdenet-durr equation`: the equations a run found, in any format, alone on stdout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug

FORMATS = "text, unicode, latex, sympy, python, py-pde or json"


def equation(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of learn.")],
    form: Annotated[str, typer.Option("--format", "-f", help=f"{FORMATS}.")] = "text",
    digits: Annotated[int, typer.Option("--digits", min=1, max=17, help="Significant digits; json has all.")] = 4,
    errors: Annotated[
        bool, typer.Option("--errors/--no-errors", help="Show the standard error of each number.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every candidate that was weighed, the chosen ones marked.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Of a stopped run, show the equations of its last checkpoint.")
    ] = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Print the equations that a run found."""
    from pdenet.learned.candidates import read_candidates
    from pdenet.learned.printing import check_words, print_candidates, print_learned
    from pdenet.learned.reading import read_learned

    check_words(form, everything=everything)
    if everything:
        print(print_candidates(read_candidates(run), form, digits))
    else:
        learned = read_learned(run, allow_partial=allow_partial)
        print(print_learned(learned, form, digits, errors=errors))
