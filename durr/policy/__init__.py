"""The stopping time as a learned control: a policy looks at every state and says continue or stop.

Names are imported on first use.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Comparison": "durr.policy.compare",
    "Paths": "durr.policy.paths",
    "PolicyEndpoint": "durr.policy.endpoint",
    "PolicyRule": "durr.policy.endpoint",
    "PolicyUnit": "durr.policy.unit",
    "QLearning": "durr.policy.q_learning",
    "compare": "durr.policy.compare",
    "follow": "durr.policy.paths",
    "learn_rules": "durr.policy.learn",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
