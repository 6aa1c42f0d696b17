"""Training of the unit: it learns, and neither a kill nor a later wish for more steps changes a bit of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from backbone.errors import UsageError
from durr.degradation.noise import GaussianNoise
from durr.training.patches import DegradedPatches
from durr.training.schedule import HandSet, trunk_end
from durr.training.unit_training import UnitSettings, UnitTraining
from durr.training.validation import Validation
from durr.unit import RestorationUnit


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def training(
    folder: Path, n_steps: int, *, progress: Callable[[str], None] = lambda text: None, save_every_s: float = 0.0
) -> UnitTraining:
    picture = skimage.data.camera()[::4, ::4, None]
    settings = UnitSettings(
        stage="unit",
        n_steps=n_steps,
        learning_rate=0.01,
        precision=torch.float32,
        device=torch.device("cpu"),
        save_every_s=save_every_s,
    )
    noise = GaussianNoise(51.0)
    patches = DegradedPatches([picture], batch=2, size=16, degradation=noise, seed=0)
    validation = Validation([picture[:32, :32]], noise, torch.float32)
    unit = RestorationUnit(1, generator=torch.Generator().manual_seed(0))
    return UnitTraining(
        settings, unit, HandSet(0, noise), patches, validation, folder, progress=progress, log=lambda record: None
    )


def same(a: RestorationUnit, b: RestorationUnit) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def killed_after(folder: Path, n_steps: int, last: int) -> None:
    def progress(text: str) -> None:
        if text.startswith(f"unit: step {last}/"):
            raise Killed

    with pytest.raises(Killed):
        training(folder, n_steps, progress=progress).run()


@pytest.mark.parametrize("last", [1, 4, 9])  # before, at and in the cool-down of 12 steps
def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path, last: int) -> None:
    (tmp_path / "whole").mkdir()
    whole = training(tmp_path / "whole", 12).run()
    killed_after(tmp_path, 12, last)
    resumed = training(tmp_path, 12)
    assert resumed.resume()
    assert resumed.step == last
    assert same(resumed.run(), whole)


def test_more_steps_give_the_weights_of_a_training_that_was_longer_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = training(tmp_path / "whole", 14).run()
    short = training(tmp_path, 8).run()
    assert not same(short, whole)
    longer = training(tmp_path, 14)
    assert longer.resume()
    assert longer.step == trunk_end(8)
    assert same(longer.run(), whole)


def test_fewer_steps_than_the_learning_rate_allows_are_refused(tmp_path: Path) -> None:
    killed_after(tmp_path, 20, 11)
    with pytest.raises(UsageError, match="would have fallen before"):
        training(tmp_path, 10).resume()
    assert training(tmp_path, 19).resume()  # its flat part ends at the same step


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert not training(tmp_path, 5).resume()


def test_it_learns_to_denoise(tmp_path: Path) -> None:
    trained = training(tmp_path, 60, save_every_s=1e9)
    validation = trained.validation
    noisy = validation(RestorationUnit(1, generator=torch.Generator().manual_seed(0)))
    found = validation(trained.run())
    # noise of 50 / 255 alone is 14.2 dB; 60 updates on two 16 x 16 patches were seen to gain 1.8 dB
    assert found[50] > max(noisy[50], 14.2) + 1
    assert np.isfinite(list(found.values())).all()
