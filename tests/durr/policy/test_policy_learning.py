"""Learned stopping against the best one, known in closed form and by enumeration."""

from __future__ import annotations

import math

import pytest
import torch

from backbone.checkpoint import load_state, save_state
from backbone.errors import UsageError
from backbone.train.fit import fit
from durr.policy.compare import FIXED, ORACLE, compare
from durr.policy.learn import Q_LEARNING, REGRESSION, Learned, learn, learn_rules
from durr.policy.paths import ERROR_FLOOR, STEP_COST, Paths, Replay, follow, image_loss
from durr.policy.q_learning import QLearning, bellman_targets
from durr.policy.regression import remaining_gains
from durr.policy.rules import best_fixed_step, loss_after, oracle_steps, steps_taken
from durr.policy.unit import PolicyUnit
from durr.policy.value import squash, unsquash
from durr.unfold import unfold

KEPT, MAX_STEPS = 0.8, 12
GRADES = {sigma: sigma / 255 for sigma in (10, 25, 40)}


@pytest.fixture(scope="module")
def learned(training_paths: Paths, validation_paths: Paths) -> Learned:
    return learn_rules(training_paths, validation_paths, grades=GRADES, most=MAX_STEPS, n_updates=200, seed=0)


def test_the_known_path_is_followed(shrinking, checks) -> None:
    """MSE_n = (sigma^2 + 3 sigma^2 KEPT^2n + 4 a^2 (1 - KEPT^n)^2) / 4 for checks of amplitude a."""
    a, sigma, side = 0.06, 0.08, 128
    wide = type(checks)(side)
    paths = follow(shrinking, [wide([a], [sigma], seed=3)], max_steps=12)
    for n, loss in enumerate(paths.loss[0].tolist()):
        kept = KEPT**n
        error = (sigma**2 * (1 + 3 * kept**2) + 4 * a**2 * (1 - kept) ** 2) / 4
        # noise of 128^2 pixels: its power is known to sqrt(2) / 128 = 1.1 %, 0.05 dB; three deviations, and the cross
        # term of noise and checks
        assert abs(loss - 10 * math.log10(error)) < 0.25
    # the best factor is 4 a^2 / (4 a^2 + 3 sigma^2), Wiener's
    best = math.log(4 * a**2 / (4 * a**2 + 3 * sigma**2)) / math.log(KEPT)
    assert abs(oracle_steps(paths).item() - best) < 1


def test_the_loss_is_the_psnr_of_the_unfolded_images(shrinking, checks) -> None:
    batch = checks([0.05, 0.02], [0.1, 0.0], seed=4)
    paths = follow(shrinking, [batch], max_steps=3)
    images = unfold(shrinking, batch.degraded, until=None, max_steps=3).images
    for n in range(4):
        error = (images[n].clamp(0, 1) - batch.clean).square().mean(dim=(1, 2, 3))
        assert torch.equal(paths.loss[:, n], 10 * torch.log10(error + ERROR_FLOOR))
    assert paths.loss[1, 0].item() == pytest.approx(-50.0)  # a clean picture, as it came
    assert torch.equal(image_loss(batch.clean, batch.clean), paths.loss[1:, 0].expand(2))


@pytest.mark.parametrize("name", [Q_LEARNING, REGRESSION])
def test_the_learned_policy_is_as_good_as_the_oracle(learned: Learned, name: str) -> None:
    # measured 0.002 dB for both; pictures of 64 x 64 do not tell their amplitude better than a few per cent
    assert learned.comparison.gap_to_oracle(name) < 0.02
    # and far better than one number of steps for all: measured 0.77 dB
    assert learned.comparison.gain_over_fixed(name) > 0.5


def test_heavier_noise_takes_more_steps(learned: Learned) -> None:
    for score in (learned.comparison.scores[name] for name in (ORACLE, Q_LEARNING, REGRESSION)):
        assert sorted(score.steps) == list(score.steps)


def test_bellman_targets_by_hand() -> None:
    gains = torch.tensor([[3.0, -1.0, 2.0]])
    wait, stop = squash(torch.tensor([9.0, 1.0, 2.0, 7.0])), torch.zeros(4)
    targets = unsquash(bellman_targets(torch.stack([wait, stop], dim=-1)[None], gains, 0.5))
    # 3 + 0.5 * 1; -1 + 0.5 * 2; 2 + nothing: the last state only stops. asinh and sinh in float32
    assert torch.allclose(targets, torch.tensor([[3.5, 0.0, 2.0]]), atol=1e-5)


