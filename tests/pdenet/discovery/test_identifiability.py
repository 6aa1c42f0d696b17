"""Data that cannot decide: single waves, waves of fixed shape, rest, flat axes; and data that can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pdenet.discovery.discover import Discovery, discover
from pdenet.discovery.doubts import Doubt, raise_doubts, undecided
from pdenet.discovery.identifiability import CannotTell, Identifiability, Rival, identify
from pdenet.discovery.normal_equations import NormalEquations
from pdenet.discovery.restrictions import Restrictions
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")
N_BLOCKS, N_SHELLS, N_ROWS = 8, 3, 50


def made_up(apart: float, noise: float = 1e-3) -> NormalEquations:
    """u_t = 2 u_xx + noise, where u is u_xx and `apart` of something else."""
    generator = np.random.default_rng(0)
    shape = (N_BLOCKS, N_SHELLS, N_ROWS)
    second, other, third, chance = (generator.standard_normal(shape) for _ in range(4))
    columns = np.stack([second, -second + apart * other, third, 2.0 * second + noise * chance], axis=-1)
    gram = np.einsum("bsni,bsnj->bsij", columns, columns)
    terms = tuple(Term.parse(text) for text in ("u_xx", "u", "u_x"))
    return NormalEquations(terms, ("u",), gram, np.full(shape[:2], N_ROWS))


def no_noise(equation: object) -> np.ndarray:
    return np.zeros((N_BLOCKS, N_SHELLS))


def test_a_rival_is_told_by_the_standard_errors_between_them() -> None:
    support = (Term.parse("u_xx"),)
    together = identify(made_up(0.0), "u", support, no_noise)
    assert [str(rival.term) for rival in together.undecided] == ["u"]
    assert together.closest[0].correlation == pytest.approx(-1.0, abs=1e-12)
    assert together.undecided[0].equation.to_text(3) == "u_t = -2*u"
    apart = identify(made_up(0.1), "u", support, no_noise)
    assert apart.undecided == ()
    # beside u the coefficient of u_xx has the standard error noise / (.1 sqrt(rows)): 2 / (1e-3 / (.1 * 34.6)) = 7000
    assert apart.closest[0].separation == pytest.approx(
        2.0 * 0.1 * np.sqrt(N_BLOCKS * N_SHELLS * N_ROWS) / 1e-3, rel=0.3
    )


def test_the_condition_is_that_of_the_scaled_columns() -> None:
    found = identify(made_up(1.0), "u", (Term.parse("u_xx"), Term.parse("u")), no_noise)
    # columns a and -a + b of unit size, with a and b independent: correlation -1/sqrt(2)
    exact = np.sqrt((1 + np.sqrt(0.5)) / (1 - np.sqrt(0.5)))
    assert found.condition == pytest.approx(exact, rel=0.1)  # 1200 rows: correlations are known to .03


def modes(*numbers: int, noise: float = 0.0, n_runs: int = 1) -> Field:
    """u_t = 0.1 u_xx from some sine modes, exact."""
    generator = np.random.default_rng(0)
    x, t = 2 * np.pi * np.arange(32) / 32, 0.05 * np.arange(20)[:, None]
    values = np.zeros((n_runs, 20, 1, 32))
    for run in range(n_runs):
        for k in numbers:
            values[run, :, 0] += generator.uniform(0.5, 1.0) * np.exp(-0.1 * k**2 * t) * np.sin(k * x + k + run)
    values += noise * values.std() * generator.standard_normal(values.shape)
    return Field(values=values, dt=0.05, dx=(x[1],), names=("u",), boundary=("periodic",))


def doubts(found: Discovery) -> list[str]:
    return [doubt.kind for doubt in found.doubts]


def test_one_mode_of_the_heat_equation_cannot_tell() -> None:
    found = discover(modes(1), device=CPU)
    (doubt,) = found.doubts
    assert doubt.kind == "rivals"
    assert "u_t = 0.1*u_xx" in doubt.what
    assert "u_t = -0.1*u" in doubt.what
    assert "these data hold 1" in doubt.experiment


def test_what_is_known_otherwise_settles_it() -> None:
    known = Restrictions.read(("u",), ("x",), forbid="u")
    found = discover(modes(1), device=CPU, order=2, degree=1, restrictions=known)
    assert found.doubts == ()
    assert found.equations[0].to_text() == "u_t = 0.1*u_xx"


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_three_modes_can_tell(noise: float) -> None:
    found = discover(modes(1, 2, 3, noise=noise, n_runs=3), device=CPU)
    assert found.doubts == ()
    assert [str(term) for term in found.equations[0].terms] == ["u_xx"]
    assert min(rival.separation for rival in found.identified["u"].closest) > 10.0


def soliton(noise: float = 0.0) -> Field:
    """One soliton of u_t = -6 u u_x - u_xxx: u = 2 / cosh(x - 4 t)^2, repeated every 20."""
    x, t = 20.0 * np.arange(64) / 64, 0.02 * np.arange(24)[:, None]
    wave = sum(2.0 / np.cosh(x - 4.0 * t - 5.0 - 20.0 * m) ** 2 for m in (-1, 0, 1))
    wave += noise * wave.std() * np.random.default_rng(0).standard_normal(wave.shape)
    return Field(values=wave[None, :, None], dt=0.02, dx=(x[1],), names=("u",), boundary=("periodic",))


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_wave_of_fixed_shape_cannot_tell(noise: float) -> None:
    found = discover(soliton(noise), device=CPU)
    assert doubts(found) == ["fixed shape"]
    assert "u*u_x" in found.doubts[0].what
    assert "another height" in found.doubts[0].experiment


def test_plain_transport_is_no_wave_of_another_equation() -> None:
    x, t = 2 * np.pi * np.arange(64) / 64, 0.05 * np.arange(20)[:, None]
    wave = np.exp(np.sin(x - t))[None, :, None]
    found = discover(Field(values=wave, dt=0.05, dx=(x[1],), names=("u",), boundary=("periodic",)), device=CPU)
    assert found.doubts == ()
    assert found.equations[0].to_text() == "u_t = -u_x"


def test_noise_alone_gives_no_equation(heat: Field) -> None:
    chance = replace(heat, values=np.random.default_rng(1).standard_normal(heat.values.shape))
    found = discover(chance, device=CPU, order=2, degree=2)
    assert doubts(found) == ["nothing significant"]
    assert "strongest rejected" in found.doubts[0].what
    assert "times as often" in found.doubts[0].experiment


def test_data_at_rest_or_flat_are_refused_before_any_work(heat: Field) -> None:
    still = replace(heat, values=np.repeat(heat.values[:, :1], 12, axis=1))
    with pytest.raises(CannotTell, match="u does not change in time"):
        discover(still, device=CPU)
    wide = np.repeat(heat.values[..., None, :], 8, axis=3)
    flat = replace(heat, values=wide, dx=(0.1, *heat.dx), boundary=("periodic", "periodic"), origin=(0.0, 0.0))
    with pytest.raises(CannotTell, match="does not vary along y"):
        discover(flat, device=CPU)


def test_fewer_equations_than_terms_are_refused() -> None:
    # noise hides all but one wave: 3 tested modes at the 2 Gauss points of one long window
    with pytest.raises(CannotTell, match="equations for 8 candidate terms"):
        discover(modes(1, noise=0.01), device=CPU)


def test_many_doubts_are_told_by_the_first_ones() -> None:
    doubts = [Doubt("u", "rivals", f"term {k} has rivals", f"add run {k}") for k in range(5)]
    with pytest.raises(CannotTell) as told:
        raise_doubts(doubts, "data.npz")
    text = str(told.value)
    assert "term 2 has rivals; and 2 more doubts like these" in text
    assert "add run 2" in text
    assert "term 3" not in text
    assert "add run 3" not in text


def test_long_equations_of_rivals_are_cut(heat: Field) -> None:
    terms = tuple(Term.parse("*".join(["u"] * k + ["u_xx"])) for k in range(20))
    long = Equation.of("u", terms, [0.123 + k for k in range(20)])
    rival = Rival(Term.parse("u_xxxx"), terms[0], 0.9, 0.1, long)
    (doubt,) = undecided(heat, "u", Identifiability(1.0, (rival,), (rival,), ()), long)
    assert len(long.to_text()) > 300
    assert doubt.what.count(" ...") == 2
    assert len(doubt.what) < 2 * len(long.to_text())
