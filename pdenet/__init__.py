"""Learning PDEs from data. Names are imported on first use, so that `import pdenet` costs nothing.

`read(path) -> Field`, `fit(field).equation_`, `PDENet(...)`, `simulate(equation) -> Field`, `forecast(run, data)`.
"""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "Field": "pdenet.fields.field",
    "FieldPDENet": "pdenet.field_estimator",
    "PDENet": "pdenet.estimator",
    "fit": "pdenet.estimator",
    "forecast": "pdenet.forecasting.forecast",
    "read": "pdenet.readers",
    "simulate": "pdenet.simulation.experiment",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
