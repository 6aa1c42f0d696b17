"""A unit whose path is known in closed form: each step shrinks what is not the mean of a 2 x 2 block."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from durr.degradation.degradation import Batch
from durr.policy.features import BANDS, bands
from durr.policy.paths import Paths, follow
from durr.unit import RestorationUnit

KEPT = 0.8  # of all differences within a block, by each step
MAX_STEPS = 12
SIGMAS = (10, 25, 40)  # of 255


class Shrinking(RestorationUnit):
    """X_n: differences within blocks of 2 x 2 pixels times KEPT^n, means as they came. The memory stays empty."""

    def __init__(self) -> None:
        super().__init__(1, features=8, inner=8, generator=torch.Generator().manual_seed(0))

    def field(self, t: float, state: Tensor) -> Tensor:
        change = (KEPT - 1) * bands(state[..., :BANDS])
        change[..., 0] = 0.0
        return torch.nn.functional.pad(bands(change), (0, 4))  # the transform is its own inverse


class Pictures:
    """Checks of one amplitude and random signs on grey, a picture "1 side side" for each (amplitude, sigma) given."""

    def __init__(self, side: int = 64) -> None:
        self.side = side

    def __call__(self, amplitudes: list[float], sigmas: list[float], seed: int) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        half = self.side // 2
        signs = torch.randint(2, (len(sigmas), 1, half, half), generator=generator) * 2.0 - 1.0
        check = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
        clean = 0.5 + torch.tensor(amplitudes).view(-1, 1, 1, 1) * torch.kron(signs, check)
        sigma = torch.tensor(sigmas)
        noise = torch.randn(clean.shape, generator=generator)
        return Batch(clean, clean + sigma.view(-1, 1, 1, 1) * noise, sigma)


def paths_of(seed: int, each: int, sigmas: tuple[int, ...]) -> Paths:
    """`each` paths per level, amplitudes spread over 0.02 ... 0.08."""
    levels = [sigma / 255 for sigma in sigmas for _ in range(each)]
    amplitudes = (0.02 + 0.06 * torch.rand(len(levels), generator=torch.Generator().manual_seed(seed))).tolist()
    return follow(Shrinking(), [Pictures()(amplitudes, levels, seed)], max_steps=MAX_STEPS)


@pytest.fixture(scope="session")
def shrinking() -> Shrinking:
    """The unit with the known path."""
    return Shrinking()


@pytest.fixture(scope="session")
def checks() -> Pictures:
    """Makes noisy pictures."""
    return Pictures()


@pytest.fixture(scope="session")
def training_paths() -> Paths:
    """Many levels."""
    return paths_of(1, 12, tuple(range(5, 46, 2)))


@pytest.fixture(scope="session")
def validation_paths() -> Paths:
    """Other pictures at the levels SIGMAS."""
    return paths_of(2, 16, SIGMAS)
