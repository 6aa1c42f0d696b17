"""`pdenet-durr denoise`: picture files without their noise, at any noise level."""

from __future__ import annotations

from typing import Annotated

import typer

from backbone.errors import UsageError
from backbone.options import spelt_out
from durr.commands.picture_options import AUTO, Inputs, PictureOptions


@spelt_out
def denoise(
    inputs: Inputs,
    *,
    sigma: Annotated[
        str, typer.Option("--sigma", help="Noise on the scale of 0 to 255; auto lets the model see it.")
    ] = AUTO,
    noise_map: Annotated[
        bool,
        typer.Option("--noise-map/--no-noise-map", help="Noise differs from place to place: steps follow it."),
    ] = False,
    options: PictureOptions,
) -> int:
    """Remove noise from pictures; how strong it is the model sees itself."""
    from durr.batch.denoising import Denoising
    from durr.commands.pictures import restore_pictures

    return restore_pictures(inputs, Denoising(_level(sigma), noise_map), options)


def _level(sigma: str) -> float | None:
    """The noise of --sigma, None for auto."""
    from durr.restoration.strength import check_sigma

    if sigma == AUTO:
        return None
    try:
        level = float(sigma)
    except ValueError as error:
        raise UsageError(f"'{sigma}' is no number", where=f"--sigma {sigma}", cure="--sigma auto") from error
    check_sigma(level)
    return level
