"""Run by test_ranks.py under torchrun: a solve shared by processes is the serial one, and so is a training."""

from __future__ import annotations

import sys
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch.optim import SGD

from backbone.checks.parallel import smooth_layers
from backbone.flow import EndOf, Flow
from backbone.integrate import integrate
from backbone.layer_parallel import Mgrit
from backbone.ranks import Ranks, process_group
from backbone.schemes import Euler
from backbone.solve import Sequential, Solve
from backbone.train.fit import fit
from backbone.train.gradient import Gradient
from backbone.train.layer_parallel import LayerParallel

STEPS = 128


def slopes(solve: Solve) -> list[Tensor]:
    """The last state, d loss / d y0 and d loss / d weights."""
    smooth = smooth_layers(STEPS, 1.0)
    y0 = smooth.y0.requires_grad_()
    end = integrate(smooth.f, y0, smooth.grid, Euler(), solve=solve).ys
    return [end.detach(), *torch.autograd.grad((end**2).sum() / 2, [y0, *smooth.f.parameters()])]


def trained(parallel: bool) -> list[Tensor]:
    """Weights after three steps of gradient descent."""
    smooth = smooth_layers(STEPS, 1.0)
    net = EndOf(Flow(smooth.f, smooth.grid, Euler()))

    def loss(net: nn.Module, batch: Tensor) -> Tensor:
        return (net(batch) ** 2).mean()

    sgd = SGD(net.parameters(), lr=1.0)
    update = (
        LayerParallel(net, loss, sgd, cycles_fwd=8, cycles_bwd=8, simultaneous=True, chain=Ranks.started())
        if parallel
        else Gradient(net, loss, sgd)
    )
    fit(update, [smooth.y0], n_steps=3)
    return [weight.detach() for weight in net.parameters()]


def difference(found: list[Tensor], exact: list[Tensor]) -> float:
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, exact, strict=True))


def main() -> None:
    """Leaves with an assertion where something differs."""
    with process_group("gloo", timeout=timedelta(minutes=4)) as ranks:
        exact = slopes(Sequential())
        for levels, coarsen in ((2, 8), (3, 4)):
            found = slopes(Mgrit(levels=levels, coarsen=coarsen, cycles=9, chain=ranks))
            assert difference(found, exact) < 1e-12, difference(found, exact)
        assert difference(trained(parallel=True), trained(parallel=False)) < 1e-12
    sys.stdout.write(f"rank {ranks.rank} of {ranks.size} equals serial\n")


if __name__ == "__main__":
    main()
