"""Classical denoisers to be measured against: each a `Baseline`, noisy image and noise level in, restored image out.

Names are imported on first use.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Baseline": "durr.baselines.baseline",
    "bayes_shrink": "durr.baselines.classical",
    "non_local_means": "durr.baselines.classical",
    "perona_malik": "durr.baselines.diffusion",
    "total_variation": "durr.baselines.classical",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
