"""B10: Transformer and Macaron layers as Lie's and Strang's splitting of attention and feed-forward flows."""

from __future__ import annotations

from torch import nn

from backbone.attention import Attention, FeedForward
from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.nets.translation import TranslationShape, Translator
from backbone.schemes.explicit import RK4, Euler, Heun
from backbone.schemes.scheme import Scheme
from backbone.schemes.splitting import LieTrotter, Strang
from backbone.structured import Split

SCHEMES: dict[str, tuple[Scheme, float]] = {
    "Lie of exact flows": (LieTrotter(RK4()), 1.0),
    "Strang of exact flows": (Strang(RK4()), 2.0),
    "lie (Transformer)": (LieTrotter(Euler()), 1.0),
    "strang (Macaron)": (Strang(Euler()), 1.0),
    "strang_heun": (Strang(Heun()), 2.0),
}


def check_translation(example: Example) -> list[Measured]:
    """Strang's order 2 needs sub-flows of order 2: with Euler's steps Transformer and Macaron are both of order 1."""
    field = Split(
        FeedForward(8, 16, activation=nn.GELU, generator=seeded(), dtype=normal(1).dtype),
        Attention(8, 2, generator=seeded(1), dtype=normal(1).dtype),
    )
    f, tokens = Shared(field).requires_grad_(False), normal(2, 6, 8)
    exact = integrate(f, tokens, Grid.uniform(0.0, 1.0, 200), RK4()).ys
    found = []
    for title, (scheme, order) in SCHEMES.items():
        ends = [integrate(f, tokens, Grid.uniform(0.0, 1.0, n), scheme).ys for n in (32, 64)]
        found.append(Measured.order(f"order of {title}", [float((end - exact).norm()) for end in ends], order))
    return [*found, _difference_in_size()]


def _difference_in_size() -> Measured:
    """A Macaron layer has one LayerNorm and the constants of one more layer beyond the Transformer's."""
    shape = TranslationShape(source_words=10, target_words=10, features=512, inner=1024, layers=1)
    sizes = []
    for scheme in ("lie", "strang"):
        net = Translator(shape, scheme, generator=seeded())
        sizes.append(sum(weight.numel() for weight in net.encoder.parameters()))
    return Measured("parameters of a Macaron layer beyond a Transformer's", sizes[1] - sizes[0], 3 * 512, 3 * 512)
