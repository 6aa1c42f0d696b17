"""`pdenet-durr train denoise` and `train dejpeg`: a blind restorer from a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.run_options import RunOptions
from backbone.options import spelt_out
from durr.commands.train_options import TrainOptions

Data = Annotated[list[Path], typer.Argument(help="Clean images, or folders of them.")]


@spelt_out
def train_denoise(
    data: Data,
    *,
    sigma_max: Annotated[
        float, typer.Option("--sigma-max", min=1, max=255, help="Noise levels are drawn from 0 to this, of 255.")
    ] = 55.0,
    options: TrainOptions,
    run: RunOptions,
) -> None:
    """Train a blind denoiser on clean images; noise is made on the fly."""
    from durr.commands.restorer_training import train
    from durr.degradation.noise import GaussianNoise

    train(data, GaussianNoise(sigma_max), options, run)


@spelt_out
def train_dejpeg(
    data: Data,
    *,
    quality_min: Annotated[int, typer.Option("--quality-min", min=1, max=99, help="Lowest JPEG quality.")] = 5,
    quality_max: Annotated[int, typer.Option("--quality-max", min=1, max=99, help="Highest JPEG quality.")] = 95,
    options: TrainOptions,
    run: RunOptions,
) -> None:
    """Train a restorer of JPEG pictures on clean images; they are compressed on the fly, at any quality."""
    from durr.commands.restorer_training import train
    from durr.degradation.jpeg import JpegCompression

    train(data, JpegCompression(quality_min, quality_max), options, run)
