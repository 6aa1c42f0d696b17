"""The restoration unit: the dynamics f of dX/dt = f(X, w) that carry a degraded image towards a clean one.

Zhang, Lu, Liu, Dong, ICLR 2019 (DURR): X(0) is the degraded image, one Euler step of length 1 is one unfolding, and
the weights w are shared by all steps. Here X holds the image and a memory, both at half resolution, so that a step
costs a quarter and keeps what it saw; and every layer is free of additive constants, so that f(a X) = a f(X) for
a > 0 and levels of noise outside the training's are met by scale (Mohan et al., ICLR 2020).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backbone.dynamics import Dynamics, VectorField
from durr.stepping import STEPPINGS, demand_known

FOLD = 2  # the image is folded into FOLD^2 features per channel
LEAK = 0.1  # of an activation below zero: without, features die for good in an update, and whole branches with them
OUTPUT_GAIN = 0.1  # a step of the untrained unit changes little, so that ten of them stay bounded


class RestorationUnit(Dynamics):
    """One level of U-Net over the folded image: convolutions at half and at quarter resolution, no constants.

    channels: of the image, 1 or 3. features: of the state at half resolution, the image in the first 4 * channels.
    A state is "batch half_row half_col feature".
    inner: features at quarter resolution. depth: pairs of convolutions there. scheme: by which it is unfolded.
    leak: slope of the activations below zero.
    """

    align = 2 * FOLD  # rows and columns of an image are multiples of this

    def __init__(
        self,
        channels: int,
        *,
        features: int = 64,
        inner: int = 64,
        depth: int = 1,
        scheme: str = "euler",
        leak: float = LEAK,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        demand_known(scheme)
        self.channels = channels
        self.features = features
        self.leak = leak
        self.enter = convolution(features, features, generator)
        self.down = nn.utils.skip_init(nn.Conv2d, features, inner, 2, stride=2, bias=False)
        self.blocks = nn.ModuleList([InnerBlock(inner, leak, generator) for _ in range(depth)])
        self.up = nn.utils.skip_init(nn.ConvTranspose2d, inner, features, 2, stride=2, bias=False)
        self.merge = convolution(features, features, generator)
        self.leave = convolution(features, features, generator, gain=OUTPUT_GAIN)
        nn.init.kaiming_normal_(self.down.weight, generator=generator)
        nn.init.normal_(self.up.weight, std=1 / math.sqrt(inner), generator=generator)
        self.to(memory_format=torch.channels_last)
        self.stepping = scheme
        self.scheme = STEPPINGS[scheme].make(generator)

    @property
    def reach(self) -> int:
        """How many pixels away one step looks."""
        half = 3 * FOLD  # enter, merge, leave
        quarter = 2 * FOLD * (2 * len(self.blocks) + 1)  # two convolutions a block; down and up, one cell together
        return STEPPINGS[self.stepping].evaluations * (half + quarter)

    def start(self, noisy: Float[Tensor, "batch channel row col"]) -> Float[Tensor, "batch half_row half_col feature"]:
        """The state X(0) of a degraded image: folded, its memory empty.

        Features are the last axis, so that samples can be taken out of a batch and gradients come back as the
        convolutions want them, channels last.
        """
        folded = functional.pixel_unshuffle(noisy, FOLD).permute(0, 2, 3, 1)
        return functional.pad(folded, (0, self.features - folded.shape[-1]))

    def image(self, state: Float[Tensor, "batch half_row half_col feature"]) -> Float[Tensor, "batch channel row col"]:
        """The image in a state, unfolded by hand: torch's pixel_shuffle is ten times slower on features kept last."""
        cells = state[..., : self.channels * FOLD**2].unflatten(-1, (self.channels, FOLD, FOLD))
        return cells.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)

    def on(self, t0: float, t1: float) -> VectorField:
        """The same field on every step: one set of weights, and no clock."""
        return self.field

    def field(
        self, t: float, state: Float[Tensor, "batch half_row half_col feature"]
    ) -> Float[Tensor, "batch half_row half_col feature"]:
        """dX/dt, in the precision of the convolutions; the sum with a float32 state is float32.

        What no gradient asks for again is overwritten: memory traffic is half of the cost of a step.
        """
        wide = functional.leaky_relu_(self._entered(state), self.leak)
        narrow = self.down(wide)
        for block in self.blocks:
            narrow = block(narrow).add_(narrow)
        wide = self.up(functional.leaky_relu_(narrow, self.leak)).add_(wide)
        rate: Tensor = self.leave(functional.leaky_relu_(self.merge(wide), self.leak))
        return rate.permute(0, 2, 3, 1)

    def _entered(
        self, state: Float[Tensor, "batch half_row half_col feature"]
    ) -> Float[Tensor, "batch feature half_row half_col"]:
        """The first layer; under autocast with the digits of the image that a short number format cuts off.

        They enter as features of their own under the same weights: bfloat16 has 8 digits, the rounding of the image
        would come out as noise of 0.3/255. Training, where noise is added anyway, goes without.
        """
        if torch.is_grad_enabled() or not torch.is_autocast_enabled(state.device.type):
            return self.enter(state.permute(0, 3, 1, 2))
        n_image = self.channels * FOLD**2
        short = torch.get_autocast_dtype(state.device.type)
        fine = state.new_empty((*state.shape[:-1], self.features + n_image), dtype=short)
        fine[..., : self.features] = state
        fine[..., self.features :] = state[..., :n_image] - fine[..., :n_image]
        weight = torch.cat([self.enter.weight, self.enter.weight[:, :n_image]], dim=1)
        return functional.conv2d(fine.permute(0, 3, 1, 2), weight, padding=1)


class InnerBlock(nn.Module):
    """Two convolutions at quarter resolution, the branch of a residual block."""

    def __init__(self, features: int, leak: float, generator: torch.Generator) -> None:
        super().__init__()
        self.leak = leak
        self.first = convolution(features, features, generator)
        self.second = convolution(features, features, generator, gain=OUTPUT_GAIN)

    def forward(self, x: Float[Tensor, "batch feature row col"]) -> Float[Tensor, "batch feature row col"]:
        inside = self.first(functional.leaky_relu(x, self.leak))
        branch: Tensor = self.second(functional.leaky_relu_(inside, self.leak))
        return branch


def convolution(inputs: int, outputs: int, generator: torch.Generator, *, gain: float = 1.0) -> nn.Conv2d:
    """A 3 x 3 convolution without constants, He's normal initial weights times gain."""
    layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight, generator=generator)
    with torch.no_grad():
        layer.weight.mul_(gain)
    return layer
