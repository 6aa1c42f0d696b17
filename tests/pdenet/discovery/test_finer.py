"""The error of the discretisation in the bands: what the next finer one changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pdenet.discovery.collocation import Collocation, PeriodicAxis, TimeWindow
from pdenet.discovery.finer import finer
from pdenet.discovery.ladder import climb, rungs
from pdenet.discovery.refit import refit
from pdenet.discovery.regression import Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.walled import WalledAxis
from pdenet.fields.field import Field

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("window", "n_times", "wanted"),
    [
        (TimeWindow(8, 4), 20, TimeWindow(8, 5)),
        (TimeWindow(8, 7), 20, TimeWindow(9, 8)),
        (TimeWindow(8, 7), 8, TimeWindow(8, 6)),
        (TimeWindow(3, 2), 3, TimeWindow(3, 2)),
    ],
)
def test_the_next_polynomials_in_time(window: TimeWindow, n_times: int, wanted: TimeWindow) -> None:
    assert finer(Collocation(window, ()), n_times).window == wanted


def test_the_next_waves_and_stencils() -> None:
    periodic = PeriodicAxis(32, 1.0, cutoff=8, tested=8, n_products=25)
    walled = WalledAxis(40, 0.1, max_order=2, tested=5)
    found = finer(Collocation(TimeWindow(8, 4), (periodic, walled)), 20).axes
    # products of two factors: two wave numbers more in all, and the same ones tested
    assert found[0] == replace(periodic, cutoff=9, n_products=27)
    assert found[1] == replace(walled, accuracy=8)
    whole = replace(periodic, n_points=17)
    assert finer(Collocation(TimeWindow(8, 4), (whole,)), 20).axes == (whole,)


def test_bands_of_clean_data_hold_the_error_of_stencils(heat: Field) -> None:
    field = replace(heat, boundary=("none",))
    setting = Setting(np.zeros((field.n_runs, 1)), CPU, np.random.default_rng(0), lambda text: None)
    found = climb(field, rungs(field, 2, 1), setting)
    (equation,) = refit(field, found, Restrictions(), CPU).equations
    assert list(map(str, equation.terms)) == ["u_xx"]
    error = abs(equation.coefficients[0] - 0.1)
    assert 1e-9 < error < 2.0 * equation.errors[0]
    assert equation.errors[0] < 100.0 * error  # a band that holds everything would say nothing
