"""What a batch of adversarial training costs, in the time of PGD-10 and of full passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from backbone.checks.measured import Measured
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.experiments.robust import METHODS, PGD, YOPO, small_game
from backbone.experiments.stopwatch import in_turns
from backbone.nets.small_cnn import SmallShape
from backbone.samples import Samples
from backbone.train.adversarial import Adversarial

FULL = "full pass"
FULL_PASSES = 11  # of PGD-10, by its definition


@dataclass(frozen=True, kw_only=True)
class YopoTime(Experiment):
    """Every method takes turns with PGD-10 and with one full pass, on noise: what pictures show changes no time.

    PGD-10 works out no gradient of a weight in its ten attack passes; 11 full passes are what it costs by its
    definition, and where `loss.backward()` is called for each.
    """

    name = "yopo-time"
    question = "what does a batch cost, in the time of PGD-10 and of full passes?"
    columns = (
        Column(figure="batch_ms", title="ms/batch", form=".0f"),
        Column(figure="in_passes", title="in full passes", form=".2f"),
        Column(figure="of_pgd", title="/ PGD-10", form=".3f"),
        Column(figure="of_full", title="/ 11 full passes", form=".3f"),
    )
    picture = Picture(x="in_passes", y="of_pgd", x_title="batch, in full passes", y_title="batch, of PGD-10")
    width: int = 8
    pixels: int = 28
    batch: int = 128
    rounds: int = 12

    @property
    def methods(self) -> tuple[str, ...]:
        return METHODS

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        def measure(method: str, seed: int) -> dict[str, Figure]:
            generator = torch.Generator().manual_seed(seed)
            inputs = torch.rand(self.batch, 1, self.pixels, self.pixels, generator=generator)
            samples = Samples(inputs, torch.randint(10, (self.batch,), generator=generator)).to(device)
            games = {word: self._game(word, seed, device) for word in {method, PGD}}
            runs: dict[str, Callable[[], object]] = {word: partial(game, samples) for word, game in games.items()}
            runs[FULL] = partial(full_pass, games[PGD], samples)
            taken = in_turns(runs, device, rounds=self.rounds)
            return {
                "batch_ms": 1e3 * taken[method],
                "in_passes": taken[method] / taken[FULL],
                "of_pgd": taken[method] / taken[PGD],
                "of_full": taken[method] / (FULL_PASSES * taken[FULL]),
            }

        return measure

    def bounds(self, results: Results) -> list[Measured]:
        return [
            Measured.below("YOPO-5-3 / PGD-10 without gradients of weights", results.mean(YOPO, "of_pgd"), 0.5),
            Measured.below("YOPO-5-3 / 11 full passes", results.mean(YOPO, "of_full"), 0.5),
        ]

    def _game(self, word: str, seed: int, device: torch.device) -> Adversarial:
        shape = SmallShape(pixels=self.pixels, widths=(self.width, 2 * self.width))
        return small_game(word, shape, seed=seed, eps=0.1, learning_rate=1e-3, device=device)


def full_pass(game: Adversarial, samples: Samples) -> None:
    """Forward, and back to the weights and the perturbation."""
    eta = torch.zeros_like(samples.inputs, requires_grad=True)
    loss = game.loss_of(game.net, samples.at(samples.inputs + eta))
    torch.autograd.grad(loss, [eta, *game.net.parameters()])
