"""The stiff field of IMEX networks: a learned positive operator in every channel, solved for by FFT."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import VectorField

Images = Float[Tensor, "batch channel row col"]


class DepthwiseStiff(nn.Module):
    """dy/dt = -L y + alpha y + f(t, y), L = K^T K, K a 3 x 3 stencil in each channel, periodic.

    (I + h L)^-1 is a division by 1 + h |k|^2 of Fourier coefficients, k the stencil's symbol. Haber, Lensink, Treister,
    Ruthotto, IMEXnet, ICML 2019.
    """

    def __init__(self, stencil: Float[Tensor, "channel 3 3"], f: VectorField, *, alpha: float = 0.0) -> None:
        super().__init__()
        self.stencil = nn.Parameter(stencil.detach().clone())
        self.f = f
        self.alpha = alpha

    def forward(self, t: float, y: Images) -> Images:
        return self.nonlinear(t, y) - self._filtered(y, self.symbol(y))

    def nonlinear(self, t: float, y: Images) -> Images:
        """alpha y + f(t, y)."""
        return self.alpha * y + self.f(t, y)

    def resolvent(self, h: float, y: Images) -> Images:
        """(I + h L)^-1 y."""
        return self._filtered(y, 1 / (1 + h * self.symbol(y)))

    def symbol(self, y: Images) -> Float[Tensor, "channel row half_col"]:
        """|k|^2, the eigenvalues of L on the grid of y."""
        k: Tensor = torch.fft.rfft2(self.stencil, s=(y.shape[-2], y.shape[-1]))
        return k.real**2 + k.imag**2

    def _filtered(self, y: Images, factors: Float[Tensor, "channel row half_col"]) -> Images:
        filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(y) * factors, s=(y.shape[-2], y.shape[-1]))
        return filtered
