"""Readers: one file per format, and the rules that turn named arrays into a Field. `read` is the way in."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {"read": "pdenet.readers.reader"}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
