"""Simulated data: a spectral solver for any typed equation on periodic boxes, a catalogue, and PDE-Net's generator."""

from __future__ import annotations

from backbone.lazy import lazy_exports

_HOMES = {
    "CATALOGUE": "pdenet.simulation.catalogue",
    "Simulation": "pdenet.simulation.experiment",
    "simulate": "pdenet.simulation.experiment",
    "solve": "pdenet.simulation.spectral",
}

__all__ = sorted(_HOMES)

__getattr__ = lazy_exports(__name__, _HOMES)
