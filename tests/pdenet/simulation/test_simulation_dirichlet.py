"""Data between walls on which u = 0, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from backbone.errors import UsageError
from pdenet.simulation.dirichlet import simulate_between_walls


def test_a_sine_between_walls_decays_as_it_should():
    """u_t = nu u_xx from sin(pi x / L): exp(-nu (pi / L)^2 t)."""
    field = simulate_between_walls(
        "u_t = 0.2*u_xx", cells=(20,), lengths=(3.0,), runs=2, times=(0.0, 0.5, 1.0), modes=1, amplitude=1.0
    )
    (x,) = field.coordinates().values()
    assert x[-1] == pytest.approx(3.0)
    assert field.boundary == ("none",)
    decay = np.exp(-0.2 * (np.pi / 3.0) ** 2 * field.times())
    shape = np.sin(np.pi * x / 3.0)
    sign = np.sign(field.values[:, 0, 0, 10])
    # linear with constant coefficients: exact in time and space, rounding aside
    np.testing.assert_allclose(field.values[:, :, 0], sign[:, None, None] * decay[:, None] * shape, atol=1e-12)


def test_pdenets_source_keeps_its_walls():
    field = simulate_between_walls(
        "u_t = 0.3*lap(u) + 15*sin(u)", cells=(16, 16), runs=1, times=(0.0, 0.01, 0.02), modes=3, amplitude=3.0
    )
    for wall in (field.values[..., 0, :], field.values[..., -1, :], field.values[..., 0], field.values[..., -1]):
        assert np.abs(wall).max() < 1e-12  # rounding of values of about 3
    assert np.abs(field.values).max() > 3.0 - 1e-9


def test_an_equation_that_does_not_stay_odd_is_refused():
    with pytest.raises(UsageError, match="does not keep u = 0"):
        simulate_between_walls("u_t = u_x + 0.1*u_xx", cells=(16,), lengths=(3.0,), runs=1, times=(0.0, 0.1), modes=2)
