"""The weights w by which tested waves fade out towards walls and gaps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from pdenet.discovery.along_axes import along_axes
from pdenet.discovery.collocation import Axis
from pdenet.discovery.walled import WHOLE


class Fading:
    """Weights on the product grid: 1 far from walls and gaps, falling smoothly to 0 before a stencil meets one."""

    def __init__(self, axes: Sequence[Axis], device: torch.device) -> None:
        self._reach, self._nearby, self._blur = (
            [torch.as_tensor(matrix, device=device) for matrix in matrices]
            for matrices in zip(*((axis.reach(), axis.nearby(), axis.blur()) for axis in axes), strict=True)
        )

    def of(self, missing: Bool[Tensor, " sample *space"]) -> Float64[Tensor, " sample *fine"]:
        """The weights of every sample; those of a periodic axis need whole lines."""
        reached = along_axes(missing.to(torch.float64), self._reach) > 0.0
        open_points = along_axes((~reached).to(torch.float64), self._nearby) > WHOLE
        return along_axes(open_points.to(torch.float64), self._blur)
