"""Schemes: how a step in time is taken, one file per family. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Memory": "backbone.schemes.scheme",
    "Scheme": "backbone.schemes.scheme",
    "Euler": "backbone.schemes.explicit",
    "Heun": "backbone.schemes.explicit",
    "Midpoint": "backbone.schemes.explicit",
    "RK4": "backbone.schemes.explicit",
    "ETDRK4": "backbone.schemes.exponential",
    "ImplicitTrapezoid": "backbone.schemes.implicit",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
