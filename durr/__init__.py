"""Restoration of images by moving-endpoint control. The public names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Restored": "durr.restorer",
    "Restorer": "durr.restorer",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
