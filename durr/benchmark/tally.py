"""One method on one row of the table: picture after picture timed and judged, then the means."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from durr.benchmark.answer import Answer, Method
from durr.benchmark.methods import TIMED
from durr.benchmark.protocol import PEAK, Protocol
from durr.metrics import psnr

TIMED_PICTURES = 3  # enough for the median of a net whose time depends on the size alone


class Tally:
    """The figures of one method, growing picture by picture."""

    def __init__(self, name: str, method: Method, protocol: Protocol) -> None:
        self.name = name
        self._method = method
        self._protocol = protocol
        self._seconds: dict[str, list[float]] = {"s_per_mp": [], "cpu_s_per_mp": []}
        self._scores: list[dict[str, float]] = []
        self._answers: dict[str, list[float]] = {"steps": [], "estimate": []}
        self._by_step: list[list[float]] = []

    @property
    def pictures(self) -> int:
        """How many were restored."""
        return len(self._seconds["s_per_mp"])

    def add(
        self,
        degraded: Float64[np.ndarray, "row col *channel"],
        clean: UInt8[np.ndarray, "row col *channel"],
        grade: float,
    ) -> None:
        """Restore a picture of 0..255 that was degraded at a grade, and keep its figures."""
        if self.name in TIMED and self.pictures == TIMED_PICTURES:
            return
        given = (degraded / PEAK).astype(np.float32)
        begun, cpu_begun = time.perf_counter(), time.process_time()
        answer = self._method(given, self._protocol.told(grade))
        spent = {"s_per_mp": time.perf_counter() - begun, "cpu_s_per_mp": time.process_time() - cpu_begun}
        for key, seconds in spent.items():
            self._seconds[key].append(seconds / (clean.shape[0] * clean.shape[1] / 1e6))
        if self.name not in TIMED:
            self._scores.append(self._protocol.scores(answer.image, clean))
            self._follow(answer, clean)

    def _follow(self, answer: Answer, clean: UInt8[np.ndarray, "row col *channel"]) -> None:
        """Keep what a method with steps says of them, and the PSNR after each of them."""
        for key, said in (("steps", answer.steps), ("estimate", answer.estimate)):
            if said is not None:
                self._answers[key].append(float(said))
        if answer.path is not None:
            self._by_step.append([psnr(self._protocol.finished(image), clean, PEAK) for image in answer.path()])

    def results(self) -> dict[str, Any]:
        """Means over pictures, medians of seconds and CPU seconds per megapixel; PSNR None where it is infinite."""
        found: dict[str, Any] = {"images": self.pictures}
        found |= {key: median(seconds) for key, seconds in self._seconds.items()}
        if self._scores:
            found |= {key: _finite(mean(scores[key] for scores in self._scores)) for key in self._scores[0]}
        if self._answers["steps"]:
            steps = self._answers["steps"]
            found |= {"steps": mean(steps), "steps_range": [min(steps), max(steps)]}
        if self._answers["estimate"]:
            found[f"{self._protocol.grade}_estimate"] = mean(self._answers["estimate"])
        followed = len(self._by_step) == self.pictures
        return found | (along_the_path(self._by_step) if followed else {})


def along_the_path(by_step: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Of the PSNR of each picture after 0, 1, 2, ... steps: the means over pictures, and those of the best steps.

    psnr_by_step ends where the shortest path does; an oracle stops each picture at its own best step.
    """
    shortest = min(len(one) for one in by_step)
    best = [int(np.argmax(one)) for one in by_step]
    return {
        "psnr_by_step": [_finite(mean(one[k] for one in by_step)) for k in range(shortest)],
        "oracle_psnr": _finite(mean(one[k] for one, k in zip(by_step, best, strict=True))),
        "oracle_steps": mean(best),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
