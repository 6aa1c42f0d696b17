"""The backbone: one integrator for every controlled differential equation, and what trains its control.

Names are imported on first use, so that `backbone.errors` comes without torch.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Adaptive": "backbone.adaptive",
    "ContinuousAdjoint": "backbone.adjoint",
    "Evolved": "backbone.control",
    "Particles": "backbone.control",
    "PiecewiseLinear": "backbone.control",
    "Augmented": "backbone.density",
    "Autonomous": "backbone.dynamics",
    "Dynamics": "backbone.dynamics",
    "Layered": "backbone.dynamics",
    "SemiLinear": "backbone.dynamics",
    "Shared": "backbone.dynamics",
    "VectorField": "backbone.dynamics",
    "AfterSteps": "backbone.endpoint",
    "Endpoint": "backbone.endpoint",
    "Flow": "backbone.flow",
    "Backprop": "backbone.gradients",
    "Checkpoint": "backbone.gradients",
    "Gradient": "backbone.gradients",
    "Grid": "backbone.grid",
    "Mgrit": "backbone.layer_parallel",
    "Trajectory": "backbone.integrate",
    "Reversible": "backbone.reversible",
    "Sequential": "backbone.solve",
    "Solve": "backbone.solve",
    "Branches": "backbone.structured",
    "SecondOrder": "backbone.structured",
    "Separable": "backbone.structured",
    "Split": "backbone.structured",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
