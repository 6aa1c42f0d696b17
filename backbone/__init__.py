"""The backbone: one integrator for every controlled differential equation, and what trains its control.

Names are imported on first use, so that `backbone.errors` comes without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Autonomous": "backbone.dynamics",
    "Dynamics": "backbone.dynamics",
    "Layered": "backbone.dynamics",
    "SemiLinear": "backbone.dynamics",
    "Shared": "backbone.dynamics",
    "VectorField": "backbone.dynamics",
    "AfterSteps": "backbone.endpoint",
    "Endpoint": "backbone.endpoint",
    "Backprop": "backbone.gradients",
    "Checkpoint": "backbone.gradients",
    "Gradient": "backbone.gradients",
    "Grid": "backbone.grid",
    "Sequential": "backbone.integrate",
    "Solve": "backbone.integrate",
    "Trajectory": "backbone.integrate",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
