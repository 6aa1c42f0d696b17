"""A system in three dimensions, from data to equation and forecast."""

from __future__ import annotations

import numpy as np
import pytest

import pdenet

RATES = {"u_x": -0.8, "u_y": -0.5, "u_z": 0.3, "u_xx": 0.1, "u_yy": 0.1, "u_zz": 0.1}


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_transport_with_diffusion_is_found(noise: float) -> None:
    field = pdenet.simulate(
        "convection-diffusion3d", grid=(16, 16, 16), t_end=0.4, init="random:modes=3,amplitude=2", noise=noise, seed=1
    )
    model = pdenet.PDENet(degree=1).fit(field.select(times=slice(0, 10)))
    (equation,) = model.equations_
    found = dict(zip(map(str, equation.terms), equation.coefficients, strict=True))
    # clean: polynomials in time; 2 %: 80 000 values tell waves of 3 turns to about 1 % of the diffusion
    assert found == pytest.approx(RATES, rel=0.03 if noise else 1e-6)
    told = model.predict(field.select(times=slice(0, 10)), 1)
    error = np.sqrt(np.mean((told.values[:, 0] - field.values[:, 10]) ** 2)) / field.values.std()
    assert error < (2.5 * noise if noise else 1e-6)  # noise of the start and of the truth


def test_a_product_is_found() -> None:
    field = pdenet.simulate(
        "u_t = -u*u_z + 0.2*lap(u)",
        grid=(12, 12, 12),
        t_end=0.3,
        save_every=0.03,
        runs=2,
        seed=3,
        init="random:modes=2,amplitude=1",
        tolerance=1e-6,
    )
    (equation,) = pdenet.PDENet(order=2, degree=2).fit(field).equations_
    found = dict(zip(map(str, equation.terms), equation.coefficients, strict=True))
    # waves that 12 points do not hold are folded back into the data
    assert found == pytest.approx({"u*u_z": -1.0, "u_xx": 0.2, "u_yy": 0.2, "u_zz": 0.2}, rel=0.01)
