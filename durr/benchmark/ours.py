"""Our method as it is measured: the restorer as a user calls it, and the whole path of images to judge the policy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from durr.benchmark.answer import Answer, Method
from durr.jpeg.constraint import Constraint
from durr.model import Task
from durr.restoration.inference import Inference
from durr.restoration.lanes import from_lanes, to_lanes
from durr.restorer import SHIPPED, WEIGHTS, Restorer


def load_restorer(weights: Path | None, task: Task, *, device: str, precision: str) -> Restorer:
    """Ours with the weights of a file, or those shipped. Raises ModelError for a file that holds none of this task."""
    if weights is None:
        return Restorer.pretrained(task, device=device, precision=precision)
    return Restorer.from_file(weights, task, device=device, precision=precision)


def model_facts(restorer: Restorer, weights: Path | None, channels: int) -> dict[str, Any]:
    """What the record says about the model that pictures of this many channels meet."""
    model = restorer.model_for(channels)
    file = WEIGHTS / SHIPPED[restorer.task][model.unit.channels == 3] if weights is None else weights
    return {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "parameters": model.parameters,
        "max_steps": model.max_steps,
        "precision": str(restorer.precision).removeprefix("torch."),
    }


def our_method(restorer: Restorer) -> Method:
    """Blind: no grade is told. The path of an ensemble is not followed: it is that of its single image."""

    def restore(given: Float32[np.ndarray, "row col *channel"], grade: float) -> Answer:
        restored = restorer(given)
        # a picture too large to keep its path of images is not followed to the end of it
        large = restored.unfolded is None
        follow = None if large or restorer.ensemble else lambda: whole_path(restorer, given, restored.constraint)
        compression = restored.compression
        seen = restored.sigma if compression is None else compression.quality
        return Answer(restored.image, restored.steps, None if seen is None else float(seen), follow)

    return restore


def whole_path(
    restorer: Restorer, given: Float32[np.ndarray, " row col *channel"], constraint: Constraint | None = None
) -> Float32[np.ndarray, " saved row col *channel"]:
    """The images after 0, 1, 2, ... steps up to the model's longest path, wherever its rule would stop."""
    samples = np.atleast_3d(given)
    channels = samples.shape[2]
    model = restorer.model_for(channels)
    inference = Inference(model=model, device=restorer.device, precision=restorer.precision)
    images = inference.images_after(to_lanes(samples, model.unit.channels), range(model.max_steps + 1))
    path = np.stack([from_lanes(images[step], channels) for step in sorted(images)])
    if constraint is not None:
        path = constraint.held_path(path)
    return path.reshape(len(path), *given.shape)
