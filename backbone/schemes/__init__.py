"""Schemes: how a step in time is taken, one file per family. Names are imported on first use."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Memory": "backbone.schemes.scheme",
    "Scheme": "backbone.schemes.scheme",
    "DormandPrince": "backbone.schemes.explicit",
    "Euler": "backbone.schemes.explicit",
    "Heun": "backbone.schemes.explicit",
    "Midpoint": "backbone.schemes.explicit",
    "RK4": "backbone.schemes.explicit",
    "ETDRK4": "backbone.schemes.exponential",
    "BackwardEuler": "backbone.schemes.implicit",
    "ImplicitTrapezoid": "backbone.schemes.implicit",
    "AB3": "backbone.schemes.adams",
    "LinearMultistep": "backbone.schemes.linear_multistep",
    "Picard": "backbone.schemes.polynomial",
    "Poly": "backbone.schemes.polynomial",
    "Fractal": "backbone.schemes.fractal",
    "SymplecticEuler": "backbone.schemes.symplectic",
    "Verlet": "backbone.schemes.symplectic",
    "Leapfrog": "backbone.schemes.leapfrog",
    "LieTrotter": "backbone.schemes.splitting",
    "Strang": "backbone.schemes.splitting",
    "Imex": "backbone.schemes.imex",
    "Bernoulli": "backbone.schemes.stochastic",
    "ShakeShake": "backbone.schemes.stochastic",
    "linear_decay": "backbone.schemes.stochastic",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_exports(__name__, _HOMES)
