"""Denoising as a batch does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from durr.batch.repair import Found, Pages, read_pages
from durr.images.naming import SUFFIX
from durr.images.picture import Format, Picture
from durr.model import Task
from durr.restorer import Restored, Restorer


@dataclass(frozen=True)
class Denoising:
    """A `Repair` that takes noise away. sigma: on the scale of 0 ... 255, None for blind.

    noise_map: every pixel stops where the noise around it asks for it.
    """

    task: ClassVar[Task] = "denoise"
    suffix: ClassVar[str] = SUFFIX
    sigma: float | None = None
    noise_map: bool = False

    def format_for(self, output: str | None) -> str:
        """Outputs are like inputs."""
        return "keep"

    def read(self, content: Path | bytes, *, max_pixels: int, stack: bool) -> Pages:
        return read_pages(content, max_pixels=max_pixels, stack=stack)

    def restore(
        self, restorer: Restorer, page: Picture, strengths: Sequence[float], progress: Callable[[float], None]
    ) -> list[Restored]:
        return restorer.sweep(page.pixels, strengths, self.sigma, noise_map=self.noise_map, progress=progress)

    def found(self, pages: Sequence[Restored]) -> Found:
        """The noise, the mean over pages; the fewest and the most steps of any pixel where there is a map of it."""
        sigma = fmean(page.sigma for page in pages)
        spans = [page.times.extremes(page.chosen) for page in pages if page.times is not None]
        facts = {"sigma": sigma}
        if spans:
            facts |= {"fewest_steps": min(low for low, _ in spans), "most_steps": max(high for _, high in spans)}
        return Found(f"noise {sigma:.1f}", facts)

    def result(self, page: Picture, restored: Restored) -> Picture:
        return replace(page, pixels=restored.image)

    def warning(self, target: Format, restored: Sequence[Restored]) -> str:
        return ""
