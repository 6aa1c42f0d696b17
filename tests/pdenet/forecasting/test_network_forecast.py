"""The network of the paper's recipe run forward: as it was trained, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backbone.errors import Diverged, InputError, ModelError, UsageError
from backbone.runs import RunFolder
from pdenet import forecast
from pdenet.fields.field import Field
from pdenet.network.checkpoint import restore_network
from pdenet.network.rollout import roll_network

CPU = torch.device("cpu")


def test_it_takes_eulers_steps_with_the_restored_network(paper_run: Path, convection: Field) -> None:
    found = forecast(paper_run, convection, t_end=0.06, save_every=0.02)
    assert found.plan.solvers == ("network",)
    rate = restore_network(paper_run, convection, device=CPU).on(0.0, 0.01)
    state = torch.as_tensor(convection.values[:, -1])
    with torch.no_grad():
        for _ in range(4):
            state = state + 0.01 * rate(0.0, state)
    # sums of four steps in another order
    np.testing.assert_allclose(found.field.values[:, -1], state.numpy(), atol=1e-13)


def test_both_are_run_and_their_difference_told(paper_run: Path, convection: Field) -> None:
    found = forecast(paper_run, init=convection, compare=convection, solver="both")
    assert list(found.fields) == ["equation", "network"]
    assert list(found.curves) == ["error of the equation", "error of the network", "equation - network"]
    gap = found.fields["equation"].values - found.fields["network"].values
    expected = np.sqrt(np.mean(gap**2, axis=(0, 2, 3))) / convection.values.std()
    np.testing.assert_allclose(found.curves["equation - network"], expected, rtol=1e-12)
    # two snapshots, dt .01, of a network trained on one of them: rates of size 10 with a few per cent of error
    assert found.curves["error of the network"][-1] < 0.02
    assert 0 < found.curves["equation - network"][-1] < 0.02


def test_another_grid_or_step_is_another_network(paper_run: Path, convection: Field) -> None:
    coarse = replace(convection, values=convection.values[..., ::2], dx=(2 * convection.dx[0],))
    with pytest.raises(InputError, match="the filters of the network are made for") as caught:
        forecast(paper_run, coarse, t_end=0.06)
    assert caught.value.cure.startswith("--solver equation")
    slow = replace(convection, dt=0.015)
    with pytest.raises(UsageError, match=r"save-every 0\.015 is no multiple of 0\.01") as told:
        forecast(paper_run, slow, t_end=0.06)
    assert told.value.cure.startswith("--save-every 0.0")


def test_it_has_no_errors_to_draw_from(paper_run: Path, convection: Field) -> None:
    with pytest.raises(UsageError, match="the network has no standard errors"):
        forecast(paper_run, convection, t_end=0.06, ensemble=2)


def test_its_blow_up_is_told_with_time_and_place(paper_run: Path, convection: Field) -> None:
    model = restore_network(paper_run, convection, device=CPU)
    with torch.no_grad():
        model.response.linear.mul_(1e3)
    with pytest.raises(Diverged) as caught:
        roll_network(model, convection.values[:, 0], dt=0.01, steps=range(0, 4000, 10), device=CPU)
    assert caught.value.place is not None
    assert len(caught.value.place) == 3  # run, channel, point


def test_a_network_of_other_variables_is_refused(paper_run: Path, convection: Field) -> None:
    two = replace(convection, values=np.repeat(convection.values, 2, axis=2), names=("u", "v"))
    with pytest.raises(ModelError, match="the network is of other variables than u, v"):
        restore_network(paper_run, two, device=CPU)


def test_a_run_that_lost_its_network_is_told(paper_run: Path, convection: Field, tmp_path: Path) -> None:
    folder = RunFolder.create("learn", tmp_path / "run")
    folder.write_text("equation.json", (paper_run / "equation.json").read_text())
    with pytest.raises(ModelError, match="there is no such file"):
        forecast(folder.finish(), convection, t_end=0.06)
