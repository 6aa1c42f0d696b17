"""Algorithms of adversarial training by name, as `yopo:5,3`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backbone.errors import UsageError
from backbone.samples import Samples
from backbone.train.adversarial import Adversarial, Algorithm
from backbone.train.free import Free
from backbone.train.pgd import Fast, Pgd, Trades
from backbone.train.yopo import Yopo

STEP = 0.25  # of eps: the steps of PGD and YOPO on CIFAR-10 in YOPO's paper


@dataclass(frozen=True)
class Natural(Algorithm):
    """No perturbation: one pass and one step of the weights."""

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        game.passes.full += 1
        return game.step(game.loss_of(game.net, batch))


@dataclass(frozen=True)
class _Kind:
    """numbers: what each one after the colon is, for people. make: from alpha and the numbers."""

    numbers: str
    make: Callable[..., Algorithm]


KINDS = {
    "natural": _Kind("", lambda alpha: Natural()),
    "pgd": _Kind("10", lambda alpha, k: Pgd(k, alpha)),
    "trades": _Kind("10", lambda alpha, k: Trades(k, alpha)),
    "fast": _Kind("", lambda alpha: Fast()),
    "free": _Kind("8", lambda alpha, m: Free(m)),
    "yopo": _Kind("5,3", lambda alpha, m, n: Yopo(m, n, alpha)),
}
EXAMPLES = tuple(f"{name}:{kind.numbers}" if kind.numbers else name for name, kind in KINDS.items())


def algorithm(word: str, eps: float) -> Algorithm:
    """The algorithm of a word such as natural, pgd:10 or yopo:5,3. Raises UsageError with the list of them."""
    name, _, numbers = word.partition(":")
    counts = [int(number) for number in numbers.split(",") if number.isdecimal()]
    wanted = KINDS[name].numbers if name in KINDS else None
    if wanted is None or len(counts) != len(_split(wanted)) or len(counts) != len(_split(numbers)) or 0 in counts:
        raise UsageError(f"'{word}' is no update", where=f"--update {word}", cure=f"--update {' or '.join(EXAMPLES)}")
    return KINDS[name].make(STEP * eps, *counts)


def _split(numbers: str) -> list[str]:
    return numbers.split(",") if numbers else []
