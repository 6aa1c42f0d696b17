"""Options that every command on data files shares."""

from __future__ import annotations

from dataclasses import Field
from pathlib import Path
from typing import Annotated, Any

import typer

Files = Annotated[list[Path], typer.Argument(help="Data files or folders; several are several runs.")]
Var = Annotated[str | None, typer.Option("--var", help="Variables, as u,v; all by default.")]
Dims = Annotated[str | None, typer.Option("--dims", help="Axes of the arrays in their order, as run,time,y,x.")]
Dt = Annotated[float | None, typer.Option("--dt", help="Time between snapshots, if the file has no t.")]
Dx = Annotated[str | None, typer.Option("--dx", help="Grid spacing, one number or one per space axis, as 0.1,0.2.")]
Bc = Annotated[
    str | None,
    typer.Option("--bc", help="periodic, none, or one of them per space axis; judged by default."),
]
Complex = Annotated[
    str | None, typer.Option("--complex", help="split: complex variables u become uRe and uIm; refused by default.")
]
MaskNan = Annotated[
    bool, typer.Option("--mask-nan", help="Leave out values that are NaN or Inf, and their neighbours.")
]


def command_option(entry: Field[Any], hint: Any) -> Any:
    """The annotation of a command's parameter for one of the Options: its flag, its help and its bounds."""
    return Annotated[hint, typer.Option(f"--{entry.name.replace('_', '-')}", **entry.metadata)]
