"""The implicit trapezoid and its Newton-Krylov solver, on stiff, complex and unsolvable steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from backbone.dynamics import Shared
from backbone.errors import Diverged, UntrustedResult, UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ImplicitTrapezoid
from backbone.schemes.krylov import gmres


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def laplacian(y: Tensor) -> Tensor:
    """Second difference on 32 periodic points, spacing 1/32: eigenvalues down to -4096."""
    return (torch.roll(y, 1, -1) - 2 * y + torch.roll(y, -1, -1)) * 32**2


def test_gmres_solves_a_real_and_a_real_linear_complex_system() -> None:
    A, b = normal(12, 12) + 4 * torch.eye(12, dtype=torch.float64), normal(3, 4)
    x, n = gmres(lambda v: (A @ v.reshape(-1)).reshape(3, 4), b, tolerance=1e-13)
    torch.testing.assert_close(x.reshape(-1), torch.linalg.solve(A, b.reshape(-1)), rtol=1e-11, atol=1e-11)
    assert n == 12  # GMRES ends with the dimension
    z = torch.complex(normal(3, 4), normal(3, 4).flip(0))
    x, _ = gmres(lambda v: 2 * v + 1j * v.conj(), z, tolerance=1e-14)  # conjugation is linear over the reals only
    torch.testing.assert_close(2 * x + 1j * x.conj(), z, rtol=0.0, atol=1e-13)
    assert gmres(lambda v: v, torch.zeros(2, 2))[1] == 0


@pytest.mark.parametrize("z", [-0.5, -1e3, -1e6])
def test_a_step_is_the_cayley_map(z: float) -> None:
    y0 = normal(3, 2)
    out = integrate(Shared(lambda t, y: z * y), y0, Grid.uniform(0.0, 1.0, 1), ImplicitTrapezoid())
    # rounding of |z| y in the residual, damped by 1/|z|: a few units
    torch.testing.assert_close(out.ys, y0 * (1 + z / 2) / (1 - z / 2), rtol=1e-13, atol=0.0)


def test_stiff_reaction_diffusion_against_scipy() -> None:
    """Allen-Cahn with steps 40 times longer than Euler could take; the tolerance is the scheme's own error."""
    y0 = torch.sin(2 * torch.pi * torch.arange(32, dtype=torch.float64) / 32)[None]

    def field(t: float, y: Tensor) -> Tensor:
        return 0.1 * laplacian(y) + 5 * (y - y**3)

    def flat(t: float, y: np.ndarray) -> np.ndarray:
        return field(t, torch.from_numpy(y)[None])[0].numpy()

    exact = solve_ivp(flat, (0.0, 0.5), y0[0].numpy(), method="Radau", rtol=1e-9, atol=1e-11).y[:, -1]
    ends = [integrate(Shared(field), y0, Grid.uniform(0.0, 0.5, n), ImplicitTrapezoid()).ys[0] for n in (25, 50)]
    errors = [float((end - torch.from_numpy(exact)).abs().max()) for end in ends]
    assert errors[1] < 1e-4  # h^2 = 1e-4 times a factor of order 1
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_the_derivative_is_that_of_the_equation() -> None:
    """gradcheck against central differences, for a field that is not holomorphic in its complex state."""
    y0 = torch.complex(normal(2, 2), normal(2, 2).flip(1)).requires_grad_()
    rate = torch.tensor([0.5, -3.0], dtype=torch.float64, requires_grad=True)

    def end(y: Tensor, rate: Tensor) -> Tensor:
        f = Shared(lambda t, y: rate * y - y * y.abs() ** 2 + t * y.conj())
        return integrate(f, y, Grid.uniform(0.0, 0.6, 2), ImplicitTrapezoid()).ys

    # default tolerances, 1e-3 relative for differences of 1e-6; autograd itself hands no undefined gradient to a hook
    assert torch.autograd.gradcheck(end, (y0, rate), check_undefined_grad=False)


def test_no_second_derivatives() -> None:
    y0 = normal(1, 1).requires_grad_()
    end = integrate(Shared(lambda t, y: -(y**2)), y0, Grid.uniform(0.0, 0.1, 1), ImplicitTrapezoid()).ys
    with pytest.raises(UsageError, match="second derivatives"):
        torch.autograd.grad(end.sum(), y0, create_graph=True)


def test_no_root_is_said_and_no_number_diverges() -> None:
    y0 = torch.ones(1, 1, dtype=torch.float64)
    with pytest.raises(UntrustedResult, match=r"not converged on the step to t=2"):
        integrate(Shared(lambda t, y: y**2), y0, Grid.uniform(0.0, 2.0, 1), ImplicitTrapezoid())
    with pytest.raises(Diverged, match="after step 0"):
        integrate(Shared(lambda t, y: y / 0.0 if t > 0 else y), y0, Grid.uniform(0.0, 1.0, 1), ImplicitTrapezoid())
    with pytest.raises(UsageError, match="between 0 and 1"):
        ImplicitTrapezoid(tolerance=0.0)


def test_single_precision() -> None:
    y0 = normal(2, 32).float()
    out = integrate(Shared(lambda t, y: laplacian(y)), y0, Grid.uniform(0.0, 0.1, 5), ImplicitTrapezoid())
    k = torch.fft.rfftfreq(32).double() * 2 * torch.pi
    z = 0.02 * (2 * torch.cos(k) - 2) * 32**2
    exact = torch.fft.irfft(torch.fft.rfft(y0.double()) * ((1 + z / 2) / (1 - z / 2)) ** 5, n=32)
    assert out.ys.dtype == torch.float32
    # float32 rounds the residual to 6e-8 |z| y, |z| = 82: 5e-6 a step
    torch.testing.assert_close(out.ys.double(), exact, rtol=0.0, atol=5e-5)
