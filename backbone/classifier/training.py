"""The training of a named network, from data to a run folder; it goes on anywhere, bit for bit on the CPU."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import Generator
from torch.optim import Adam

from backbone.attacks.attack import accuracy, robust_accuracy
from backbone.attacks.pgd import PgdAttack
from backbone.checkpoint import load_state, save_state
from backbone.classifier.data import TrainingData, training_data
from backbone.classifier.named import Fit, demand_known, named_net
from backbone.data.shuffled import ShuffledBatches
from backbone.data_parallel import ALONE, Replicas, shared_run
from backbone.errors import UsageError
from backbone.precision import convolution_precision
from backbone.runs import demand_folder
from backbone.samples import cross_entropy
from backbone.train.adversarial import Adversarial
from backbone.train.algorithms import Natural, algorithm
from backbone.train.fit import Progress, fit

KIND, MODEL_KIND = "classifier training", "classifier"
CHECKPOINT, MODEL, METRICS, LOG = "checkpoint.safetensors", "model.safetensors", "metrics.json", "log.jsonl"
DRAWS_SEED, ATTACK_SEED = 1, 2  # added to the seed: of random layers, of the final attack
ATTACKED = 1000  # test samples of the final attack

Talk = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The options of a training; layers: None for the network's usual depth."""

    name: str
    data: str
    update: str
    epochs: int
    batch: int
    learning_rate: float
    eps: float
    layers: int | None
    seed: int
    device: torch.device
    save_every_s: float

    def as_dict(self) -> dict[str, Any]:
        """All that decides the weights but the number of epochs, as plain values."""
        kept = ("name", "data", "update", "batch", "learning_rate", "eps", "layers", "seed")
        return {key: getattr(self, key) for key in kept}


def train_classifier(
    settings: TrainSettings,
    *,
    out: Path | None,
    overwrite: bool,
    resume: bool,
    talk: Talk,
    progress: Talk,
    replicas: Replicas = ALONE,
) -> dict[str, Any]:
    """Train in a run folder, or go on in one; what the network reached, with the folder as "run".

    Of replicas the first one alone learns that; for the others it is empty.
    """
    demand_folder(out, resume=resume)
    demand_known(settings.name)
    algorithm(settings.update, settings.eps)
    data = training_data(settings.data)
    training = ClassifierTraining(settings, data, progress, replicas)
    folder = shared_run(
        replicas, f"train-{settings.name}", settings.as_dict(), out=out, overwrite=overwrite, resume=resume
    )
    with folder as run:
        if replicas.first:
            run.write_inputs({path: (len(data.train), *data.sample) for path in data.inputs})
        if data.note:
            talk(f"note: {data.note}")
        if training.resume(run.work):
            talk(f"goes on after step {training.step}")
        training.run(run.work)
        if not replicas.first:
            return {}
        training.save_model(run.work)
        figures = training.figures()
        run.write_json(METRICS, figures)
    return {"run": str(run.path), **settings.as_dict(), **figures}


