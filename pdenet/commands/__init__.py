"""Commands on PDE data: inspect, simulate, learn, equation, forecast, bench pde."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from backbone.commands import shell
from pdenet.commands.bench import bench_pde
from pdenet.commands.equation import equation
from pdenet.commands.forecast import forecast
from pdenet.commands.inspect import inspect
from pdenet.commands.learn import learn
from pdenet.commands.simulate import simulate

COMMANDS = {
    "inspect": inspect,
    "simulate": simulate,
    "learn": learn,
    "equation": equation,
    "forecast": forecast,
    "bench pde": bench_pde,
}


def register(app: typer.Typer) -> None:
    """Add this room's commands to the application."""
    shell.register(app, COMMANDS)


def checkables() -> Mapping[str, Any]:
    """What of this room `backbone check` checks, by name."""
    from pdenet.checks import CHECKABLES

    return CHECKABLES
