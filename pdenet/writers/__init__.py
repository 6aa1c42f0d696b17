"""Writers of fields, one format a file; every file is there whole or not at all."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "check_output": "pdenet.writers.output",
    "write_field": "pdenet.writers.formats",
    "write_npz": "pdenet.writers.npz",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
