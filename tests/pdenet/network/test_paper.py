from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backbone.errors import UsageError
from pdenet.fields.field import Field
from pdenet.network.paper import PaperLoss, PaperResult, train_paper
from pdenet.network.rhs import LearnedPDE
from pdenet.network.stages import Stage, stages_until
from pdenet.simulation import simulate

CPU = torch.device("cpu")
SMALL = {"hidden": 1, "device": CPU}
CONVECTION, DIFFUSION = -1.0, 0.2


def field() -> Field:
    """u_t = -u_x + 0.2 u_xx, exact, four runs of three snapshots."""
    generator = np.random.default_rng(0)
    x = 2 * np.pi * np.arange(24) / 24
    t = 0.01 * np.arange(3)[:, None]
    values = np.zeros((4, 3, 1, 24))
    for run in values:
        for k in range(1, 5):
            amplitude, phase = generator.standard_normal(), generator.uniform(0, 2 * np.pi)
            run[:, 0] += amplitude * np.exp(-DIFFUSION * k**2 * t) * np.cos(k * (x + CONVECTION * t) + phase)
    return Field(values=values, dt=0.01, dx=(x[1],), names=("u",), boundary=("periodic",))


def test_stages() -> None:
    assert [str(stage) for stage in stages_until(2)] == ["warm-up", "block 1", "block 2"]
    assert [stage.blocks for stage in stages_until(13)] == [1, 1, 2, 3, 4, 5, 6, 9, 12, 13]
    with pytest.raises(UsageError, match="0 blocks"):
        stages_until(0)


def test_loss_is_the_formula() -> None:
    data = field()
    model = LearnedPDE.of(data, hidden=1, generator=torch.Generator().manual_seed(0), dtype=torch.float64, device=CPU)
    u = torch.as_tensor(data.values)
    with torch.no_grad():
        rate = model.on(0.0, 0.01)
        first = u[:, 0] + 0.01 * rate(0.0, u[:, 0])
        second = first + 0.01 * rate(0.0, first)
        misfit = sum(((a - u[:, i]) / 0.01).square().mean() for i, a in ((1, first), (2, second)))

        def huber(p: np.ndarray, s: float) -> float:
            return float(np.where(np.abs(p) < s, p**2 / (2 * s), np.abs(p) - s / 2).sum())

        weights = np.concatenate([p.numpy().ravel() for p in model.response.parameters()])
        moments = np.concatenate([m.ravel() for m in model.moments_by_name().values()])
        penalty = 0.005 * huber(weights, 1e-3) + 0.001 * huber(moments, 1e-2)
        # round-off of (u~ - u) / dt, squared
        assert PaperLoss(Stage(2), 0.01)(model, u).item() == pytest.approx(misfit.item() + 2 * penalty, rel=1e-9)
        warm_up = PaperLoss(Stage(1, warm_up=True), 0.01)(model, u[:, :2]).item()
        assert warm_up == pytest.approx(((first - u[:, 1]) / 0.01).square().mean().item(), rel=1e-9)


def test_a_roll_out_that_blows_up_is_a_wall_for_the_line_search() -> None:
    data = field()
    model = LearnedPDE.of(data, hidden=1, generator=torch.Generator().manual_seed(0), dtype=torch.float64, device=CPU)
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(1e200)
    loss = PaperLoss(Stage(2), 0.01)(model, torch.as_tensor(data.values))
    loss.backward()
    assert loss.item() == 1e30
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())


@pytest.fixture(scope="module")
def straight() -> PaperResult:
    """One training without a stop."""
    return train_paper(field(), blocks=2, **SMALL)


def test_the_recipe_finds_convection_and_diffusion(straight: PaperResult) -> None:
    assert [stage.name for stage in straight.stages] == ["warm-up", "block 1", "block 2"]
    (equation,) = straight.equations
    terms = dict(zip(map(str, equation.terms), equation.coefficients, strict=True))
    assert list(terms)[:2] == ["u_x", "u_xx"]
    # Euler's own error is dt/2 c^2 = .005 in u_xx; the penalties take a few per cent
    assert terms["u_x"] == pytest.approx(CONVECTION, rel=0.05)
    assert terms["u_xx"] == pytest.approx(DIFFUSION, rel=0.1)
    assert set(straight.moments) == {"", "x", "xx"}
    assert straight.moments["xx"][:3].tolist() == [0.0, 0.0, 1.0]  # held, bit for bit


def test_an_interrupted_training_goes_on_to_the_same_bits(straight: PaperResult, tmp_path: Path) -> None:
    train_paper(field(), blocks=1, **SMALL, checkpoint=tmp_path)
    told: list[str] = []
    resumed = train_paper(field(), blocks=2, **SMALL, progress=told.append, checkpoint=tmp_path)
    assert all(text.startswith("block 2: loss") for text in told)
    assert [stage.as_dict() for stage in resumed.stages] == [stage.as_dict() for stage in straight.stages]
    for a, b in zip(resumed.model.parameters(), straight.model.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(UsageError, match="other options"):
        train_paper(field(), blocks=2, **SMALL, seed=1, checkpoint=tmp_path)


def test_more_blocks_than_snapshots_are_refused() -> None:
    with pytest.raises(UsageError, match="block 6 needs 7 snapshots, the data have 3") as failure:
        train_paper(field(), blocks=6, **SMALL)
    assert "block 2" in failure.value.cure


def test_nothing_is_made_on_the_default_device() -> None:
    with torch.device("meta"):
        result = train_paper(field(), blocks=1, hidden=0, order=1, device=CPU)
    assert all(p.device == CPU for p in result.model.parameters())


@pytest.mark.slow
def test_pdenets_own_burgers_to_block_6() -> None:
    """Five minutes on one core. The eight true terms on top, errors within the original's worst stage."""
    data = simulate("pdenet-burgers", runs=28, noise=0.001, noise_def="sample", seed=0)
    result = train_paper(data, blocks=6, device=CPU)
    truth = {"u_t": ("u*u_x", "v*u_y", "u_xx", "u_yy"), "v_t": ("u*v_x", "v*v_y", "v_xx", "v_yy")}
    errors = []
    for equation in result.equations:
        terms = dict(zip(map(str, equation.terms), equation.coefficients, strict=True))
        first, second, *viscous = truth[equation.lhs]
        assert set(list(terms)[:4]) == set(truth[equation.lhs])
        errors += [abs(terms[name] + 1.0) for name in (first, second)]
        errors += [abs(terms[name] / 0.05 - 1.0) for name in viscous]
    # PDE-Net 2.0's own code at block 5: 13.1 % at most, 4.7 % on average, on one draw of data
    assert max(errors) < 0.131
    assert np.mean(errors) < 0.06
