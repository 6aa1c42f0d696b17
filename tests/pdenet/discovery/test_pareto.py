"""The Pareto table: every size from nothing on, scored on data learnt from and on data held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from backbone.errors import InputError, UsageError
from pdenet.discovery.discover import discover
from pdenet.discovery.holdout import hold_out
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def test_the_chosen_model_is_the_knee(burgers: Field) -> None:
    found = discover(burgers, device=CPU, order=2, degree=2)
    table = found.fronts["u"]
    assert found.measure == "roll-out"
    assert [len(row.equation.terms) for row in table][:3] == [0, 1, 2]
    (picked,) = [row for row in table if row.chosen]
    assert len(picked.equation.terms) == 2
    # data of a spectral solver: the true equation leaves its tolerance of 1e-8 and rounding, one term less leaves .1
    for error in ("insample_error", "heldout_error"):
        assert getattr(picked, error) < 1e-5
        assert min(getattr(row, error) for row in table[:2]) > 1e-2
    # what was held out is foretold about as well as what was learnt from
    assert found.heldout_error == pytest.approx(picked.heldout_error, rel=1.0, abs=1e-6)


def test_walls_are_scored_by_the_time_derivative(heat: Field) -> None:
    cut = replace(heat, values=heat.values[..., :20].copy(), boundary=("none",))
    found = discover(cut, device=CPU, order=2, degree=1)
    assert found.measure == "time derivative"
    nothing, one = found.fronts["u"][:2]
    assert nothing.insample_error == pytest.approx(1.0)  # all of the time derivative is left
    assert nothing.heldout_error == pytest.approx(1.0)
    # sixth-order stencils on 24 points a period, and straight lines through 3 held-out snapshots
    assert one.chosen
    assert one.insample_error < 0.01
    assert one.heldout_error < 0.05
    assert np.isnan(found.heldout_error)


def test_the_share_held_out_is_the_users(burgers: Field, heat: Field) -> None:
    assert hold_out(burgers, 0.5).words == "3 of 6 runs"
    split = hold_out(heat, 0.5)
    assert split.held is not None
    assert (split.train.n_times, split.held.n_times) == (6, 7)
    nothing = hold_out(heat, 0.0)
    assert nothing.held is None
    assert nothing.train is heat
    with pytest.raises(UsageError, match="hold out 1 "):
        hold_out(heat, 1.0)
    with pytest.raises(InputError, match="2 snapshots"):
        hold_out(heat.select(times=slice(0, 2)))


def test_nothing_held_out_leaves_no_heldout_error(heat: Field) -> None:
    found = discover(heat, device=CPU, order=2, degree=2, holdout=0.0)
    assert found.held_out == "nothing, as asked"
    assert np.isnan(found.heldout_error)
    assert found.error_over_time == ()
    assert all(np.isnan(row.heldout_error) for row in found.fronts["u"])
    assert all(np.isfinite(row.insample_error) for row in found.fronts["u"])
