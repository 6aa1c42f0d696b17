"""The backbone: one integrator for every controlled differential equation, and what trains its control.

Names are imported on first use, so that `backbone.errors` comes without torch.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Autonomous": "backbone.dynamics",
    "Dynamics": "backbone.dynamics",
    "Layered": "backbone.dynamics",
    "SemiLinear": "backbone.dynamics",
    "Shared": "backbone.dynamics",
    "VectorField": "backbone.dynamics",
    "AfterSteps": "backbone.endpoint",
    "Endpoint": "backbone.endpoint",
    "Backprop": "backbone.gradients",
    "Checkpoint": "backbone.gradients",
    "Gradient": "backbone.gradients",
    "Flow": "backbone.flow",
    "Grid": "backbone.grid",
    "Sequential": "backbone.integrate",
    "Solve": "backbone.integrate",
    "Trajectory": "backbone.integrate",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
