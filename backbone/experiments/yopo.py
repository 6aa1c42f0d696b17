"""YOPO beside PGD, Free and Fast: what robust accuracy costs in passes and seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from backbone.attacks.apgd import Apgd
from backbone.attacks.attack import accuracy, robust_accuracy
from backbone.attacks.pgd import PgdAttack
from backbone.checks.measured import Measured
from backbone.data.picture_set import PictureData
from backbone.data.pictures import read_pictures
from backbone.data.shuffled import ShuffledBatches
from backbone.errors import UsageError
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.results import Figure, Results
from backbone.experiments.robust import METHODS, NATURAL, PGD, YOPO, small_game
from backbone.experiments.stopwatch import seconds
from backbone.nets.small_cnn import SmallShape
from backbone.train.fit import fit
from backbone.train.free import Free

ATTACK_SEED = 1000  # added to the seed: starts of attacks other than those of the training


@dataclass(frozen=True, kw_only=True)
class YopoExperiment(Experiment):
    """Small CNN, Adam; Free-m has 1/m of the epochs, as its m steps of the weights a batch ask for.

    Seconds are those of the trainings, one after the other; `yopo-time` compares them in turns.
    """

    name = "yopo"
    question = "is YOPO as robust as PGD-10, in half the time?"
    columns = (
        Column(figure="clean", title="clean", form=".3f"),
        Column(figure="pgd", title="PGD-20", form=".3f"),
        Column(figure="apgd", title="APGD", form=".3f"),
        Column(figure="full", title="full passes", form=".0f"),
        Column(figure="first", title="first layer", form=".0f"),
        Column(figure="epoch_s", title="s/epoch", form=".1f"),
        Column(figure="epoch_s", title="/ natural", form=".2f", beside=NATURAL),
        Column(figure="epoch_s", title="/ PGD-10", form=".3f", beside=PGD),
    )
    picture = Picture(x="train_s", y="apgd", x_title="seconds of training", y_title="accuracy under APGD", x_log=True)
    n_train: int = 5000
    n_test: int = 1000
    epochs: int = 5
    batch: int = 128
    eps: float = 0.1
    learning_rate: float = 2e-3
    width: int = 8

    @property
    def methods(self) -> tuple[str, ...]:
        return METHODS

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        if data is None:
            raise UsageError("pictures are needed", where="bench backbone yopo", cure="--data FOLDER of MNIST")
        pictures = _pictures(data)

        def measure(method: str, seed: int) -> dict[str, Figure]:
            return _Piece(self, method, seed, pictures, device).figures()

        return measure

    def note(self, data: Path | None) -> str:
        return "" if data is None else _pictures(data).note

    def bounds(self, results: Results) -> list[Measured]:
        gaps = [results.mean(YOPO, attack) - results.mean(PGD, attack) for attack in ("pgd", "apgd")]
        return [
            Measured("YOPO-5-3 minus PGD-10 under PGD-20", gaps[0], -0.03, 0.03),
            Measured("YOPO-5-3 minus PGD-10 under APGD", gaps[1], -0.03, 0.03),
            Measured.below("full passes of YOPO-5-3 / PGD-10", results.mean(YOPO, "full", PGD), 0.5),
        ]


@lru_cache(maxsize=1)
def _pictures(data: Path) -> PictureData:
    """Decoding CIFAR-10's JPEG files takes seconds."""
    return read_pictures(data)


class _Piece:
    """One training by a method from a seed, and what the net is then worth."""

    def __init__(
        self, settings: YopoExperiment, method: str, seed: int, pictures: PictureData, device: torch.device
    ) -> None:
        self.settings, self.seed, self.device = settings, seed, device
        channels, pixels, _ = pictures.shape
        widths = (settings.width, 2 * settings.width)
        self.update = small_game(
            method,
            SmallShape(pixels=pixels, channels=channels, widths=widths, classes=pictures.classes),
            seed=seed,
            eps=settings.eps,
            learning_rate=settings.learning_rate,
            device=device,
        )
        how = self.update.algorithm
        self.epochs = math.ceil(settings.epochs / (how.m if isinstance(how, Free) else 1))
        train = pictures.train.rows(slice(settings.n_train))
        self.batches = ShuffledBatches(train, settings.batch, seed, device)
        self.test = pictures.test.samples(slice(settings.n_test)).to(device)

    def figures(self) -> dict[str, Figure]:
        """Train, attack, and tell; attacks are worked out in float32."""
        update, eps = self.update, self.settings.eps
        n_steps = self.epochs * self.batches.per_epoch
        train_s = seconds(lambda: fit(update, self.batches.after(0), n_steps=n_steps), self.device)
        attacks = {"pgd": PgdAttack(eps=eps, alpha=eps / 10), "apgd": Apgd(eps=eps)}
        robust = {
            name: robust_accuracy(
                update.net, attack, self.test, generator=torch.Generator().manual_seed(ATTACK_SEED + self.seed)
            )
            for name, attack in attacks.items()
        }
        return {
            "clean": accuracy(update.net, self.test),
            **robust,
            "full": update.passes.full,
            "first": update.passes.first,
            "epochs": self.epochs,
            "train_s": train_s,
            "epoch_s": train_s / self.epochs,
            "bits": torch.finfo(update.precision).bits,
        }
