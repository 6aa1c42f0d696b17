"""The right-hand side that learns: filters turn the state into derivatives, a symbolic network into its rate of change.

One dt-block of PDE-Net is one forward Euler step of it: u_{n+1} = u_n + dt F(D_00 u_n, D_01 u_n, ...), all blocks
with the same weights (PDE-Net 2.0, J. Comput. Phys. 399 (2019), equation (3)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from backbone.dynamics import Dynamics, VectorField
from pdenet.equations.library import derivatives
from pdenet.equations.terms import Factor
from pdenet.fields.field import Field
from pdenet.filters.filter_bank import FilterBank, Mode
from pdenet.filters.moments import Derivative, Stencil
from pdenet.network.symnet import SymNet


class LearnedPDE(Dynamics):
    """du_k/dt = F_k(D_a u_c for all filters a and channels c): a `FilterBank`, then a `SymNet`.

    State "batch channel *space". The inputs of the network are the derivatives of the filters,
    all channels of the first one first.
    upwind: switch every pure first derivative to the side the information comes from (`_switched`).
    """

    def __init__(self, filters: FilterBank, response: SymNet, *, upwind: bool = False) -> None:
        super().__init__()
        self.filters, self.response, self.upwind = filters, response, upwind

    @classmethod
    def of(
        cls,
        field: Field,
        *,
        order: int = 2,
        size: int = 5,
        mode: Mode = "constrained",
        accuracy: int = 2,
        stencil: Stencil = "accurate",
        upwind: bool = False,
        hidden: int = 5,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: torch.device,
    ) -> LearnedPDE:
        """The untrained right-hand side for the variables of `field`, with all derivatives up to `order`."""
        inputs = derivatives(field.names, field.axes, order)
        words = tuple(dict.fromkeys(factor.derivative for factor in inputs))
        filters = FilterBank(
            [multi_index(word, field.axes) for word in words],
            dx=field.dx,
            boundary=field.boundary,
            size=size,
            mode=mode,
            accuracy=accuracy,
            stencil=stencil,
            dtype=dtype,
            device=device,
        )
        named = [Factor(name, word) for word in words for name in field.names]
        response = SymNet(named, field.names, hidden=hidden, generator=generator, dtype=dtype, device=device)
        return cls(filters, response, upwind=upwind)

    def moments_by_name(self) -> dict[str, Float64[np.ndarray, "*kernel"]]:
        """The moment matrix of each filter, by the letters of its derivative ("" for the variable itself)."""
        words = dict.fromkeys(factor.derivative for factor in self.response.inputs)
        matrices = self.filters.moments.detach().cpu().double().numpy()
        return dict(zip(words, matrices, strict=True))

    def on(self, t0: float, t1: float) -> VectorField:
        return self._rate

    def _rate(self, t: float, u: Float[Tensor, "batch channel *space"]) -> Float[Tensor, "batch channel *space"]:
        values = self._switched(u) if self.upwind else self.filters(u)
        return self.response(values.flatten(0, 1)).transpose(0, 1)

    def _switched(self, u: Float[Tensor, "batch channel *space"]) -> Float[Tensor, "filter channel batch *space"]:
        """Pseudo-upwind: where dF_k/d(D u_k) > 0, D a first derivative, D u_k keeps its kernel; elsewhere it turns.

        A positive coefficient of u_x carries to the left, so the stencil that looks right is kept. The switched
        value serves all outputs; no gradient flows through the switch.
        """
        values, turned = self.filters.both_sides(u)
        channels = torch.arange(u.shape[1], device=u.device)
        filters = torch.tensor([index for index, _ in self.filters.first_derivatives], device=u.device)
        own = filters * u.shape[1] + channels.unsqueeze(1)  # number of D u_k among the inputs, "channel first"
        slopes = self.response.slopes(values.detach().flatten(0, 1), own)
        keeps = slopes.transpose(0, 1) > 0
        chosen = torch.where(keeps, values[filters], turned)
        return values.index_copy(0, filters, chosen)


def multi_index(word: str, axes: Sequence[str]) -> Derivative:
    """The derivative u_`word` as orders along the axes of the array: "xxy" on ("y", "x") is (1, 2)."""
    return tuple(word.count(axis) for axis in axes)
