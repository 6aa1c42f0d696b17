"""Training: one loop, and one file per algorithm. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Adversarial": "backbone.train.adversarial",
    "Fast": "backbone.train.pgd",
    "Free": "backbone.train.free",
    "Gradient": "backbone.train.gradient",
    "History": "backbone.train.fit",
    "LayerParallel": "backbone.train.layer_parallel",
    "Msa": "backbone.train.msa",
    "Multilevel": "backbone.train.multilevel",
    "NewtonPcg": "backbone.train.newton_pcg",
    "Observer": "backbone.train.fit",
    "Passes": "backbone.train.adversarial",
    "Pgd": "backbone.train.pgd",
    "Progress": "backbone.train.fit",
    "Trades": "backbone.train.pgd",
    "TwoPhase": "backbone.train.two_phase",
    "Update": "backbone.train.fit",
    "Yopo": "backbone.train.yopo",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
