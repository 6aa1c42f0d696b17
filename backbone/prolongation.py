"""Prolongation: layers at more times than before, their weights interpolated in time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def between(fields: Sequence[nn.Module], ts: Sequence[float], wanted: Sequence[float]) -> list[nn.Module]:
    """The fields at times `wanted`: weights linear in t between fields[k] at ts[k], constant before and after.

    ts rise or fall. Layers with BatchNorm are copied from the nearest time: statistics of one layer do not fit the
    mean of two. Haber, Ruthotto, Holtham, Jun, AAAI 2018, section 4.
    """
    if ts[0] > ts[-1]:
        return between(fields, [-t for t in ts], [-t for t in wanted])
    return [_at(fields, ts, t) for t in wanted]


def _at(fields: Sequence[nn.Module], ts: Sequence[float], t: float) -> nn.Module:
    left = min(max(bisect_right(ts, t) - 1, 0), len(ts) - 1)
    right = min(left + 1, len(ts) - 1)
    share = min(max((t - ts[left]) / (ts[right] - ts[left]), 0.0), 1.0) if right > left else 0.0
    field = deepcopy(fields[left])
    if any(isinstance(part, _BatchNorm) for part in field.modules()):
        return field if share < 0.5 else deepcopy(fields[right])
    with torch.no_grad():
        for weight, after in zip(field.parameters(), fields[right].parameters(), strict=True):
            weight.lerp_(after, share)
    return field
