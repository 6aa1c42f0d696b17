"""Tiny models with random weights, and a way to make noisy arrays of any type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageCms

from durr.images.depth import from_unit
from durr.model import RestorationModel, Task
from durr.stopping import FixedSteps
from durr.unit import RestorationUnit

MakeModel = Callable[..., RestorationModel]


@pytest.fixture
def make_model() -> MakeModel:
    """A model that takes 3 steps of at most 8, a denoiser unless asked otherwise."""

    def make(channels: int = 1, *, task: Task = "denoise", steps: int = 3, features: int = 16) -> RestorationModel:
        unit = RestorationUnit(channels, features=features, inner=16, generator=torch.Generator().manual_seed(3))
        levels = ((10 / 255, 1.0), (50 / 255, 5.0))
        return RestorationModel(
            task=task, unit=unit, rule=FixedSteps(steps), max_steps=8, trained=(0.0, 75 / 255), levels=levels
        )

    return make


@pytest.fixture
def grey_model(make_model: MakeModel, tmp_path: Path) -> Path:
    """The tiny grey denoiser as a file."""
    path = tmp_path / "grey.safetensors"
    make_model(1).save(path)
    return path


@pytest.fixture
def colour_model(make_model: MakeModel, tmp_path: Path) -> Path:
    """The tiny colour denoiser as a file."""
    path = tmp_path / "colour.safetensors"
    make_model(3).save(path)
    return path


@pytest.fixture
def jpeg_model(make_model: MakeModel, tmp_path: Path) -> Path:
    """A tiny grey model of dejpeg as a file."""
    path = tmp_path / "jpeg.safetensors"
    make_model(1, task="dejpeg").save(path)
    return path


@pytest.fixture
def noisy_array() -> Callable[[tuple[int, ...], str], np.ndarray]:
    """Uniform samples of a type: the whole range of whole numbers, floats from -0.1 to 1.1."""

    def make(shape: tuple[int, ...], dtype: str) -> np.ndarray:
        values = np.random.default_rng(7).uniform(-0.1, 1.1, shape)
        return from_unit(values, np.dtype(dtype))

    return make


@pytest.fixture(scope="session")
def srgb() -> bytes:
    """The profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
