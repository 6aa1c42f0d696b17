"""One matrix along each of the last axes of a tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def along_axes(values: Tensor, operators: Sequence[Tensor]) -> Tensor:
    """Apply one matrix along each of the last axes."""
    first = values.ndim - len(operators)
    for k, matrix in enumerate(operators):
        values = torch.movedim(torch.movedim(values, first + k, -1) @ matrix.T, -1, first + k)
    return values
