"""Training: one loop, and one file per algorithm. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Adversarial": "backbone.train.adversarial",
    "Fast": "backbone.train.pgd",
    "Free": "backbone.train.free",
    "Gradient": "backbone.train.gradient",
    "History": "backbone.train.fit",
    "Observer": "backbone.train.fit",
    "Passes": "backbone.train.adversarial",
    "Pgd": "backbone.train.pgd",
    "Progress": "backbone.train.fit",
    "Trades": "backbone.train.pgd",
    "Update": "backbone.train.fit",
    "Yopo": "backbone.train.yopo",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
