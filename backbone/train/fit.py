"""The only training loop of the house: control updates over batches, watched by observers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from backbone.data_parallel import ALONE, Replicas
from backbone.errors import UsageError
from backbone.train.interrupt import deferred_interrupt

BatchT = TypeVar("BatchT")
BatchT_contra = TypeVar("BatchT_contra", contravariant=True)


@runtime_checkable
class Update(Protocol[BatchT_contra]):
    """A training algorithm: one call is one update of the control, and tells its metrics (at least "loss")."""

    def __call__(self, batch: BatchT_contra, /) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Progress:
    """What an observer sees after update `step` (from 1): its metrics; interrupted once the user asked to stop."""

    step: int
    metrics: Mapping[str, float]
    interrupted: bool = False


@runtime_checkable
class Observer(Protocol):
    """Watches a training: logs, saves states, steps a learning-rate schedule."""

    def __call__(self, progress: Progress, /) -> None: ...


@dataclass(frozen=True)
class History:
    """The metrics of every update, in order."""

    metrics: list[Mapping[str, float]] = field(default_factory=list)

    def series(self, name: str) -> list[float]:
        """One metric over the updates."""
        return [metrics[name] for metrics in self.metrics]


def fit(
    update: Update[BatchT],
    batches: Iterable[BatchT],
    *,
    n_steps: int,
    observers: Sequence[Observer] = (),
    replicas: Replicas = ALONE,
) -> History:
    """Call `update` on n_steps batches; batches that run out are gone through again from the start.

    Serves first-order optimisers and full-batch L-BFGS alike (`batches` then holds one batch). After Ctrl+C the update
    at work is finished, the observers see it as interrupted, and KeyboardInterrupt is raised; a second Ctrl+C raises
    at once. Replicas stop together, all after the same update. Raises UsageError if there are no batches (left).
    """
    if n_steps < 1:
        raise UsageError(f"n_steps must be at least 1, got {n_steps}", where="fit(n_steps=)", cure="n_steps=100")
    history = History()
    with deferred_interrupt() as interrupt:
        for step, batch in zip(range(1, n_steps + 1), _endless(batches), strict=False):
            metrics = update(batch)
            history.metrics.append(metrics)
            progress = Progress(step, metrics, replicas.any(interrupt.asked))
            for observer in observers:
                observer(progress)
            if progress.interrupted:
                break
        if replicas.any(interrupt.asked):
            raise KeyboardInterrupt
    return history


def _endless(batches: Iterable[BatchT]) -> Iterator[BatchT]:
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch
        if empty:
            raise UsageError(
                "there are no batches left", where="fit(batches=)", cure="pass a list or a loader, not a spent iterator"
            )
