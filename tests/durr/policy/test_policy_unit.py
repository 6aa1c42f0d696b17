"""The policy unit: size, precision, memory, and stops that agree with its values along a path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backbone.checkpoint import load_state, save_state
from durr.policy.endpoint import PolicyRule, stops
from durr.policy.learn import REGRESSION, learn
from durr.policy.paths import Paths, follow
from durr.policy.rules import policy_steps
from durr.policy.unit import PolicyUnit
from durr.stopping import StoppingRule, rule_from_state
from durr.unfold import unfold
from durr.unit import RestorationUnit


@pytest.fixture(scope="module")
def policy(training_paths: Paths) -> PolicyUnit:
    return learn(REGRESSION, training_paths, n_updates=100, seed=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_unit_and_policy_together_are_small(channels: int) -> None:
    unit = RestorationUnit(channels, generator=torch.Generator())
    policy = PolicyUnit(unit.features, generator=torch.Generator())
    own = sum(tensor.numel() for tensor in policy.state_dict().values())
    assert own <= 50_000
    assert own + sum(weight.numel() for weight in unit.parameters()) <= 300_000


def test_the_values_along_a_path_are_those_of_one_step_after_the_other(
    policy: PolicyUnit, validation_paths: Paths
) -> None:
    memory = policy.start(len(validation_paths))
    along = policy.along(validation_paths.seen)
    for n in range(validation_paths.max_steps + 1):
        values, memory = policy(validation_paths.seen[:, n], memory)
        assert torch.equal(values, along[:, n])


def test_a_short_number_format_around_it_changes_nothing(policy: PolicyUnit, validation_paths: Paths) -> None:
    plain = policy.along(validation_paths.seen)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(policy.along(validation_paths.seen), plain)


def test_the_endpoint_stops_where_the_stored_path_says(policy: PolicyUnit, shrinking, checks, validation_paths) -> None:
    batch = checks([0.05] * 6, [0.02, 0.05, 0.1, 0.15, 0.0, 0.08], seed=5)
    paths = follow(shrinking, [batch], max_steps=12)
    path = unfold(shrinking, batch.degraded, until=PolicyRule(policy).start(shrinking, batch.degraded), max_steps=12)
    wanted = policy_steps(policy, paths)
    assert path.steps.tolist() == wanted.tolist()
    assert len(set(path.steps.tolist())) > 2
    values = policy.along(paths.seen)
    for sample, step in enumerate(wanted.tolist()):
        assert stops(values[sample, step]) or step == 12
        assert not stops(values[sample, :step]).any()


def test_images_of_a_batch_stop_as_each_alone(policy: PolicyUnit, shrinking, checks) -> None:
    noisy = checks([0.03, 0.05, 0.08, 0.05], [0.04, 0.1, 0.15, 0.01], seed=6).degraded
    rule = PolicyRule(policy)
    together = unfold(shrinking, noisy, until=rule.start(shrinking, noisy), max_steps=12)
    for sample in range(4):
        one = noisy[sample : sample + 1]
        alone = unfold(shrinking, one, until=rule.start(shrinking, one), max_steps=12)
        assert alone.steps.item() == together.steps[sample].item()
        assert torch.equal(alone.last[0], together.last[sample])


def test_the_unit_can_be_trained_under_the_policy(policy: PolicyUnit, shrinking, checks) -> None:
    batch = checks([0.05] * 3, [0.02, 0.06, 0.12], seed=10)
    noisy = batch.degraded.requires_grad_()
    rule = PolicyRule(policy)
    path = unfold(shrinking, noisy, until=rule.start(shrinking, noisy), max_steps=12)
    path.last.sum().backward()
    # the sum of a block of 2 x 2 passes unchanged, so the gradient of the sum of all is 1 after any number of steps
    assert (path.steps > 0).all()
    assert torch.allclose(noisy.grad, torch.ones_like(noisy), atol=1e-5)  # float32, up to 12 steps
    assert all(weight.grad is None for weight in rule.policy.parameters())


def test_a_solve_leaves_nothing_for_the_next_one(policy: PolicyUnit, shrinking, checks) -> None:
    rule = PolicyRule(policy)
    counts = []
    for seed, sigma in ((7, 0.15), (8, 0.02), (7, 0.15)):
        noisy = checks([0.05], [sigma], seed=seed).degraded
        counts.append(unfold(shrinking, noisy, until=rule.start(shrinking, noisy), max_steps=12).steps.item())
    assert counts[0] == counts[2] > counts[1]


def test_a_paler_picture_with_less_noise_takes_the_same_steps(policy: PolicyUnit, shrinking, checks) -> None:
    noisy = checks([0.05] * 3, [0.02, 0.06, 0.12], seed=9).degraded
    rule = PolicyRule(policy)
    steps = [unfold(shrinking, a * noisy, until=rule.start(shrinking, noisy), max_steps=12).steps for a in (1.0, 0.3)]
    assert torch.equal(*steps)


def test_the_rule_survives_a_file(policy: PolicyUnit, validation_paths: Paths, tmp_path: Path) -> None:
    rule = PolicyRule(policy)
    assert isinstance(rule, StoppingRule)
    save_state(tmp_path / "rule.safetensors", rule.state(), kind="rule")
    read = rule_from_state(rule.kind, load_state(tmp_path / "rule.safetensors", kind="rule"))
    assert isinstance(read, PolicyRule)
    assert torch.equal(read.policy.along(validation_paths.seen), policy.along(validation_paths.seen))
    assert torch.equal(rule.to(torch.device("cpu")).policy.mean, policy.mean)
