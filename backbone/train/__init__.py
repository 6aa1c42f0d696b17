"""Training: one loop, and one file per algorithm. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Gradient": "backbone.train.gradient",
    "History": "backbone.train.fit",
    "Observer": "backbone.train.fit",
    "Progress": "backbone.train.fit",
    "Update": "backbone.train.fit",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