def test_the_bellman_equation_of_known_losses_gives_the_best_gain() -> None:
    """With gamma = 1 its solution is the remaining gain of hindsight, where the future is known."""
    loss = torch.randn(5, 9, generator=torch.Generator().manual_seed(0))
    gains = loss[:, :-1] - loss[:, 1:]
    values = torch.zeros(5, 9, 2)
    for _ in range(8):  # value iteration: exact after as many sweeps as steps
        values[:, :-1, 0] = bellman_targets(values, gains, 1.0)
    # eight times through asinh and sinh in float32
    assert torch.allclose(unsquash(values[:, :-1, 0]), remaining_gains(loss), atol=1e-4)


def test_a_step_that_gains_less_than_its_price_is_not_worth_it() -> None:
    loss = torch.tensor([[9.0, 5.0, 5.0 - STEP_COST / 2, 5.0 - 3 * STEP_COST]])
    paths = Paths(seen=torch.zeros(1, 4, 1), loss=loss, update=torch.zeros(1), level=torch.zeros(1))
    wanted = torch.tensor([[4.0 - STEP_COST, -STEP_COST / 2, 1.5 * STEP_COST]])
    assert torch.allclose(paths.gains, wanted, atol=1e-5)  # float32 of numbers up to 9
    # two steps together earn 3 prices for 2: the first of them is worth its price for what it leads to
    assert torch.allclose(remaining_gains(paths.cost)[0, 1], torch.tensor(STEP_COST), atol=1e-5)


def test_gains_are_squashed_without_moving_zero() -> None:
    gains = torch.tensor([-20.0, -0.01, 0.0, 0.01, 5.0, 100.0])
    assert torch.equal(squash(gains).sign(), gains.sign())
    assert torch.allclose(unsquash(squash(gains)), gains, rtol=1e-5)  # float32
    assert unsquash(torch.tensor([1e4])).isfinite().all()


def test_the_same_seed_gives_the_same_policy(training_paths: Paths) -> None:
    once, again, other = (learn(Q_LEARNING, training_paths, n_updates=8, seed=seed) for seed in (3, 3, 4))
    for name, weight in once.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert not torch.equal(once.leave.weight, other.leave.weight)


def test_q_learning_goes_on_exactly_from_a_file(training_paths: Paths, tmp_path) -> None:
    def fresh() -> QLearning:
        policy = PolicyUnit(training_paths.seen.shape[-1], generator=torch.Generator().manual_seed(1))
        policy.standardise(training_paths.seen)
        return QLearning(policy, torch.optim.RMSprop(policy.parameters(), lr=1e-3), refresh=3)

    replay = Replay(training_paths, batch=16, seed=2)
    unbroken, broken, resumed = fresh(), fresh(), fresh()
    fit(unbroken, replay.after(0), n_steps=10)
    fit(broken, replay.after(0), n_steps=5)  # between two refreshments
    save_state(tmp_path / "state.safetensors", broken.state_dict(), kind="policy training")
    resumed.load_state_dict(load_state(tmp_path / "state.safetensors", kind="policy training"))
    fit(resumed, replay.after(5), n_steps=5)
    for part in ("net", "target"):
        for name, weight in unbroken.state_dict()[part].items():
            assert torch.equal(weight, resumed.state_dict()[part][name])


def test_the_comparison_counts_what_it_says(learned: Learned, validation_paths: Paths) -> None:
    comparison, loss = learned.comparison, validation_paths.loss
    assert comparison.scores[ORACLE].mean == pytest.approx(-loss.min(dim=1).values.mean().item(), abs=1e-4)
    assert comparison.fixed_steps == best_fixed_step(validation_paths) == int(loss.mean(dim=0).argmin())
    steps = steps_taken(learned.rules[learned.best], validation_paths)
    found = -loss_after(validation_paths, steps).mean().item()
    assert comparison.scores[learned.best].mean == pytest.approx(found, abs=1e-4)  # sums in another order
    assert comparison.gap_to_oracle(ORACLE) == 0.0
    assert comparison.gain_over_fixed(FIXED) == 0.0
    assert comparison.best([FIXED, learned.best]) == learned.best
    lines = comparison.table().splitlines()
    assert len(lines) == 7
    assert all(line.count("|") == 6 for line in lines)
    assert comparison.as_dict()["grades"] == list(GRADES)


def test_levels_without_paths_are_refused(shrinking, validation_paths: Paths) -> None:
    with pytest.raises(UsageError, match="no path has grade 33"):
        compare(validation_paths, {}, {10: 10 / 255, 33: 33 / 255})
    with pytest.raises(UsageError, match="no images"):
        follow(shrinking, [], max_steps=3)
