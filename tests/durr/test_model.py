"""A model file keeps the unit, the rule and what is known about both; anything else is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backbone.checkpoint import load_state, save_state
from backbone.errors import ModelError, UsageError
from backbone.integrate import integrate
from backbone.schemes import Euler
from durr.model import Denoiser
from durr.stopping import FixedSteps, StoppingRule
from durr.unfold import steps_grid
from durr.unit import RestorationUnit


@pytest.fixture
def denoiser() -> Denoiser:
    unit = RestorationUnit(1, features=16, inner=12, depth=2, generator=torch.Generator().manual_seed(0))
    return Denoiser(
        unit=unit, rule=FixedSteps(3), max_steps=8, sigmas=(0.0, 0.2), levels=((0.1, 2.0), (0.2, 4.0), (0.3, 7.0))
    )


def test_a_model_comes_back_as_it_was(denoiser: Denoiser, tmp_path: Path) -> None:
    denoiser.save(tmp_path / "model.safetensors")
    again = Denoiser.load(tmp_path / "model.safetensors")
    assert (again.rule, again.max_steps, again.sigmas, again.levels) == (
        denoiser.rule, denoiser.max_steps, denoiser.sigmas, denoiser.levels
    )  # fmt: skip
    assert again.parameters == denoiser.parameters == sum(p.numel() for p in denoiser.unit.parameters())
    state = torch.rand(1, 8, 8, 16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(again.unit.field(0.0, state), denoiser.unit.field(0.0, state), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("sigma", "steps"),
    [(0.0, 0.0), (0.05, 1.0), (0.1, 2.0), (0.15, 3.0), (0.25, 5.5), (0.32, 7.6), (9.0, 8.0)],  # by hand
)
def test_steps_follow_straight_lines_between_the_levels(denoiser: Denoiser, sigma: float, steps: float) -> None:
    assert denoiser.steps_for(sigma) == pytest.approx(steps, rel=1e-12)  # rounding of float64


def test_levels_must_ascend(denoiser: Denoiser) -> None:
    with pytest.raises(UsageError, match="levels at"):
        Denoiser(
            unit=denoiser.unit, rule=FixedSteps(3), max_steps=8, sigmas=(0.0, 0.2), levels=((0.2, 1.0), (0.1, 2.0))
        )


def test_a_file_of_another_kind_or_version_is_refused(denoiser: Denoiser, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_state(path, {"weights": torch.zeros(3)}, kind="pdenet")
    with pytest.raises(ModelError, match="pdenet state"):
        Denoiser.load(path)
    denoiser.save(path)
    state = load_state(path, kind="denoiser")
    for change in (
        {"levels": None},
        {"rule": {"kind": "oracle", "state": {}}},
        {"unit": {**state["unit"], "configuration": {"channels": 1, "features": 32}}},
        {"unit": {**state["unit"], "configuration": {"channels": 1, "width": 16}}},
    ):
        save_state(path, {**state, **change}, kind="denoiser")
        with pytest.raises(ModelError):
            Denoiser.load(path)


def test_fixed_steps_stop_every_image_at_the_same_time(denoiser: Denoiser) -> None:
    rule = FixedSteps(2)
    assert isinstance(rule, StoppingRule)
    noisy = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    until = rule.start(denoiser.unit, noisy)
    solved = integrate(denoiser.unit, denoiser.unit.start(noisy), steps_grid(5), Euler(), until=until)
    assert solved.stopped_at.tolist() == [2.0, 2.0]
    with pytest.raises(UsageError, match="-1 steps"):
        FixedSteps(-1)
