"""What `train denoise` and `train dejpeg` do: one training, told of by the first of its processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backbone.commands.run_options import RunOptions
from backbone.commands.shell import Talk, print_json
from backbone.data_parallel import replicas_of_torchrun
from backbone.device import keep_freed_memory, resolve_device, set_threads
from durr.commands.train_options import TrainOptions
from durr.degradation.degradation import Degradation
from durr.training.run import TrainSettings, train_restorer


def train(data: Sequence[Path], degradation: Degradation, options: TrainOptions, run: RunOptions) -> None:
    """Train a restorer of pictures degraded so. data: clean pictures, or folders of them."""
    settings = TrainSettings(
        degradation=degradation,
        scheme=options.scheme,
        data=tuple(data),
        val=tuple(options.val or ()),
        channels=options.channels,
        n_steps=options.steps,
        batch=options.batch,
        patch=options.patch,
        learning_rate=options.learning_rate,
        seed=run.seed,
        device=resolve_device(run.device),
        save_every_s=run.save_every,
    )
    set_threads(run.threads)
    keep_freed_memory()
    with replicas_of_torchrun(settings.device) as replicas:
        talk = Talk(quiet=run.quiet or not replicas.first)
        summary = train_restorer(
            replace(settings, device=replicas.device),
            out=run.out,
            overwrite=run.overwrite,
            resume=run.resume,
            talk=talk.note,
            progress=talk.progress,
            replicas=replicas,
        )
        if not replicas.first:
            return
    talk.note(f"run: {summary['run']}")
    if run.json:
        print_json(summary)
