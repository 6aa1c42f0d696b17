"""`pdenet-durr backbone train`: a named network on pictures or points, with any update of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from backbone.commands.run_options import RunOptions
from backbone.commands.shell import Talk, print_json
from backbone.options import Options, spelt_out

Name = Annotated[str, typer.Argument(metavar="NAME", help="A network, as resnet or small-cnn; a wrong one lists all.")]

Data = Annotated[str, typer.Option("--data", help="Pictures: folder or .npz; or ellipses, peaks, swiss-roll.")]


@dataclass(kw_only=True, eq=False)
class TrainOptions(Options):
    """What a training can be told."""

    update: Annotated[str, typer.Option("--update", help="natural, pgd:10, trades:10, fast, free:8 or yopo:5,3.")] = (
        "natural"
    )
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Times that all samples are shown.")] = 10
    batch: Annotated[int, typer.Option("--batch", min=1, help="Samples of an update.")] = 128
    learning_rate: Annotated[float, typer.Option("--lr", min=0, help="Learning rate of Adam.")] = 2e-3
    eps: Annotated[float, typer.Option("--eps", min=0, help="Largest change of a pixel in [0, 1] by an attack.")] = 0.1
    layers: Annotated[
        int | None, typer.Option("--layers", min=1, help="Depth: 6 n + 2 of a picture net, steps of the others.")
    ] = None


@spelt_out
def backbone_train(name: Name, *, data: Data, options: TrainOptions, run: RunOptions) -> None:
    """Train a network of the backbone; a killed run goes on where its last checkpoint was, with the same weights."""
    from backbone.classifier.training import TrainSettings, train_classifier
    from backbone.data_parallel import replicas_of_torchrun
    from backbone.device import keep_freed_memory, resolve_device, set_threads

    set_threads(run.threads)
    keep_freed_memory()
    with replicas_of_torchrun(resolve_device(run.device)) as replicas:
        talk = Talk(quiet=run.quiet or not replicas.first)
        settings = TrainSettings(
            name=name,
            data=data,
            update=options.update,
            epochs=options.epochs,
            batch=options.batch,
            learning_rate=options.learning_rate,
            eps=options.eps,
            layers=options.layers,
            seed=run.seed,
            device=replicas.device,
            save_every_s=run.save_every,
        )
        summary = train_classifier(
            settings,
            out=run.out,
            overwrite=run.overwrite,
            resume=run.resume,
            talk=talk.note,
            progress=talk.progress,
            replicas=replicas,
        )
        if replicas.first:
            _tell(summary, json=run.json)


def _tell(summary: Mapping[str, Any], *, json: bool) -> None:
    if json:
        print_json(summary)
        return
    robust = summary.get("accuracy_under_pgd_20")
    print(f"accuracy {summary['accuracy']:.4f}" + ("" if robust is None else f", {robust:.4f} under PGD-20"))
    print(f"run: {summary['run']}")
