"""A model file keeps the unit, the rule and what is known about both; anything else is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from backbone.checkpoint import load_state, save_state
from backbone.errors import ModelError, UsageError
from backbone.integrate import integrate
from backbone.schemes import Euler
from durr.model import RestorationModel
from durr.stopping import FixedSteps, StoppingRule
from durr.unfold import steps_grid
from durr.unit import RestorationUnit


@pytest.fixture
def model() -> RestorationModel:
    unit = RestorationUnit(1, features=16, inner=12, depth=2, generator=torch.Generator().manual_seed(0))
    return RestorationModel(
        task="denoise",
        unit=unit,
        rule=FixedSteps(3),
        max_steps=8,
        trained=(0.0, 0.2),
        levels=((0.1, 2.0), (0.2, 4.0), (0.3, 7.0)),
    )


def test_a_model_comes_back_as_it_was(model: RestorationModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.safetensors")
    again = RestorationModel.load(tmp_path / "model.safetensors")
    assert (again.rule, again.max_steps, again.trained, again.levels) == (
        model.rule, model.max_steps, model.trained, model.levels
    )  # fmt: skip
    assert again.parameters == model.parameters == sum(p.numel() for p in model.unit.parameters())
    state = torch.rand(1, 8, 8, 16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(again.unit.field(0.0, state), model.unit.field(0.0, state), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("sigma", "steps"),
    [(0.0, 0.0), (0.05, 1.0), (0.1, 2.0), (0.15, 3.0), (0.25, 5.5), (0.32, 7.6), (9.0, 8.0)],  # by hand
)
def test_steps_follow_straight_lines_between_the_levels(model: RestorationModel, sigma: float, steps: float) -> None:
    assert model.steps_for(sigma) == pytest.approx(steps, rel=1e-12)  # rounding of float64


def test_levels_must_ascend(model: RestorationModel) -> None:
    with pytest.raises(UsageError, match="levels at"):
        RestorationModel(
            task="denoise",
            unit=model.unit,
            rule=FixedSteps(3),
            max_steps=8,
            trained=(0.0, 0.2),
            levels=((0.2, 1.0), (0.1, 2.0)),
        )


def test_a_file_of_another_kind_or_version_is_refused(model: RestorationModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_state(path, {"weights": torch.zeros(3)}, kind="pdenet")
    with pytest.raises(ModelError, match="this file holds a pdenet state"):
        RestorationModel.load(path)
    model.save(path)
    state = load_state(path, kind="denoiser")
    for change in (
        {"levels": None},
        {"rule": {"kind": "oracle", "state": {}}},
        {"unit": {**state["unit"], "configuration": {"channels": 1, "features": 32}}},
        {"unit": {**state["unit"], "configuration": {"channels": 1, "width": 16}}},
    ):
        save_state(path, {**state, **change}, kind="denoiser")
        with pytest.raises(ModelError):
            RestorationModel.load(path)


def test_a_file_knows_its_task(model: RestorationModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    replace(model, task="dejpeg").save(path)
    assert RestorationModel.load(path).task == RestorationModel.load(path, task="dejpeg").task == "dejpeg"
    with pytest.raises(ModelError, match="holds a JPEG restorer, a model of pdenet-durr dejpeg") as told:
        RestorationModel.load(path, task="denoise")
    assert told.value.cure == "give a model.safetensors of train denoise"


def test_fixed_steps_stop_every_image_at_the_same_time(model: RestorationModel) -> None:
    rule = FixedSteps(2)
    assert isinstance(rule, StoppingRule)
    noisy = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    until = rule.start(model.unit, noisy)
    solved = integrate(model.unit, model.unit.start(noisy), steps_grid(5), Euler(), until=until)
    assert solved.stopped_at.tolist() == [2.0, 2.0]
    with pytest.raises(UsageError, match="-1 steps"):
        FixedSteps(-1)
