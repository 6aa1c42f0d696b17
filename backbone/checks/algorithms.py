"""The training algorithms by name, and what they are held to: B19, B22, B23, B24."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev
from torch.nn import functional
from torch.optim import SGD, Adam

from backbone.checks.examples import normal, seeded
from backbone.checks.measured import Checkable, Measured
from backbone.checks.parallel import check_mgrit
from backbone.dynamics import Layered
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.layers import Antisymmetric
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.points import PointNet, PointShape, accuracy, cross_entropy
from backbone.operators import Dense
from backbone.schemes.explicit import Euler
from backbone.synthetic import Labelled, ellipses
from backbone.train.fit import fit
from backbone.train.gauss_newton import DepthRegulariser, GaussNewton
from backbone.train.gradient import Gradient
from backbone.train.msa import Msa
from backbone.train.multilevel import prolong
from backbone.train.newton_pcg import NewtonPcg
from backbone.train.numerics import flows_of
from backbone.train.softmax import Softmax, newton


def check_msa() -> list[Measured]:
    """B19: one ascent of every layer's Hamiltonian is one step of gradient descent."""
    nets = [euler_net(6), euler_net(6)]
    batch = ellipses(60, generator=seeded())
    Msa(nets[0], cross_entropy, rate=0.5)(batch)
    Gradient(nets[1], cross_entropy, SGD(nets[1].parameters(), lr=0.5))(batch)
    pairs = zip(nets[0].parameters(), nets[1].parameters(), strict=True)
    gap = max(float((a - b).detach().abs().max()) for a, b in pairs)
    return [Measured.below("weights after one ascent minus one step of SGD", gap, 1e-15)]


def check_multilevel() -> list[Measured]:
    """B23: what a prolonged net begins with falls with depth, and is far below a fresh net's loss."""
    net, batch = _hamiltonian(4), ellipses(400, generator=seeded())
    starts = []
    for _ in range(4):
        fit(Gradient(net, cross_entropy, Adam(net.parameters(), lr=0.05)), [batch], n_steps=60)
        prolong(net)
        starts.append(_loss(net, batch))
    found = [
        Measured.below(f"loss on arrival at {2 * n} layers over that at {n}", later / earlier, 0.6)
        for n, (earlier, later) in zip((8, 16, 32), pairwise(starts), strict=True)
    ]
    fresh = _loss(_hamiltonian(64), batch)
    return [*found, Measured.below("loss on arrival at 64 layers over a fresh net's", starts[-1] / fresh, 0.2)]


def check_newton_pcg() -> list[Measured]:
    """B22: exact Newton is quadratic, Hessian products are the dense ones', the objective falls, ellipses are told."""
    labels = torch.arange(3).repeat(20)
    softmax = Softmax(normal(60, 4) + labels[:, None], labels, 1e-3)
    norms = newton(softmax, torch.zeros(3, 5, dtype=torch.float64), n_steps=20)[1]
    quadratic = max(later / earlier**2 for earlier, later in pairwise(norms[2:]) if later > 1e-14)
    net = _hamiltonian(8)
    losses = fit(NewtonPcg(net), [ellipses(1000, generator=seeded())], n_steps=30).series("loss")
    test = ellipses(600, generator=seeded(1))
    return [
        Measured.below("classifier: norm of the last gradient", norms[-1], 1e-12),
        Measured.below("classifier: norm of a gradient over the square of the one before", quadratic, 20.0),
        Measured.below("Gauss-Newton product minus the dense matrix's", _hessian_error(), 1e-10),
        Measured("largest rise of the objective in 30 turns", max(b - a for a, b in pairwise(losses)), -1.0, 0.0),
        Measured.above("accuracy on ellipses, 8 layers, width 4, 30 turns", accuracy(net, test), 0.98),
    ]


@torch.no_grad()
def _loss(net: nn.Module, batch: Labelled) -> float:
    return float(cross_entropy(net, batch))


def _hamiltonian(layers: int) -> PointNet:
    return hamiltonian_net(PointShape(width=4, layers=layers, t1=5.0), generator=seeded(2)).double()


def euler_net(layers: int, *, width: int = 4, seed: int = 3) -> PointNet:
    """x' = tanh((K - K^T) x + b) to t = 5; the same weights at first in all layers."""
    shape = PointShape(width=width, layers=layers)
    grid = Grid.uniform(0.0, shape.t1, layers)
    fields = [Antisymmetric(Dense(width, width, generator=seeded(seed))) for _ in range(layers)]
    return PointNet(shape, Flow(Layered(fields, grid), grid, Euler()), generator=seeded(1)).double()


@dataclass(frozen=True, eq=False)
class SmallSystem:
    """A Gauss-Newton system small enough to be written out; `dense`: its matrix by autograd, layer after layer."""

    system: GaussNewton
    regulariser: DepthRegulariser
    dense: Tensor
    b: Tensor


def small_system() -> SmallSystem:
    """Four antisymmetric layers on five points, and a right-hand side."""
    net = antisymmetric_net(PointShape(width=4, layers=4), generator=seeded()).double()
    points, W = normal(5, 2), normal(2, 4, seed=2)
    f = flows_of(net)[0].f
    assert isinstance(f, Layered)
    layers = [list(field.parameters()) for field in f.fields]
    regulariser = DepthRegulariser(4, 1.25, alpha=0.1, eps=0.5, like=W)
    z = net.features(points)
    b = normal(4, sum(weight.numel() for weight in layers[0]), seed=3)
    J = _jacobian(net, points)
    H = jacrev(jacrev(partial(_loss_of_features, W=W)))(z.detach().reshape(-1))
    dense = J.T @ H @ J + torch.kron(regulariser.M, torch.eye(b.shape[1], dtype=b.dtype))
    return SmallSystem(GaussNewton(z, layers, W, (z @ W.T).softmax(1).detach(), regulariser), regulariser, dense, b)


def _hessian_error() -> float:
    small = small_system()
    return float((small.system(small.b).reshape(-1) - small.dense @ small.b.reshape(-1)).abs().max())


def _loss_of_features(flat: Tensor, W: Tensor) -> Tensor:
    return functional.cross_entropy(flat.reshape(-1, W.shape[1]) @ W.T, torch.zeros(len(flat) // W.shape[1]).long())


def _jacobian(net: PointNet, points: Tensor) -> Tensor:
    """d features / d weights of the layers, "entry weight"."""
    features = _Features(net)
    weights = {name: weight.detach() for name, weight in features.named_parameters() if "fields" in name}
    blocks = jacrev(lambda own: functional_call(features, own, (points,)))(weights)
    return torch.cat([block.flatten(1) for block in blocks.values()], dim=1)


class _Features(nn.Module):
    """What a net's head is given, in one vector."""

    def __init__(self, net: PointNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, points: Tensor) -> Tensor:
        return self.net.features(points).reshape(-1)


ALGORITHMS = {
    "mgrit": Checkable("backbone/layer_parallel.py", check_mgrit),
    "msa": Checkable("backbone/train/msa.py", check_msa),
    "multilevel": Checkable("backbone/train/multilevel.py", check_multilevel),
    "newton-pcg": Checkable("backbone/train/newton_pcg.py", check_newton_pcg),
}
