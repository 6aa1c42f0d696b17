"""One picture from its samples to the samples at each strength: decision, path, in one piece or in tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Float32, Num
from torch import Tensor

from durr.images.depth import from_unit
from durr.restoration.decision import Decision, decide, is_small
from durr.restoration.inference import Inference
from durr.restoration.lanes import from_lanes, to_lanes
from durr.restoration.mosaic import restore_in_tiles
from durr.restoration.noise_map import StepMap, step_map
from durr.restoration.strength import position
from durr.restoration.timing import UNIFORM

Samples = Num[np.ndarray, "row col channel"]
WHOLE = (slice(None), slice(None))


@dataclass(frozen=True, kw_only=True, eq=False)
class Restoration:
    """positions: on the path, one per strength; pictures: at those that are not 0. chosen: where strength 1 stands.

    path: the images after 0, 1, 2, ... steps, if they were in memory together. local: the map of stopping times, if
    there is one.
    """

    positions: list[float]
    chosen: float
    pictures: dict[float, Samples] = field(default_factory=dict)
    path: Float32[np.ndarray, "saved row col channel"] | None = None
    tiles: int = 1
    smaller: int = 0
    local: StepMap | None = None


def restore(
    inference: Inference,
    samples: Samples,
    strengths: Sequence[float],
    *,
    level: float | None,
    before: tuple[int, int] = (0, 0),
    local: bool = False,
    side: int | None,
    progress: Callable[[float], None],
) -> Restoration:
    """Restore samples at several strengths from one pass.

    level: of the degradation if it is known; None lets the model's rule decide. before: rows and columns by which the
    picture is continued above and to the left, so that what comes in blocks begins with a whole one. local:
    whether pixels stop where the noise around them asks for it. side: of tiles; None takes tiles only for large
    pictures.
    """
    if any(before):
        continued = np.pad(samples, [(before[0], 0), (before[1], 0), (0, 0)], mode="symmetric")
        return _cut(restore(inference, continued, strengths, level=level, side=side, progress=progress), before)
    model = inference.model
    small = is_small(samples, model.unit.channels)
    decision = decide(inference, samples) if level is None else Decision(model.steps_for(level), {})
    positions = [position(strength, decision.steps, model.max_steps) for strength in strengths]
    stops = step_map(samples, model) if local else None
    timing = stops or UNIFORM
    if max(positions) > decision.steps:  # beyond the rule's choice every step enlarges what bfloat16 rounds off
        inference = inference.exact()
    moved = sorted({place for place in positions if place > 0})
    untouched = Restoration(positions=positions, chosen=decision.steps, local=stops)
    if small and side is None:
        images = _images(inference, samples, decision, max(timing.whole_steps(positions)))
        pictures = {place: _picture(timing.image_at(place, images, WHOLE), samples) for place in moved}
        return replace(untouched, pictures=pictures, path=_path(images, samples))
    if not moved:
        return untouched
    mosaic = restore_in_tiles(inference, samples, moved, side=side, progress=progress, timing=timing)
    pictures = dict(zip(moved, mosaic.pictures, strict=True))
    return replace(untouched, pictures=pictures, tiles=mosaic.tiles, smaller=mosaic.smaller)


def _cut(done: Restoration, before: tuple[int, int]) -> Restoration:
    """Without the first rows and columns."""
    rows, columns = (slice(start, None) for start in before)
    pictures = {place: picture[rows, columns] for place, picture in done.pictures.items()}
    return replace(done, pictures=pictures, path=None if done.path is None else done.path[:, rows, columns])


def _images(
    inference: Inference, samples: Samples, decision: Decision, last: int
) -> dict[int, Float[Tensor, "lane band row col"]]:
    """The images after 0 ... last steps: those of the decision, if it went so far."""
    if last in decision.images:
        return decision.images
    return inference.images_after(to_lanes(samples, inference.model.unit.channels), range(last + 1))


def _path(
    images: dict[int, Float[Tensor, "lane band row col"]], samples: Samples
) -> Float32[np.ndarray, "saved row col channel"]:
    """All images, step by step."""
    return np.stack([from_lanes(images[step], samples.shape[2]) for step in sorted(images)])


def _picture(images: Float[Tensor, "lane band row col"], samples: Samples) -> Samples:
    """Images as samples like those that came."""
    return from_unit(from_lanes(images, samples.shape[2]), samples.dtype)
