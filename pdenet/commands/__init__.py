"""Commands on PDE data: inspect, simulate, learn, equation."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add this room's commands to the application."""
