"""Layer-parallel, cascadic, two-phase and Pontryagin's training: what each equals, what it gains, exact resume."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.checkpoint import load_state, save_state
from backbone.checks.examples import normal, seeded
from backbone.dynamics import Layered
from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.layers import Antisymmetric
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.frame import linear
from backbone.nets.node_ew import JointNodeEw, NodeEw
from backbone.nets.points import PointNet, PointShape
from backbone.operators import Dense
from backbone.schemes import DormandPrince, Euler, LinearMultistep, Midpoint, Scheme
from backbone.synthetic import Labelled, ellipses
from backbone.train.fit import fit
from backbone.train.gradient import Gradient
from backbone.train.layer_parallel import LayerParallel
from backbone.train.msa import Msa
from backbone.train.multilevel import Multilevel, Resumable, prolong
from backbone.train.newton_pcg import NewtonPcg
from backbone.train.numerics import flows_of
from backbone.train.two_phase import TwoPhase

BATCH = ellipses(60, generator=seeded())


def cross_entropy(net: nn.Module, batch: Labelled) -> Tensor:
    return functional.cross_entropy(net(batch.points), batch.labels)


def point_net(layers: int = 16, scheme: Scheme | None = None) -> PointNet:
    """x' = tanh((K - K^T) x + b) in unit time, the same matrix at first in all layers."""
    shape = PointShape(width=4, layers=layers, t1=1.0)
    grid = Grid.uniform(0.0, shape.t1, layers)
    fields = [Antisymmetric(Dense(4, 4, generator=seeded(3))) for _ in range(layers)]
    flow = Flow(Layered(fields, grid), grid, scheme or Euler())
    return PointNet(shape, flow, generator=seeded(1)).double()


def loss_now(net: nn.Module) -> float:
    with torch.no_grad():
        return float(cross_entropy(net, BATCH))


def flat(net: nn.Module) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in net.parameters()])


def adam(net: nn.Module) -> Adam:
    return Adam(net.parameters(), lr=1e-2)


def node_ew() -> JointNodeEw:
    net = NodeEw(2, hidden=4, grid=Grid.uniform(0.0, 1.0, 4), scheme=Euler(), generator=seeded())
    solve, gradient = Adaptive(rtol=1e-4, atol=1e-4), ContinuousAdjoint()
    return JointNodeEw(net.evolved, 2, Grid((0.0, 1.0)), DormandPrince(), solve=solve, gradient=gradient).double()


def two_phase(net: nn.Module, switch: int = 3) -> TwoPhase[Labelled]:
    return TwoPhase(net, cross_entropy, adam(net), Adam(net.parameters(), lr=1e-3), n_euler=4, switch=switch)


def multilevel(net: nn.Module) -> Multilevel[Labelled]:
    return Multilevel(net, lambda: Gradient(net, cross_entropy, adam(net)), steps=(2, 2, 2))


@pytest.mark.parametrize(
    ("make", "update"),
    [
        (point_net, lambda net: LayerParallel(net, cross_entropy, adam(net), simultaneous=True)),
        (lambda: point_net(4), multilevel),
        (point_net, lambda net: Msa(net, cross_entropy, rate=0.1, ascents=2)),
        (lambda: point_net(8), NewtonPcg),
        (node_ew, two_phase),
    ],
)
def test_resume_is_bit_for_bit(
    make: Callable[[], nn.Module], update: Callable[[nn.Module], Resumable[Labelled]], tmp_path: Path
) -> None:
    whole = make()
    history = fit(update(whole), [BATCH], n_steps=7)
    first = update(make())
    fit(first, [BATCH], n_steps=3)
    save_state(tmp_path / "half.safetensors", first.state_dict(), kind="test")
    net = make()
    second = update(net)
    second.load_state_dict(load_state(tmp_path / "half.safetensors", kind="test"))
    rest = fit(second, [BATCH], n_steps=4)
    assert torch.equal(flat(net), flat(whole))
    assert rest.metrics == history.metrics[3:]


def test_many_cycles_train_as_the_serial_solve_does() -> None:
    serial, parallel = point_net(), point_net()
    fit(Gradient(serial, cross_entropy, adam(serial)), [BATCH], n_steps=5)
    fit(
        LayerParallel(parallel, cross_entropy, adam(parallel), cycles_fwd=2, cycles_bwd=2, coarsen=4),
        [BATCH],
        n_steps=5,
    )
    torch.testing.assert_close(flat(parallel), flat(serial), rtol=0.0, atol=1e-9)  # Adam divides by small gradients


