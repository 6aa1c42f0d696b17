"""Schemes: how a step in time is taken, one file per family. Names are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Memory": "backbone.schemes.scheme",
    "Scheme": "backbone.schemes.scheme",
    "Euler": "backbone.schemes.explicit",
    "Heun": "backbone.schemes.explicit",
    "Midpoint": "backbone.schemes.explicit",
    "RK4": "backbone.schemes.explicit",
    "ETDRK4": "backbone.schemes.exponential",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
