"""B11-B15: what limits reversibility and stability, Hamiltonian networks, and a loss landscape."""

from __future__ import annotations

import torch

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.checks.steps import order_of, there_and_back
from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.landscape import landscape, layer_matrix
from backbone.layers import Antisymmetric, energy, hamiltonian, hamiltonian_like
from backbone.operators import Dense
from backbone.schemes.adams import AB3
from backbone.schemes.explicit import Euler
from backbone.schemes.scheme import Scheme
from backbone.schemes.symplectic import SymplecticEuler, Verlet
from backbone.stability import stability_report
from backbone.structured import Separable

DOUBLE = torch.float64


def check_hamiltonian(example: Example) -> list[Measured]:
    """B11, B13: there and back errors grow as |xi|^(2N) in linear layers, and stay at rounding in Hamiltonian ones."""
    found = []
    # alpha beta, layers, bounds: |xi| = 1, 1, 1.56, 2; the prototype's 6e-17, 2e-13, 2e2, 1e14
    for product, n, least, most in (
        (-1.0, 200, 0.0, 1e-13),
        (-3.9, 200, 0.0, 1e-11),
        (0.2, 50, 1.0, 1e5),
        (-4.5, 50, 1e10, 1e17),
    ):
        found.append(
            Measured(f"there and back, alpha beta = {product}, {n} layers", _linear_limit(product, n), least, most)
        )
    for n, dtype, most in ((10, DOUBLE, 5e-15), (1000, DOUBLE, 1e-13), (1000, torch.float32, 5e-5)):
        found.append(Measured.below(f"there and back, width 32, {n} layers, {dtype}", _deep(n, dtype), most))
    return [*found, order_of("Verlet", "pole")]


def _linear_limit(product: float, n: int) -> float:
    """z <- z - a y, y <- y + b z with -a b = product, hence y_{n+1} - (2 + product) y_n + y_{n-1} = 0."""
    a = abs(product) ** 0.5
    field = Separable(lambda t, y: -a * y, lambda t, z: -product / a * z)
    return there_and_back(SymplecticEuler(), lambda step: field, normal(4, 2), Grid.uniform(0.0, float(n), n))


def _deep(n: int, dtype: torch.dtype) -> float:
    fields = [hamiltonian_like(Dense(32, 32, generator=seeded(k), dtype=dtype)) for k in range(n)]
    grid = Grid.uniform(0.0, 0.1 * n, n)
    return there_and_back(SymplecticEuler(), lambda step: fields[step], normal(4, 64).to(dtype), grid)


def check_two_layer_hamiltonian(example: Example) -> list[Measured]:
    """B13: the energy is kept to the scheme's order over long times; Euler's drifts without bound."""
    field = hamiltonian(*(Dense(4, 4, generator=seeded(k), dtype=DOUBLE) for k in range(2))).requires_grad_(False)
    drifts = {
        title: [_drift(field, scheme, n) for n in (500, 1000)]
        for title, scheme in (("Verlet", Verlet()), ("symplectic Euler", SymplecticEuler()))
    }
    return [
        Measured.order("energy drift over T = 100, Verlet", drifts["Verlet"], 2),
        Measured.order("energy drift over T = 100, symplectic Euler", drifts["symplectic Euler"], 1),
        Measured.above("Euler's drift over Verlet's", _drift(field, Euler(), 500) / drifts["Verlet"][0], 100.0),
    ]


def _drift(field: Separable, scheme: Scheme, n: int) -> float:
    y0 = normal(5, 8)
    path = integrate(Shared(field), y0, Grid.uniform(0.0, 100.0, n), scheme, save="all").ys
    energies = energy(field, path.flatten(0, 1)).reshape(path.shape[:2])
    return float((energies - energies[0]).abs().max())


def check_antisymmetric(example: Example) -> list[Measured]:
    """B5, B12, B14: no growing mode, Euler's growth, the bound of AB3 on the imaginary axis."""
    layer = Antisymmetric(Dense(8, 8, generator=seeded(), dtype=DOUBLE)).requires_grad_(False)
    report = stability_report(Shared(layer), normal(3, 8), Grid.uniform(0.0, 1.0, 5))
    growth = _turned(Euler(), 0.2, 500)
    return [
        Measured("largest real part of an eigenvalue", report.real_part, -1e-13, 1e-13),
        Measured("Euler's growth over theory, h omega = 0.2", growth / (1 + 0.2**2) ** 250, 1 - 1e-9, 1 + 1e-9),
        Measured.below("AB3 after 2000 steps, h omega = 0.72", _turned(AB3(), 0.72, 2000), 2.0),
        Measured.above("AB3 after 1000 steps, h omega = 0.75", _turned(AB3(), 0.75, 1000), 1e6),
        order_of("AB3"),
    ]


@torch.no_grad()
def _turned(scheme: Scheme, h_omega: float, n: int) -> float:
    """|y_n| / |y_0| for y' = omega J y."""
    J = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=DOUBLE)
    y = torch.tensor([[1.0, 0.0]], dtype=DOUBLE)
    memory = scheme.start(y)
    for k in range(n):
        y, memory = scheme.step(lambda t, y: h_omega * y @ J.T, float(k), k + 1.0, y, memory)
    return float(y.norm())


def check_landscape(example: Example) -> list[Measured]:
    """B15: the loss over two weights is zero at its target and huge where the layer's Jacobian has growing modes."""
    thetas = torch.tensor([[1.0, 1.0], [-0.5, -0.5]], dtype=DOUBLE)
    fine, coarse = landscape(thetas), landscape(thetas, layers=100)
    real = torch.linalg.eigvals(layer_matrix(thetas)).real.sort(dim=1).values
    wanted = torch.tensor([[-3.0, -3.0, 0.0], [0.0, 1.5, 1.5]], dtype=DOUBLE)
    error = float((real - wanted).abs().max())
    return [
        Measured.below("loss at the target, N = 200", float(fine.loss[0]), 0.0),
        Measured("loss at the target's weights, N = 100", float(coarse.loss[0]), 1e-6, 1.0),
        Measured.above("loss at (-1/2, -1/2)", float(fine.loss[1]), 100.0),
        Measured.below("eigenvalues' real parts minus (-3, 0, -3), (1.5, 0, 1.5)", error, 1e-12),
    ]
