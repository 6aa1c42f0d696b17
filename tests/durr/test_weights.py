"""The weights that ship: small, as their cards say, of the right task, and worth their place."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
from jaxtyping import UInt8
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from backbone.checkpoint import state_kind
from durr.model import KINDS, Task
from durr.restorer import WEIGHTS, Restorer

TASKS: tuple[Task, ...] = ("denoise", "dejpeg")
LARGEST = 2_000_000  # bytes
MOST_NUMBERS: dict[Task, int] = {"denoise": 300_000, "dejpeg": 400_000}  # of unit and policy


def photograph(name: str) -> UInt8[np.ndarray, "row col *channel"]:
    return np.ascontiguousarray(getattr(data, name)()[:192, 128:320])


@pytest.mark.parametrize("kind", ["grey", "colour"])
@pytest.mark.parametrize("task", TASKS)
def test_a_file_is_what_its_card_says(task: Task, kind: str) -> None:
    path = WEIGHTS / f"{task}_{kind}.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert path.stat().st_size <= LARGEST
    assert state_kind(path) == KINDS[task]
    assert card["weights"]["file"] == path.name
    assert card["weights"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["weights"]["parameters"] <= MOST_NUMBERS[task]
    assert card["command"].startswith(f"pdenet-durr train {task} ")
    assert {"name", "terms", "sha256"} <= card["data"].keys()


# 1.61 and 0.99 dB were measured
@pytest.mark.parametrize(("name", "gain"), [("camera", 1.3), ("astronaut", 0.8)])
def test_a_jpeg_comes_closer_to_its_original(name: str, gain: float) -> None:
    clean = photograph(name)
    file = io.BytesIO()
    Image.fromarray(clean).save(file, "JPEG", quality=20)
    compressed = np.asarray(Image.open(file))
    restored = Restorer.pretrained("dejpeg", device="cpu")(compressed).image
    before, after = (peak_signal_noise_ratio(clean, image, data_range=255) for image in (compressed, restored))
    assert after > before + gain


@pytest.mark.parametrize("name", ["camera", "astronaut"])
def test_noise_goes(name: str) -> None:
    clean = photograph(name)
    noisy = clean / 255 + 25 / 255 * np.random.default_rng(0).standard_normal(clean.shape)
    restored = Restorer.pretrained("denoise", device="cpu")(noisy).image
    # noise of 25 is 20.2 dB; 31.8 and 32.1 dB were measured
    assert peak_signal_noise_ratio(clean / 255, restored, data_range=1.0) > 31.3
