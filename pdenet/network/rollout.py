"""The trained network run forward: steps of forward Euler, as long as those it was trained with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import Diverged
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Euler
from pdenet.network.rhs import LearnedPDE


def roll_network(
    model: LearnedPDE,
    start: Float64[np.ndarray, "run channel *space"],
    *,
    dt: float,
    steps: Sequence[int],
    device: torch.device,
) -> Float64[np.ndarray, "run time channel *space"]:
    """The states after each of `steps` steps of dt, whole numbers in rising order.

    u_{n+1} = u_n + dt F(u_n): another step would be another network, since F was trained to make up for Euler's error.
    Raises Diverged with the time since the start and the place where the last state asked for was largest.
    """
    state = torch.as_tensor(start, dtype=torch.float64, device=device)
    states, done = [], 0
    for n in steps:
        if n > done:
            try:
                with torch.no_grad():
                    state = integrate(model, state, Grid.uniform(done * dt, n * dt, n - done), Euler()).ys
            except Diverged as blow_up:
                raise Diverged(blow_up.step, blow_up.t, place=_largest(state)) from blow_up
        states.append(state.cpu().numpy())
        done = n
    return np.stack(states, axis=1)


def _largest(state: torch.Tensor) -> tuple[int, ...]:
    """Run, channel and grid point of the largest value."""
    place = np.unravel_index(int(state.abs().argmax()), tuple(state.shape))
    return tuple(map(int, place))
