"""ETDRK4: its coefficients against 50 digits, its order on a stiff PDE, its cache."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import pytest
import torch
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4, RK4
from backbone.schemes.exponential import EtdCoefficients

FORMULAS: dict[str, Callable[[mpmath.mpc], mpmath.mpc]] = {
    "full": mpmath.exp,
    "half": lambda z: mpmath.exp(z / 2),
    "inner": lambda z: (mpmath.exp(z / 2) - 1) / z,
    "first": lambda z: (-4 - z + mpmath.exp(z) * (4 - 3 * z + z**2)) / z**3,
    "middle": lambda z: (2 + z + mpmath.exp(z) * (z - 2)) / z**3,
    "last": lambda z: (-4 - 3 * z - z**2 + mpmath.exp(z) * (4 - z)) / z**3,
}
REAL = [-1e6, -300.0, -5.0, -1.0, -0.3, -1e-3, -1e-8, 1e-5, 0.5, 2.0]
COMPLEX = [1e-7j, 0.01j, 1j, -2 + 3j, 50j, 4000j, -300 + 20j]


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("points", [REAL, COMPLEX], ids=["real", "complex"])
def test_coefficients_against_fifty_digits(name: str, points: list[complex]) -> None:
    h = 0.25
    linear = torch.tensor(points, dtype=torch.complex128 if points is COMPLEX else torch.float64) / h
    got = getattr(EtdCoefficients.of(linear, h), name)
    scale = 1.0 if name in ("full", "half") else h
    with mpmath.workdps(50):
        exact = [complex(FORMULAS[name](mpmath.mpmathify(z)) * scale) for z in (linear * h).tolist()]
    assert got.dtype == linear.dtype
    # relative to the largest value the mean is taken over, e^1 h/6; exp(4000i) rounds its argument to 4e3 eps
    torch.testing.assert_close(
        got.to(torch.complex128), torch.tensor(exact, dtype=torch.complex128), rtol=1e-12, atol=1e-15
    )


def korteweg_de_vries(n: int, length: float) -> tuple[SemiLinear, Callable[[float], Tensor]]:
    """u_t = -u u_x - u_xxx in Fourier space, and its soliton u = 3 sech^2((x - t)/2)."""
    x = (torch.arange(n, dtype=torch.float64) / n - 0.5) * length
    k = torch.fft.rfftfreq(n, d=length / (2 * math.pi * n), dtype=torch.float64)

    def advection(t: float, spectrum: Tensor) -> Tensor:
        return -0.5j * k * torch.fft.rfft(torch.fft.irfft(spectrum, n=n) ** 2)

    return SemiLinear(1j * k**3, advection), lambda t: torch.fft.rfft(3 / torch.cosh((x - t) / 2) ** 2)[None]


def test_order_four_on_a_stiff_pde() -> None:
    """KdV's soliton, h k^3 up to 10: an explicit scheme would need 2.8. Tails at the ends 3 sech^2(40) < 1e-33."""
    field, exact = korteweg_de_vries(256, 80.0)
    scale = float(exact(2.0).abs().max())
    errors = [
        float((integrate(Shared(field), exact(0.0), Grid.uniform(0.0, 2.0, n), ETDRK4()).ys - exact(2.0)).abs().max())
        for n in (200, 400)
    ]
    assert errors[0] < 1e-7 * scale  # measured 2e-9 of the largest mode
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4.0, abs=0.2), errors


def test_without_a_linear_part_it_is_a_runge_kutta_scheme_of_order_four() -> None:
    """L = 0: stages as in RK4 and the weights h/6, h/3, h/3, h/6, but c = a + h (N(b) - N(y)/2)."""
    zero = torch.zeros(1, dtype=torch.float64)
    e = EtdCoefficients.of(zero, 0.6)
    weights = [float(w) for w in (e.inner, e.first, 2 * e.middle, e.last)]
    assert weights == pytest.approx([0.3, 0.1, 0.2, 0.1], rel=1e-14)
    field = SemiLinear(zero, lambda t, y: torch.cos(y))
    y0 = torch.tensor([[0.3]], dtype=torch.float64)
    ends = [integrate(Shared(field), y0, Grid.uniform(0.0, 1.0, 50), scheme).ys for scheme in (ETDRK4(), RK4())]
    torch.testing.assert_close(ends[0], ends[1], rtol=0.0, atol=1e-9)  # both err by h^4/100 = 2e-9


def test_equal_steps_use_the_coefficients_of_the_first() -> None:
    scheme = ETDRK4()
    linear = torch.tensor([-2.0], dtype=torch.float64)
    steps = Grid.uniform(0.3, 0.9, 7).steps  # lengths that differ in the last bits
    kept = [scheme.coefficients(linear, t0, t1) for t0, t1 in steps]
    assert all(coefficients is kept[0] for coefficients in kept)
    assert scheme.coefficients(linear, 0.9, 1.0) is not kept[0]
    assert scheme.coefficients(linear.clone(), *steps[0]) is not kept[0]


def test_coefficients_of_a_learned_symbol_are_made_anew() -> None:
    scheme = ETDRK4()
    linear = torch.tensor([-2.0], dtype=torch.float64, requires_grad=True)
    assert scheme.coefficients(linear, 0.0, 1.0) is not scheme.coefficients(linear, 0.0, 1.0)


def test_per_sample_linear_parts_are_learnable() -> None:
    rates = torch.tensor([[-1.0], [-2.0]], dtype=torch.float64, requires_grad=True)
    out = integrate(
        Shared(SemiLinear(rates, lambda t, y: 0 * y)), torch.ones(2, 1).double(), Grid.uniform(0.0, 1.0, 4), ETDRK4()
    )
    (slope,) = torch.autograd.grad(out.ys.sum(), rates)
    torch.testing.assert_close(out.ys, torch.exp(rates), rtol=1e-14, atol=0.0)  # exact up to rounding
    torch.testing.assert_close(slope, torch.exp(rates.detach()), rtol=1e-13, atol=0.0)
