"""The schemes by which a restoration unit can be unfolded, by name: how one step of length 1 is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from backbone.errors import UsageError
from backbone.schemes import RK4, Euler, Heun, LinearMultistep, Scheme

K_RANGE = 0.1  # k ~ U(-0.1, 0] at first, as LM-ResNet has it


@dataclass(frozen=True)
class Stepping:
    """make: the scheme, with what it draws for its own coefficients. evaluations: of the unit in a step."""

    make: Callable[[torch.Generator], Scheme]
    evaluations: int


STEPPINGS = {
    "euler": Stepping(lambda generator: Euler(), 1),
    # one k for all steps: images take different numbers of them
    "lm": Stepping(lambda generator: LinearMultistep(-K_RANGE * torch.rand((), generator=generator)), 1),
    "heun": Stepping(lambda generator: Heun(), 2),
    "rk4": Stepping(lambda generator: RK4(), 4),
}


def demand_known(name: str) -> None:
    """Raise UsageError for a name that no scheme has."""
    if name not in STEPPINGS:
        raise UsageError(
            f"there is no scheme '{name}'", where=f"--scheme {name}", cure=f"take one of {', '.join(STEPPINGS)}"
        )
