"""Picture files: reading, writing and naming them. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Picture": "durr.images.picture",
    "encode_picture": "durr.images.writer",
    "encode_stack": "durr.images.writer",
    "plan": "durr.images.naming",
    "read_picture": "durr.images.reader",
    "read_stack": "durr.images.reader",
    "write_picture": "durr.images.writer",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
