"""What was measured: figures by method and seed, their means and spreads, and methods beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

Figure = float | int | Sequence[float]  # a number, or a curve


class Results:
    """pieces[method][seed][figure]; methods that were not measured are not there."""

    def __init__(self, pieces: Mapping[str, Mapping[int, Mapping[str, Figure]]]) -> None:
        self.pieces = pieces

    def seeds(self, method: str) -> list[int]:
        """The seeds a method was measured for, in order."""
        return sorted(self.pieces.get(method, {}))

    def numbers(self, method: str, figure: str, beside: str | None = None) -> list[float]:
        """A figure for each seed; beside: divided by that of another method, over the seeds of both."""
        own = {seed: _number(self.pieces[method][seed][figure], figure) for seed in self.seeds(method)}
        if beside is None:
            return list(own.values())
        both = [seed for seed in own if seed in self.seeds(beside)]
        return [own[seed] / _number(self.pieces[beside][seed][figure], figure) for seed in both]

    def mean(self, method: str, figure: str, beside: str | None = None) -> float:
        """The mean over seeds, NaN without any."""
        numbers = self.numbers(method, figure, beside)
        return mean(numbers) if numbers else float("nan")

    def curve(self, method: str, figure: str) -> list[list[float]]:
        """A figure that is a list, for each seed."""
        curves = [self.pieces[method][seed][figure] for seed in self.seeds(method)]
        return [list(curve) if isinstance(curve, Sequence) else [float(curve)] for curve in curves]


def spread(numbers: Sequence[float]) -> float:
    """The standard deviation of a sample, zero for a single number."""
    return stdev(numbers) if len(numbers) > 1 else 0.0


def mean_and_spread(numbers: Sequence[float], form: str) -> str:
    """0.851 ± 0.004."""
    if not numbers:
        return ""
    told = format(mean(numbers), form)
    return told if len(numbers) == 1 else f"{told} ± {format(spread(numbers), '.1g')}"


def _number(figure: Figure, name: str) -> float:
    if isinstance(figure, Sequence):
        raise TypeError(f"the figure '{name}' is a curve")
    return float(figure)
