"""A whole simulation: what decides it, what does not, and what is refused before any work."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import pdenet
from backbone.errors import ResourceError, UsageError
from pdenet.equations.expansion import to_equations
from pdenet.equations.expression import parse_system
from pdenet.equations.terms import is_velocity
from pdenet.simulation.catalogue import CATALOGUE
from pdenet.simulation.sizes import parse_grid, parse_length, parse_parameters, snapshot_times

HEAT = "u_t = 0.1*u_xx"


def test_axes_times_and_units() -> None:
    field = pdenet.simulate("heat", grid="16x12", length="2pix1", runs=2, t_end=0.09, save_every=0.01)
    assert field.values.shape == (2, 10, 1, 12, 16)
    assert field.axes == ("y", "x")
    assert field.dx == (1 / 12, 2 * np.pi / 16)
    assert field.names == ("u",)
    assert field.boundary == ("periodic", "periodic")
    np.testing.assert_allclose(field.times(), np.linspace(0, 0.09, 10), rtol=1e-14)
    assert pdenet.simulate(HEAT, grid=12, t_end=0.02).values.shape == (1, 3, 1, 12)
    assert pdenet.simulate("burgers2d", grid=12, t_end=0.02).space_shape == (12, 12)  # it names x and y
    assert pdenet.simulate("u_t = lap(u)", grid=(8, 6, 4), init="random:modes=1", t_end=0.01).space_shape == (4, 6, 8)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_row_runs_small(name: str) -> None:
    row = CATALOGUE[name]
    grid = tuple(16 for _ in row.grid)
    start = re.sub("modes=[89]", "modes=4", row.initial)  # what 16 points hold
    field = pdenet.simulate(
        name, grid=grid, runs=2, t_end=0.02, save_every=0.01, burn_in=min(row.burn_in, 0.02), init=start, tolerance=1e-5
    )
    system = parse_system(row.text, len(grid), row.parameters)
    assert field.names == (*(name for name in system.variables if not is_velocity(name)), *row.also)
    assert np.isfinite(field.values).all()
    assert (field.values[:, -1] != field.values[:, 0]).any()


def test_catalogue_equations() -> None:
    """The true terms that a discovery must find, by number."""
    products = {name for name, row in CATALOGUE.items() if "invlap" not in row.text and "sin(" not in row.text}
    rows = {name: row for name, row in CATALOGUE.items() if name in products}
    systems = {name: parse_system(row.text, len(row.grid), row.parameters) for name, row in rows.items()}
    found = {name: [len(equation.terms) for equation in to_equations(system)] for name, system in systems.items()}
    assert found == {
        "heat": [2],
        "convection-diffusion": [4],
        "burgers": [2],
        "wave": [1],
        "klein-gordon": [3],
        "telegraph": [3],
        "schroedinger": [3, 3],
        "convection-diffusion3d": [6],
        "burgers3d": [6],
        "burgers2d": [4, 4],
        "pdenet-burgers": [4, 4],
        "kdv": [2],
        "ks": [3],
        "allen-cahn": [4],
        "lambda-omega": [7, 7],
        "fitzhugh-nagumo": [6, 4],
    }


def test_same_seed_same_bits() -> None:
    options = {"grid": 16, "runs": 2, "t_end": 0.05, "noise": 0.1}
    first, second = (pdenet.simulate("burgers", seed=3, **options).values for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != pdenet.simulate("burgers", seed=4, **options).values).all()


def test_noise_leaves_the_clean_data_alone() -> None:
    """The noise is the same multiple of its scale whatever its level, on top of the same clean data."""
    clean, little, much = (
        pdenet.simulate("burgers", grid=16, t_end=0.05, noise=level).values for level in (0.0, 0.1, 0.2)
    )
    np.testing.assert_allclose(much - clean, 2 * (little - clean), rtol=0, atol=1e-14)  # rounding of sums near 2
    assert (little != clean).all()


def test_upwind_and_spectral_start_alike() -> None:
    """The two Burgers generators draw the same fields from the same seed; the first half of the runs is older."""
    spectral = pdenet.simulate("burgers2d", grid="12x12", runs=2, t_end=0.01, tolerance=1e-4)
    upwind = pdenet.simulate("pdenet-burgers", grid="12x12", runs=2, t_end=0.01, burn_in=0.01)
    np.testing.assert_allclose(upwind.values[1, 0], spectral.values[1, 0], rtol=0, atol=1e-13)  # rounding of phases
    assert np.abs(upwind.values[0, 0] - spectral.values[0, 0]).max() > 1e-3


def test_burn_in_goes_before_the_first_snapshot() -> None:
    early = pdenet.simulate(HEAT, grid=16, t_end=0.4, save_every=0.1)
    late = pdenet.simulate(HEAT, grid=16, t_end=0.2, save_every=0.1, burn_in=0.2)
    np.testing.assert_allclose(late.values, early.values[:, 2:], rtol=0, atol=1e-14)  # exact in time
    assert late.t0 == 0.0


def test_parameters_replace_the_catalogues() -> None:
    field = pdenet.simulate("heat", grid=16, init="sine", t_end=1.0, save_every=0.5, params={"nu": 0.3})
    decay = np.exp(-0.15 * np.arange(3))
    np.testing.assert_allclose(field.values[0, :, 0], decay[:, None] * field.values[0, 0, 0], rtol=0, atol=1e-14)


def test_no_tensor_is_made_on_an_implicit_device() -> None:
    """With another default device every tensor made without its own would land there and meet the others in vain."""
    with torch.device("meta"):
        for name in ("navier-stokes", "pdenet-burgers", "u_t = x*sin(u)*cos(t) + 2 + u_xx"):
            pdenet.simulate(name, grid=12 if "=" in name else "12x12", t_end=0.02, save_every=0.01, burn_in=0.0, runs=1)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["burgers2d", "pdenet-burgers", "navier-stokes"])
def test_cuda_gives_the_same_data(name: str) -> None:
    options = {"grid": "16x16", "runs": 2, "t_end": 0.02, "save_every": 0.01, "burn_in": 0.01}
    there, here = (pdenet.simulate(name, device=device, **options).values for device in ("cuda", "cpu"))
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-10)  # rounding of other transforms over a few steps


@pytest.mark.parametrize(
    ("equation", "options"),
    [
        ("haet", {}),
        ("heat", {"grid": "16x2"}),
        ("heat", {"grid": "16*16"}),
        ("heat", {"grid": "8x8x8x8"}),
        ("heat", {"length": "0"}),
        ("heat", {"length": "2pix3pix4pi"}),
        ("heat", {"length": "two"}),
        ("heat", {"runs": 0}),
        ("heat", {"t_end": 0.1, "save_every": 0.03}),
        ("heat", {"t_end": -1.0}),
        ("heat", {"save_every": 0.0}),
        ("heat", {"noise": -0.1}),
        ("heat", {"noise": float("nan")}),
        ("heat", {"noise": 0.1, "noise_def": "run"}),
        ("heat", {"seed": -1}),
        ("heat", {"burn_in": -1.0}),
        ("heat", {"tolerance": 1e-15}),
        ("heat", {"tolerance": 1e-8, "dtype": "float32"}),
        ("heat", {"dtype": "float16"}),
        ("heat", {"device": "gpu"}),
        ("heat", {"init": "file"}),
        ("heat", {"params": {"mu": 1.0}}),
        (HEAT, {"params": {"mu": 1.0}}),
        ("u_t = u_zz", {"grid": "8x8"}),
        ("pdenet-burgers", {"grid": "32x16"}),
        ("pdenet-burgers", {"length": "2x3"}),
    ],
)
def test_wrong_words_are_refused(equation: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        pdenet.simulate(equation, **options)


def test_too_much_for_the_memory() -> None:
    with pytest.raises(ResourceError, match="GB"):
        pdenet.simulate("heat", grid="4096x4096", runs=100, t_end=1.0, save_every=0.001)


def test_words_for_sizes() -> None:
    assert parse_grid("64x32", 1) == (64, 32)
    assert parse_grid([8, 9], 2) == (8, 9)
    assert parse_grid("64", 1) == (64,)
    assert parse_grid(64, 2) == parse_grid([64], 2) == (64, 64)
    assert parse_length("6.5", 2) == (6.5, 6.5)
    assert parse_length("2pix0.5*pi", 2) == (2 * np.pi, 0.5 * np.pi)
    assert parse_length("pi", 1) == (np.pi,)
    assert parse_length([1.0, 2.0], 2) == (1.0, 2.0)
    assert parse_parameters(["nu=0.1", "a=-2e-3"]) == {"nu": 0.1, "a": -2e-3}
    assert len(snapshot_times(0.09, 0.01)) == 10
    for words in (["nu"], ["=1"], ["nu=x"], ["nu=nan"]):
        with pytest.raises(UsageError):
            parse_parameters(words)
