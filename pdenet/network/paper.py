"""The training of PDE-Net 2.0 (Long, Lu, Dong, J. Comput. Phys. 399 (2019), section 3): block by block, from a warm-up.

Each stage starts from the weights of the one before and minimises by L-BFGS. A stage of n blocks runs n forward Euler
steps of the data's own dt with pseudo-upwind filters; its loss is

    sum_{i=1..n} mean(((u~_i - u_i) / dt)^2) + n lambda_F sum_w H_1e-3(w) + n lambda_M sum H_1e-2(M)

over all weights w of the symbolic networks and all moments M of the filters, with Huber's penalty
H_s(p) = p^2 / (2 s) for |p| < s and |p| - s / 2 beyond. The warm-up is one step with frozen filters and no penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss
from torch.optim import LBFGS

from backbone.errors import Diverged, UntrustedResult, UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Euler
from backbone.train.fit import fit
from backbone.train.gradient import Gradient
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.network.checkpoint import Checkpoint, NetworkOptions
from pdenet.network.rhs import LearnedPDE
from pdenet.network.stages import Stage, StageResult, stages_until

RESPONSE_WEIGHT, RESPONSE_SCALE = 5e-3, 1e-3  # lambda_F and s of the networks' weights
MOMENT_WEIGHT, MOMENT_SCALE = 1e-3, 1e-2  # lambda_M and s of the moments
ITERATIONS = 20  # of L-BFGS between two looks at the loss
LEAST_DECREASE = 1e-5  # relative, in that many iterations; a stage that gains less has ended
MOST_LOOKS = 200
HISTORY = 500  # pairs L-BFGS remembers: more than there are weights, so it learns the whole curvature
WALL = 1e30  # loss of a trial step that blows up: the line search comes back from it


@dataclass(frozen=True, eq=False)
class PaperResult:
    """The trained right-hand side and what every stage found.

    moments: the moment matrices of the filters, by derivative ("" for the variable itself).
    """

    model: LearnedPDE
    stages: tuple[StageResult, ...]
    moments: dict[str, Float64[np.ndarray, "*kernel"]]

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The equations of the last stage."""
        return self.stages[-1].equations


@dataclass(frozen=True)
class PaperLoss:
    """The loss of a stage on windows "window time channel *space" of blocks + 1 snapshots, dt apart."""

    stage: Stage
    dt: float

    def __call__(self, model: nn.Module, windows: Float[Tensor, "window time channel *space"]) -> Float[Tensor, ""]:
        assert isinstance(model, LearnedPDE)
        grid = Grid.uniform(0.0, self.stage.blocks * self.dt, self.stage.blocks)
        try:
            rollout = integrate(model, windows[:, 0], grid, Euler(), save="all").ys
        except Diverged:
            return _wall(model)
        misfit = (rollout[1:] - windows[:, 1:].transpose(0, 1)) / self.dt
        loss = self.stage.blocks * misfit.square().mean()  # mean over steps too, hence the factor
        if not self.stage.warm_up:
            loss = loss + self.stage.blocks * _penalty(model)
        return loss if bool(loss.isfinite()) else _wall(model)


def _penalty(model: LearnedPDE) -> Float[Tensor, ""]:
    weights = sum(_huber(weights, RESPONSE_SCALE) for weights in (model.response.linear, model.response.packed))
    return RESPONSE_WEIGHT * weights + MOMENT_WEIGHT * _huber(model.filters.moments, MOMENT_SCALE)


def _huber(p: Tensor, scale: float) -> Float[Tensor, ""]:
    """sum of H_s(p): what torch calls the smooth L1 loss against zero."""
    return smooth_l1_loss(p, torch.zeros_like(p), beta=scale, reduction="sum")


def _wall(model: LearnedPDE) -> Float[Tensor, ""]:
    """A loss no step is worth, with the gradient zero."""
    return WALL + 0.0 * torch.stack([p.sum() for p in model.parameters()]).sum()


def train_paper(
    field: Field,
    *,
    blocks: int = 6,
    order: int = 2,
    size: int = 5,
    accuracy: int = 2,
    hidden: int = 5,
    seed: int = 0,
    device: torch.device,
    dtype: torch.dtype = torch.float64,
    progress: Callable[[str], None] = lambda text: None,
    checkpoint: Path | None = None,
) -> PaperResult:
    """Train PDE-Net 2.0 on the first snapshots of every run, up to `blocks` blocks (see `stages_until`).

    order: highest derivative. size: points of a kernel per axis. accuracy: order dx^accuracy the filters are held to.
    hidden: products of each network. progress: told the loss after every look. checkpoint: a folder that keeps the
    last finished stage; a later call with the same options goes on from there and ends with the same bits.

    Raises UsageError for more blocks than snapshots or a checkpoint of other options, UntrustedResult if a stage
    starts from weights whose roll-out blows up.
    """
    stages = stages_until(blocks)
    if stages[-1].blocks >= field.n_times:
        raise UsageError(
            f"block {blocks} needs {blocks + 1} snapshots, the data have {field.n_times}",
            where="blocks",
            cure=f"train up to block {field.n_times - 1}",
        )
    options = NetworkOptions(order=order, size=size, accuracy=accuracy, hidden=hidden, seed=seed)
    model = options.untrained(field, dtype=dtype, device=device)
    kept = Checkpoint.of(checkpoint, options, field) if checkpoint is not None else None
    results = kept.restore(model) if kept is not None else []
    values = torch.as_tensor(np.asarray(field.values), dtype=dtype, device=device)
    for stage in stages[len(results) :]:
        results.append(_train_stage(model, stage, values[:, : stage.blocks + 1], field.dt, progress))
        if kept is not None:
            kept.keep(model, results)
    return PaperResult(model, tuple(results), model.moments_by_name())


def _train_stage(
    model: LearnedPDE, stage: Stage, windows: Tensor, dt: float, progress: Callable[[str], None]
) -> StageResult:
    """L-BFGS with the strong Wolfe line search until it gains no more."""
    model.filters.requires_grad_(not stage.warm_up)
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = LBFGS(
        weights,
        max_iter=ITERATIONS,
        history_size=HISTORY,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )
    loss = PaperLoss(stage, dt)
    update = Gradient(model, loss, optimiser)
    before = WALL
    for look in range(1, MOST_LOOKS + 1):
        now = fit(update, [windows], n_steps=1).series("loss")[0]
        progress(f"{stage}: loss {now:.6g} after {(look - 1) * ITERATIONS} iterations")
        if now >= WALL:
            raise UntrustedResult(
                f"the roll-out over {stage.blocks} steps blows up", where=str(stage), cure="train fewer blocks"
            )
        if before - now <= LEAST_DECREASE * now:
            break
        before = now
    with torch.no_grad():
        final = loss(model, windows).item()
    equations = tuple(model.response.to_equations())
    return StageResult(str(stage), final, look * ITERATIONS, equations)