def test_warm_cycles_follow_the_weights() -> None:
    serial = point_net(64)
    fit(Gradient(serial, cross_entropy, adam(serial)), [BATCH], n_steps=20)
    away = {}
    for simultaneous in (False, True):
        net = point_net(64)
        update = LayerParallel(net, cross_entropy, adam(net), cycles_fwd=1, cycles_bwd=1, simultaneous=simultaneous)
        fit(update, [BATCH], n_steps=20)
        away[simultaneous] = float((flat(net) - flat(serial)).norm())
    assert away[True] < 0.5 * away[False]  # states of the last update are nearer than those of the start


def test_one_ascent_of_the_hamiltonian_is_one_step_of_gradient_descent() -> None:
    for scheme in (Euler(), Midpoint()):
        pontryagin, descent = point_net(6, scheme), point_net(6, scheme)
        told = Msa(pontryagin, cross_entropy, rate=0.5)(BATCH)
        assert told == Gradient(descent, cross_entropy, SGD(descent.parameters(), lr=0.5))(BATCH)
        torch.testing.assert_close(flat(pontryagin), flat(descent), rtol=0.0, atol=1e-15)  # the order of a few sums


def test_what_comes_before_the_flow_is_trained_too() -> None:
    nets = [nn.Sequential(linear(2, 4, seeded(5)).double(), point_net(4).flow) for _ in range(2)]

    def loss(net: nn.Module, batch: Labelled) -> Tensor:
        return functional.cross_entropy(net(batch.points), batch.labels)

    Msa(nets[0], loss, rate=0.5)(BATCH)
    Gradient(nets[1], loss, SGD(nets[1].parameters(), lr=0.5))(BATCH)
    torch.testing.assert_close(flat(nets[0]), flat(nets[1]), rtol=0.0, atol=1e-15)  # as above


def test_more_ascents_go_further() -> None:
    losses = []
    for ascents in (1, 3):
        net = point_net(6)
        fit(Msa(net, cross_entropy, rate=0.1, ascents=ascents), [BATCH], n_steps=10)
        losses.append(loss_now(net))
    assert losses[1] < losses[0]


def test_the_jump_of_the_loss_at_a_prolongation_shrinks() -> None:
    net, losses = point_net(4), []
    fit(Gradient(net, cross_entropy, adam(net)), [BATCH], n_steps=40)
    for _ in range(5):
        losses.append(loss_now(net))
        prolong(net)
    jumps = [abs(b - a) for a, b in pairwise(losses)]
    assert jumps[-1] < 0.4 * jumps[0]  # of order h in the end: measured 0.32 over three halvings, then 0.5 each
    assert flows_of(net)[0].grid.n_steps == 128


def test_levels_follow_their_steps() -> None:
    net = point_net(4)
    history = fit(multilevel(net), [BATCH], n_steps=7)
    assert history.series("layers") == [4, 4, 8, 8, 16, 16, 16]
    losses = history.series("loss")
    assert all(abs(b - a) < 0.2 * a for a, b in pairwise(losses))  # no fresh start: that would double the loss


def test_two_phases_differ_in_how_the_net_is_solved() -> None:
    net = node_ew()
    flow = flows_of(net)[0]
    history = fit(two_phase(net), [BATCH], n_steps=5)
    assert history.series("phase") == [1, 1, 1, 2, 2]
    assert (type(flow.solve), type(flow.gradient), flow.grid) == (Adaptive, ContinuousAdjoint, Grid((0.0, 1.0)))


def test_a_joint_solve_is_that_of_states_along_their_weights() -> None:
    net = NodeEw(2, hidden=4, grid=Grid.uniform(0.0, 1.0, 64), scheme=Midpoint(), generator=seeded()).double()
    nn.init.normal_(net.evolved.velocity.leave.weight, std=0.3, generator=seeded(1))
    solve, gradient = Adaptive(rtol=1e-9, atol=1e-9), ContinuousAdjoint()
    joint = JointNodeEw(net.evolved, 2, Grid((0.0, 1.0)), DormandPrince(), solve=solve, gradient=gradient)
    x = normal(5, 2)
    torch.testing.assert_close(joint(x), net(x), rtol=0.0, atol=1e-3)  # h^2 and a factor of a few
    found, exact = (torch.autograd.grad(part(x).square().sum(), list(net.parameters())) for part in (joint, net))
    for a, b in zip(found, exact, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)  # as above


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Multilevel(point_net(), lambda: None, steps=()), "one update or more for each level"),
        (lambda: prolong(point_net(4, LinearMultistep(torch.zeros(3)))), "coefficients of its own"),
        (lambda: two_phase(nn.Linear(2, 2)), "a Linear holds no Flow"),
        (lambda: Msa(point_net(), cross_entropy, rate=0.1, ascents=0), "got 1 and 0"),
        (lambda: Msa(antisymmetric_net(PointShape(), generator=seeded()), cross_entropy, rate=1.0)(BATCH), "one-step"),
        (lambda: two_phase(node_ew(), switch=-1), "switch must not be negative"),
    ],
)
def test_wrong_words(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
