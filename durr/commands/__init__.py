"""Commands on images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from backbone.commands import shell

COMMANDS: dict[str, Callable[..., Any]] = {}


def register(app: typer.Typer) -> None:
    """Add this room's commands to the application."""
    shell.register(app, COMMANDS)
