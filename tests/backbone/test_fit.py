"""The training loop: first-order optimisers and L-BFGS, exact resume, Ctrl+C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import LBFGS, Adam, Optimizer

from backbone.checkpoint import load_state, save_state
from backbone.errors import UntrustedResult, UsageError
from backbone.train.fit import Progress, fit
from backbone.train.gradient import Gradient

Batch = tuple[Tensor, Tensor]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def squares(net: nn.Module, batch: Batch) -> Tensor:
    x, y = batch
    return ((net(x) - y) ** 2).mean()


def network() -> nn.Module:
    net = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(normal(*weight.shape, seed=k))
    return net


def adam(net: nn.Module) -> Optimizer:
    return Adam(net.parameters(), lr=1e-2, amsgrad=True)


def lbfgs(net: nn.Module) -> Optimizer:
    return LBFGS(net.parameters(), max_iter=4, history_size=5, line_search_fn="strong_wolfe")


def batches(n: int) -> list[Batch]:
    return [(x := normal(16, 2, seed=10 + k), torch.sin(x.sum(dim=1, keepdim=True))) for k in range(n)]


def flat(net: nn.Module) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in net.parameters()])


def test_lbfgs_finds_the_least_squares_solution() -> None:
    net = nn.Linear(3, 1).double()
    x, y = normal(20, 3, seed=1), normal(20, 1, seed=2)
    optimiser = LBFGS(
        net.parameters(), max_iter=50, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )
    fit(Gradient(net, squares, optimiser), [(x, y)], n_steps=2)
    exact = torch.linalg.lstsq(torch.cat([x, torch.ones(20, 1, dtype=torch.float64)], dim=1), y).solution
    # weights are as good as the root of the last change of the loss, 1e-16
    torch.testing.assert_close(torch.cat([net.weight[0], net.bias]), exact[:, 0], rtol=0.0, atol=1e-8)


def test_the_loss_falls_and_the_history_holds_it() -> None:
    net = network()
    first = squares(net, batches(3)[0]).item()
    history = fit(Gradient(net, squares, adam(net)), batches(3), n_steps=300)
    losses = history.series("loss")
    assert len(losses) == 300
    assert losses[0] == first  # the first batch, at the weights before the step
    assert sum(losses[-3:]) < 0.05 * sum(losses[:3])


@pytest.mark.parametrize(("optimiser", "n_batches"), [(adam, 3), (lbfgs, 1)])
def test_resume_is_bit_for_bit(optimiser: Callable[[nn.Module], Optimizer], n_batches: int, tmp_path: Path) -> None:
    data = batches(n_batches)
    whole = network()
    history = fit(Gradient(whole, squares, optimiser(whole)), data, n_steps=11)

    first = network()
    update = Gradient(first, squares, optimiser(first))
    fit(update, data, n_steps=5)
    save_state(tmp_path / "half.safetensors", update.state_dict(), kind="test")

    second = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    update = Gradient(second, squares, optimiser(second))
    update.load_state_dict(load_state(tmp_path / "half.safetensors", kind="test"))
    rest = fit(update, islice(cycle(data), 5, None), n_steps=6)
    assert torch.equal(flat(second), flat(whole))
    assert rest.metrics == history.metrics[5:]


def test_observers_see_every_step_in_order() -> None:
    seen: list[tuple[int, float]] = []
    fit(
        lambda batch: {"loss": float(batch)},
        [3, 5],
        n_steps=5,
        observers=[lambda progress: seen.append((progress.step, progress.metrics["loss"]))],
    )
    assert seen == [(1, 3.0), (2, 5.0), (3, 3.0), (4, 5.0), (5, 3.0)]


def test_ctrl_c_lets_the_update_end_and_the_observers_save() -> None:
    halves, saved = [], []

    def update(batch: int) -> Mapping[str, float]:
        halves.append("first")
        if len(halves) == 5:
            signal.raise_signal(signal.SIGINT)
        halves.append("second")
        return {"loss": 0.0}

    def observer(progress: Progress) -> None:
        if progress.interrupted:
            saved.append((progress.step, halves[-1]))

    with pytest.raises(KeyboardInterrupt):
        fit(update, [0], n_steps=9, observers=[observer])
    assert saved == [(3, "second")]
    assert len(halves) == 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_stops_at_once() -> None:
    seen = []

    def update(batch: int) -> Mapping[str, float]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return {"loss": 0.0}

    with pytest.raises(KeyboardInterrupt):
        fit(update, [0], n_steps=9, observers=[seen.append])
    assert seen == []


def test_a_thread_may_fit() -> None:
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(lambda batch: {"loss": 1.0}, [0], n_steps=2)))
    thread.start()
    thread.join()
    assert histories[0].series("loss") == [1.0, 1.0]


def test_a_loss_that_is_no_number_moves_no_weight() -> None:
    net = network()
    before = flat(net)
    with pytest.raises(UntrustedResult, match="the loss is nan"):
        fit(Gradient(net, lambda net, batch: squares(net, batch) * torch.nan, adam(net)), batches(1), n_steps=1)
    assert torch.equal(flat(net), before)


def test_wrong_words() -> None:
    with pytest.raises(UsageError, match="n_steps must be at least 1"):
        fit(lambda batch: {"loss": 0.0}, [0], n_steps=0)
    with pytest.raises(UsageError, match="no batches left"):
        fit(lambda batch: {"loss": 0.0}, iter([0, 1]), n_steps=3)


def cusp(net: nn.Module, batch: Batch) -> Tensor:
    """A loss that is finite, with a gradient that is not: that of sqrt at zero; where the batch holds a zero."""
    flat = torch.stack([weight.sum() for weight in net.parameters()]).sum() * 0.0
    return squares(net, batch) + (flat.sqrt() if bool((batch[0] == 0).any()) else flat)


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    x, y = next(iter(batches(1)))
    net = network()
    before = [weight.clone() for weight in net.parameters()]
    update = Gradient(net, cusp, adam(net))
    assert update((x * 0.0, y))["loss"] > 0.0
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    update((x, y))
    assert all(bool(weight.isfinite().all()) for weight in net.parameters())
    assert not torch.equal(before[0], next(iter(net.parameters())))


def test_gradients_that_are_never_finite_are_an_error() -> None:
    x, y = next(iter(batches(1)))
    net = network()
    with pytest.raises(UntrustedResult, match="10 gradients in a row are not finite"):
        fit(Gradient(net, cusp, adam(net)), cycle([(x * 0.0, y)]), n_steps=20)
