"""The equation contract: what is printed with every digit, read back, forecasts the same to 1e-12."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import cli
from backbone.commands import shell
from backbone.errors import UsageError
from pdenet import forecast
from pdenet.equations.equation import Equation
from pdenet.equations.expansion import to_equations
from pdenet.equations.expression import parse_system
from pdenet.equations.latex import parse_latex
from pdenet.equations.printing import format_equations
from pdenet.fields.field import Field
from pdenet.forecasting.rolling import forecast_by_equations
from pdenet.simulation.catalogue import CATALOGUE
from pdenet.simulation.initial import Start, random_modes
from pdenet.simulation.spectral import solve_system
from pdenet.writers import write_npz

CPU = torch.device("cpu")
CONTRACT = 1e-12  # relative to the largest value: the bound
POINTS = {1: 48, 2: 16, 3: 8}


def lines(printed: str, parse: Callable[[str], Equation]) -> list[Equation]:
    return [parse(line) for line in printed.splitlines()]


def records(printed: str) -> list[Equation]:
    return [Equation.from_dict(row) for row in json.loads(printed)["equations"]]


PRINTED: dict[str, Callable[[Sequence[Equation]], list[Equation]]] = {
    "text": lambda equations: lines(format_equations(equations, "text", None), Equation.parse),
    "text, 17 digits": lambda equations: lines(format_equations(equations, "text", 17), Equation.parse),
    "json": lambda equations: records(format_equations(equations, "json")),
    "latex": lambda equations: lines(format_equations(equations, "latex", None), parse_latex),
    "typed": lambda equations: list(to_equations(parse_system(format_equations(equations, "text", None)))),
}


def start_of(name: str) -> Field:
    """A smooth state on few points of the box of a row of the catalogue."""
    row = CATALOGUE[name]
    system = parse_system(row.text, len(row.grid), row.parameters)
    shape, lengths = (POINTS[len(row.grid)],) * len(row.grid), row.length[::-1]
    values = random_modes(Start(1, len(system.variables), shape, lengths), np.random.default_rng(1), modes=2.0)
    return Field(
        values=values[:, None],
        dt=0.01,
        dx=tuple(length / n for length, n in zip(lengths, shape, strict=True)),
        names=system.variables,
        boundary=("periodic",) * len(shape),
    )


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(wanted).max() > 0.1  # something is forecast
    np.testing.assert_allclose(found, wanted, rtol=0, atol=CONTRACT * np.abs(wanted).max())


OTHERWISE = ("invlap", "sin(")  # not sums of products: an inverse Laplacian, coefficients of x, a source that is a sine


@pytest.mark.parametrize(
    "name", [name for name, row in CATALOGUE.items() if not any(word in row.text for word in OTHERWISE)]
)
def test_every_equation_of_the_catalogue(name: str) -> None:
    row, start = CATALOGUE[name], start_of(name)
    system = parse_system(row.text, len(row.grid), row.parameters)
    times = (0.0, 0.01, 0.02)
    typed = solve_system(system, start.values[:, 0], lengths=start.lengths, times=times).values
    equations = to_equations(system)
    for read_back in PRINTED.values():
        found = forecast_by_equations(read_back(equations), start, times, tolerance=1e-8, device=CPU)
        told = [system.variables.index(name) for name in found.names]  # without the velocities of u_tt
        assert_same(found.values, typed[:, :, told])


def test_an_inverse_laplacian_cannot_be_printed() -> None:
    """Navier-Stokes in vorticity alone: learned from w, u and v, its equation is a sum of terms like the others."""
    row = CATALOGUE["navier-stokes"]
    with pytest.raises(UsageError, match="more than products of variables"):
        to_equations(parse_system(row.text, 2, row.parameters))


@pytest.fixture(scope="module")
def learned_run(burgers: Field, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of the command line on noisy data, and those data."""
    folder = tmp_path_factory.mktemp("learned")
    noise = 1e-3 * np.random.default_rng(0).standard_normal(burgers.values.shape)
    noisy = Field(
        values=burgers.values + noise, dt=burgers.dt, dx=burgers.dx, names=burgers.names, boundary=burgers.boundary
    )
    write_npz(noisy, folder / "noisy.npz", recipe={})
    words = ["learn", str(folder / "noisy.npz"), "--order", "2", "--degree", "2", "-q", "-o", str(folder / "run")]
    assert shell.run(cli.app, words) == 0
    return folder / "run", folder / "noisy.npz"


@pytest.mark.parametrize(
    ("words", "parse"),
    [
        (["--digits", "17"], lambda printed: lines(printed, Equation.parse)),
        (["--format", "json"], records),
        (["--format", "latex", "--digits", "17"], lambda printed: lines(printed, parse_latex)),
    ],
    ids=["text", "json", "latex"],
)
def test_a_learned_run(
    learned_run: tuple[Path, Path],
    words: list[str],
    parse: Callable[[str], list[Equation]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, data = learned_run
    found = forecast(run, data, t_end=0.42)
    capsys.readouterr()
    assert shell.run(cli.app, ["equation", str(run), *words]) == 0
    printed = parse(capsys.readouterr().out)
    plan = found.plan
    again = forecast_by_equations(printed, plan.start, plan.times, tolerance=plan.tolerance, device=CPU)
    assert len(plan.times) == 11
    assert_same(again.values, found.field.values)
