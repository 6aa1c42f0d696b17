"""Complex fields: split into real and imaginary parts, learnt, and joined where the phase has no meaning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cli
import pdenet
from backbone.commands import shell
from pdenet.equations.complex_form import complex_equations
from pdenet.equations.equation import Equation


def system(*texts: str, error: float = 0.0) -> list[Equation]:
    parsed = [Equation.parse(text) for text in texts]
    return [Equation(one.lhs, one.terms, one.coefficients, (error,) * len(one.terms)) for one in parsed]


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (
            (
                "psiRe_t = -0.5*psiIm_xx - 1*psiIm*psiRe**2 - 1*psiIm**3",
                "psiIm_t = 0.5*psiRe_xx + 1*psiIm**2*psiRe + 1*psiRe**3",
            ),
            ["psi_t = i*|psi|**2*psi + 0.5*i*psi_xx"],
        ),
        (
            ("aRe_t = 0.1*aRe_xx - 0.5*aIm_xx + aRe", "aIm_t = 0.1*aIm_xx + 0.5*aRe_xx + aIm"),
            ["a_t = a + (0.1 + 0.5*i)*a_xx"],
        ),
        (("aRe_tt = aRe_xx - aRe", "aIm_tt = aIm_xx - aIm"), ["a_tt = -a + a_xx"]),
        (("aRe_t = -0.5*aIm_xx - n*aIm", "aIm_t = 0.5*aRe_xx + n*aRe", "n_t = n_x"), ["a_t = i*a*n + 0.5*i*a_xx"]),
        (("aRe_t = -0.5*aIm_xx", "aIm_t = 0.5*aRe_xx + aRe"), []),  # the phase matters
        (("u_t = u_xx", "v_t = v_xx"), []),
    ],
)
def test_equations_are_joined_where_the_phase_has_no_meaning(texts: tuple[str, ...], joined: list[str]) -> None:
    assert complex_equations(system(*texts)) == joined


def test_what_breaks_the_symmetry_within_errors_is_chance() -> None:
    texts = ("aRe_t = -0.501*aIm_xx - 1.001*aIm", "aIm_t = 0.499*aRe_xx + 0.999*aRe")
    assert complex_equations(system(*texts, error=0.001)) == ["a_t = i*a + 0.5*i*a_xx"]
    assert complex_equations(system(*texts, error=1e-5)) == []


def test_schroedinger_from_a_complex_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    field = pdenet.simulate("schroedinger", grid=64, t_end=1.0, save_every=0.025, seed=2)
    psi = field.values[:, :, 0] + 1j * field.values[:, :, 1]
    dims = np.array(["run", "time", "x"])
    np.savez("psi.npz", psi=psi, t=field.times(), x=field.coordinates()["x"], dims=dims)
    assert shell.run(cli.app, ["learn", "psi.npz"]) == 3
    assert "--complex split" in capsys.readouterr().err
    assert shell.run(cli.app, ["learn", "psi.npz", "--complex", "split", "--json"]) == 0
    caught = capsys.readouterr()
    assert "joined: psi_t = i*|psi|**2*psi + 0.5*i*psi_xx" in caught.err
    document = json.loads(caught.out)
    found = [{row["term"]: row["coef"] for row in equation["terms"]} for equation in document["equations"]]
    # polynomials of degree 10 in time leave less of the fastest wave, which turns by 0.1 from snapshot to snapshot
    assert found[0] == pytest.approx({"psiIm_xx": -0.5, "psiIm*psiRe**2": -1.0, "psiIm**3": -1.0}, rel=1e-6)
    assert found[1] == pytest.approx({"psiRe_xx": 0.5, "psiIm**2*psiRe": 1.0, "psiRe**3": 1.0}, rel=1e-6)
    assert document["heldout_error"] < 1e-6
    run = document["run"]
    assert shell.run(cli.app, ["forecast", run, "psi.npz", "--complex", "split", "--t-end", "1.1"]) == 0


def test_a_known_potential() -> None:
    """i psi_t = -psi_xx/2 + V psi, V measured beside psi."""
    field = pdenet.simulate(
        "psiRe_t = -0.5*lap(psiIm) + cos(x)*psiIm; psiIm_t = 0.5*lap(psiRe) - cos(x)*psiRe",
        grid=64,
        t_end=1.0,
        save_every=0.025,
        runs=3,
        seed=2,
    )
    potential = np.broadcast_to(np.cos(field.coordinates()["x"]), field.values[:, :, :1].shape)
    whole = replace(field, values=np.concatenate([field.values, potential], axis=2), names=(*field.names, "V"))
    model = pdenet.FieldPDENet(known="V", terms="psiIm_xx, psiRe_xx, V*psiIm, V*psiRe, psiIm, psiRe").fit(whole)
    assert model.equation_ == "psiRe_t = -0.5*psiIm_xx + V*psiIm\npsiIm_t = 0.5*psiRe_xx - V*psiRe"
