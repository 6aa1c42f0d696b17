"""Every system keeps the bounds of the checks that define it. A new network is a row of SYSTEMS."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from backbone import nets
from backbone.checks.examples import on_images, on_points, seeded
from backbone.checks.measured import Measured
from backbone.checks.net import check_net, look
from backbone.checks.systems import SYSTEMS, system
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.cnf import Cnf
from backbone.nets.frame import ImageShape
from backbone.nets.lm_resnet import lm_resnet
from backbone.nets.lm_resnext import lm_resnext
from backbone.nets.points import PointShape
from backbone.nets.resnet import resnet
from backbone.nets.stochastic_depth import stochastic_depth
from backbone.nets.translation import TranslationShape, Translator
from backbone.schemes import RK4


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_system_keeps_its_bounds(name: str) -> None:
    assert [measured for measured in SYSTEMS[name].check() if not measured.passed] == []


def test_every_network_is_a_system() -> None:
    frames = {"__init__.py", "frame.py", "points.py"}
    files = {path.name for path in Path(nets.__path__[0]).glob("*.py")} - frames
    assert files == {entry.file for entry in SYSTEMS.values()}


def test_a_check_tells_what_is_wrong() -> None:
    assert Measured.order("second", [4.0, 1.0], 2).passed
    assert not Measured.order("first", [4.0, 1.0], 1).passed
    assert not Measured.below("no number", math.nan, 1.0).passed
    assert Measured.above("large", 3.0, 2.0).passed

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: object, slope: torch.Tensor) -> torch.Tensor:
            return slope

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return Wrong.apply(self.inner(x))

    assert not check_net(on_points(lambda shape: Net()))[0].passed
    with pytest.raises(UsageError, match="no system 'alexnet'"):
        system("alexnet")


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_resnets_have_the_size_of_the_paper(depth: int, millions: float) -> None:
    net = resnet(ImageShape(depth=depth), generator=seeded())
    parameters = sum(weight.numel() for weight in net.parameters())
    assert parameters / 1e6 == pytest.approx(millions, abs=0.05)  # He et al., CVPR 2016, table 6; projections here
    multistep = lm_resnet(ImageShape(depth=depth), generator=seeded())
    blocks = (depth - 2) // 6
    assert sum(weight.numel() for weight in multistep.parameters()) - parameters == (blocks - 1) + 2 * (blocks - 2)


def test_k_is_drawn_from_the_range_of_the_paper() -> None:
    net = lm_resnet(ImageShape(depth=110), generator=seeded())
    ks = torch.cat([weight for name, weight in net.named_parameters() if name.endswith("scheme.k")])
    assert -0.1 <= float(ks.detach().min()) < -0.09
    assert -0.01 < float(ks.detach().max()) <= 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImageShape(depth=18), r"depth must be 6 n \+ 2"),
        (lambda: PointShape(width=3), "width must be even"),
        (lambda: lm_resnext(ImageShape(), cardinality=3, generator=seeded()), "cardinality 3 does not divide 8"),
        (
            lambda: Translator(TranslationShape(source_words=3, target_words=3), "euler", generator=seeded()),
            "scheme 'euler' is unknown",
        ),
    ],
)
def test_wrong_shapes_are_refused(make: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_stochastic_depth_leaves_blocks_out_only_in_training() -> None:
    net = stochastic_depth(ImageShape(depth=20, widths=(4, 8, 16)), generator=seeded(), draws=seeded(1))
    images = torch.randn(4, 3, 8, 8, generator=seeded())
    with torch.no_grad():
        net.train()
        assert not torch.equal(net(images), net(images))
        net.eval()
        assert torch.equal(net(images), net(images))


def test_a_translator_sees_no_future_and_no_padding() -> None:
    shape = TranslationShape(source_words=20, target_words=20, features=16, heads=4, inner=32, layers=2)
    for scheme in ("lie", "strang", "strang_heun"):
        net = Translator(shape, scheme, generator=seeded()).eval()
        source = torch.tensor([[3, 4, 5, 0, 0]])
        target = torch.tensor([[1, 7, 8, 9]])
        other = target.clone()
        other[0, 3] = 2
        longer = torch.tensor([[3, 4, 5, 0, 0, 0, 0]])
        logits = net(source, target)
        assert logits.shape == (1, 4, 20)
        torch.testing.assert_close(net(source, other)[:, :3], logits[:, :3], rtol=0.0, atol=1e-5)  # float32
        torch.testing.assert_close(net(longer, target), logits, rtol=0.0, atol=1e-5)


def test_a_density_integrates_to_one() -> None:
    net = Cnf(2, hidden=8, grid=Grid.uniform(0.0, 1.0, 10), scheme=RK4(), generator=seeded()).double()
    axis = torch.linspace(-8, 8, 81, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        mass = float(net.log_density(points).exp().sum() * 0.2**2)
    assert mass == pytest.approx(1.0, abs=1e-3)  # the tail beyond 8 and the rectangle rule, both small for a smooth p
    assert net.sample(5, generator=seeded()).shape == (5, 2)


def test_what_a_network_does_is_looked_at() -> None:
    seen = look(on_points(lambda shape: antisymmetric_net(shape, generator=seeded()))("small", 3))
    assert (seen.n_evals, seen.schemes, seen.gradients) == (14, ("AB3",), ("Backprop",))  # two RK4 steps, then one each
    assert seen.parameters == 8 * (16 + 4) + 4 * 2 + 2
    image = look(on_images(lambda shape: resnet(shape, generator=seeded()))("small", 1))
    assert image.n_evals == 4
    assert image.kept > 0
