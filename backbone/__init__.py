"""The backbone: one integrator for every controlled differential equation, and what trains its control.

Names are imported on first use, so that `backbone.errors` comes without torch.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Adaptive": "backbone.adaptive",
    "ContinuousAdjoint": "backbone.adjoint",
    "Reversible": "backbone.reversible",
    "Branches": "backbone.structured",
    "SecondOrder": "backbone.structured",
    "Separable": "backbone.structured",
    "Split": "backbone.structured",
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
    "Sequential": "backbone.solve",
    "Solve": "backbone.solve",
    "Trajectory": "backbone.integrate",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
