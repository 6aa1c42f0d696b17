"""`pdenet-durr equation`: the equations a run found, in any format, alone on stdout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug

FORMATS = "text, unicode, latex, sympy, python or json"


def equation(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of learn.")],
    form: Annotated[str, typer.Option("--format", "-f", help=f"{FORMATS}.")] = "text",
    digits: Annotated[int, typer.Option("--digits", min=1, max=17, help="Significant digits; json has all.")] = 4,
    errors: Annotated[
        bool, typer.Option("--errors/--no-errors", help="Show the standard error of each number.")
    ] = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Print the equations that a run found."""
    from pdenet.equations.printing import check_format, format_equations
    from pdenet.equations.run_equations import read_equations

    check_format(form)
    print(format_equations(read_equations(run), form, digits, errors=errors))