class ClassifierTraining:
    """Updates of one network with checkpoints; step: how many are done. Of replicas the first validates and saves."""

    def __init__(self, settings: TrainSettings, data: TrainingData, progress: Talk, replicas: Replicas = ALONE) -> None:
        self.settings, self.data, self.progress, self.replicas = settings, data, progress, replicas
        how = algorithm(settings.update, settings.eps)
        if len(data.sample) != 3 and not isinstance(how, Natural):
            raise UsageError(
                "points are no pictures in [0, 1] to perturb",
                where=f"--update {settings.update}",
                cure="--update natural, or --data FOLDER of pictures",
            )
        seed, device = settings.seed, settings.device
        self.draws = Generator().manual_seed(seed + DRAWS_SEED)
        self.fit = Fit(sample=data.sample, classes=data.classes, layers=settings.layers)
        net = named_net(settings.name, self.fit, generator=Generator().manual_seed(seed), draws=self.draws)
        self.net = net.to(device)
        precision = convolution_precision(device) if len(data.sample) == 3 else torch.float32
        self.update = Adversarial(
            self.net,
            cross_entropy,
            Adam(self.net.parameters(), lr=settings.learning_rate),
            how,
            eps=settings.eps,
            generator=Generator().manual_seed(seed),
            precision=precision,
            replicas=replicas,
        )
        self.batches = ShuffledBatches(data.train, settings.batch, seed, device, replicas)
        self.n_steps = settings.epochs * self.batches.per_epoch
        self.step = 0
        self.losses: list[float] = []  # of the epoch at work
        self.epochs: list[dict[str, float]] = []
        self._saved_at = time.monotonic()

    def resume(self, folder: Path) -> bool:
        """Go on from the checkpoint of a folder; whether there was one."""
        path = folder / CHECKPOINT
        if not path.exists():
            return False
        state = load_state(path, kind=KIND, device=self.settings.device)
        self.update.load_state_dict(state["update"])
        self.draws.set_state(state["draws"].cpu())
        self.step, self.losses, self.epochs = state["step"], state["losses"], state["epochs"]
        return True

    def run(self, folder: Path) -> None:
        """Train to the end, with a checkpoint at every epoch's end and every so many seconds."""

        def watch(progress: Progress) -> None:
            self.step += 1
            if not self.replicas.first:
                return
            self.losses.append(progress.metrics["loss"])
            whole = self.step % self.batches.per_epoch == 0
            if whole:
                self._close_epoch(folder)
            if whole or progress.interrupted or time.monotonic() - self._saved_at > self.settings.save_every_s:
                self._save(folder)
            self.progress(f"step {self.step}/{self.n_steps}  loss {progress.metrics['loss']:.4f}")

        if self.step < self.n_steps:
            batches, left = self.batches.after(self.step), self.n_steps - self.step
            fit(self.update, batches, n_steps=left, observers=[watch], replicas=self.replicas)

    def save_model(self, folder: Path) -> None:
        """Write the network as it is, for `load_classifier`."""
        shape = {"name": self.settings.name, "sample": self.fit.sample, "classes": self.fit.classes}
        model = {**shape, "layers": self.fit.layers, "net": self.net.state_dict()}
        save_state(folder / MODEL, model, kind=MODEL_KIND)

    def figures(self) -> dict[str, Any]:
        """Accuracy on the test samples, under PGD-20 too where the training was adversarial, and the passes."""
        test = self.data.test.to(self.settings.device)
        found: dict[str, Any] = {"epochs": len(self.epochs), "accuracy": accuracy(self.net, test)}
        if not isinstance(self.update.algorithm, Natural):
            attack = PgdAttack(eps=self.settings.eps, alpha=self.settings.eps / 10)
            attacked = test.rows(slice(ATTACKED))
            generator = Generator().manual_seed(self.settings.seed + ATTACK_SEED)
            found["accuracy_under_pgd_20"] = robust_accuracy(self.net, attack, attacked, generator=generator)
            found["attacked"] = len(attacked)
        note = {"note": self.data.note} if self.data.note else {}
        return {**found, "full_passes": self.update.passes.full, "first_layer": self.update.passes.first, **note}

    def _close_epoch(self, folder: Path) -> None:
        """One line of the log; the log is written whole, so that it never tells an epoch twice."""
        share = accuracy(self.net, self.data.test.to(self.settings.device))
        self.epochs.append({"epoch": len(self.epochs) + 1, "loss": mean(self.losses), "accuracy": share})
        self.losses = []
        (folder / LOG).write_text("".join(json.dumps(record) + "\n" for record in self.epochs), encoding="utf-8")

    def _save(self, folder: Path) -> None:
        state = {
            "step": self.step,
            "losses": self.losses,
            "epochs": self.epochs,
            "draws": self.draws.get_state(),
            "update": self.update.state_dict(),
        }
        save_state(folder / CHECKPOINT, state, kind=KIND)
        self._saved_at = time.monotonic()


def load_classifier(path: Path) -> torch.nn.Module:
    """The network of a model file, ready to evaluate. Raises ModelError."""
    state = load_state(path, kind=MODEL_KIND)
    shape = Fit(sample=tuple(state["sample"]), classes=state["classes"], layers=state["layers"])
    net = named_net(state["name"], shape, generator=Generator(), draws=Generator())
    net.load_state_dict(state["net"])
    return net.eval()
