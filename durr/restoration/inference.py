"""A model at work on one batch: the states of its path at given steps, and where its rule stops."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from backbone.errors import Diverged, UsageError
from backbone.precision import convolution_precision
from durr.model import RestorationModel
from durr.restoration.ensemble import Images, self_ensemble
from durr.unfold import Path, continued, images_after, stopping_times, unfold

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}

Answer = TypeVar("Answer")


def resolve_precision(text: str, device: torch.device) -> torch.dtype:
    """The number format of --precision: float32, bfloat16, or auto for the device's fastest. Raises UsageError."""
    if text == "auto":
        return convolution_precision(device)
    if text not in PRECISIONS:
        words = ", ".join(("auto", *PRECISIONS))
        raise UsageError(f"'{text}' is no precision", where=f"--precision {text}", cure=f"take one of {words}")
    return PRECISIONS[text]


@dataclass(kw_only=True, eq=False)
class Inference:
    """A model, where it works and how precisely; what is not finite in bfloat16 is done again in float32.

    ensemble: whether images are means over the eight forms of the noisy one; stopping times are those of the image
    as it is. redone: how many batches were done again.
    """

    model: RestorationModel
    device: torch.device
    precision: torch.dtype
    ensemble: bool = False
    redone: int = 0

    def path(self, noisy: Float[Tensor, "batch channel row col"]) -> Path:
        """All images until the rule stops each."""
        unit, noisy = self.model.unit, noisy.to(self.device)
        return self._finite(
            lambda: unfold(unit, noisy, until=self.model.rule.start(unit, noisy), max_steps=self.model.max_steps)
        )

    def stopping_times(self, noisy: Float[Tensor, "batch channel row col"]) -> Int[Tensor, " batch"]:
        """After how many steps the rule stops each image; no image is kept."""
        unit, noisy = self.model.unit, noisy.to(self.device)
        return self._finite(
            lambda: stopping_times(unit, noisy, self.model.rule.start(unit, noisy), self.model.max_steps)
        )

    def images_after(self, noisy: Float[Tensor, "batch channel row col"], steps: Iterable[int]) -> Images:
        """The images after these numbers of steps; of the path between them nothing is kept."""
        noisy = noisy.to(self.device)
        wanted = set(steps)

        def solve(images: Float[Tensor, "batch channel row col"]) -> Images:
            return self._finite(lambda: images_after(self.model.unit, images, wanted))

        if not self.ensemble:
            return solve(noisy)
        rows, columns = noisy.shape[-2:]
        # whole cells first: every form is then folded at the same pixels, in a tile as in the whole image
        means = self_ensemble(solve, continued(noisy, self.model.unit.align))
        return {step: mean[..., :rows, :columns] for step, mean in means.items()}

    def exact(self) -> Inference:
        """The same in float32."""
        return replace(self, precision=torch.float32)

    def _finite(self, solve: Callable[[], Answer]) -> Answer:
        """What solve gives, in float32 if the faster format overflowed. Raises Diverged if both did."""
        with torch.inference_mode():
            if self.precision != torch.float32:
                try:
                    with torch.autocast(self.device.type, self.precision):
                        return solve()
                except Diverged:
                    self.redone += 1
            return solve()
