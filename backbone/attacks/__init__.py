"""Attacks: perturbations of pictures, too small to be seen, that a network gets wrong."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Apgd": "backbone.attacks.apgd",
    "Attack": "backbone.attacks.attack",
    "Box": "backbone.attacks.box",
    "PgdAttack": "backbone.attacks.pgd",
    "robust_accuracy": "backbone.attacks.attack",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
