"""`pdenet-durr dejpeg`: JPEG pictures without their blocks and ringing, at any quality."""

from __future__ import annotations

from typing import Annotated

import typer

from backbone.errors import UsageError
from backbone.options import spelt_out
from durr.commands.picture_options import AUTO, Inputs, PictureOptions


@spelt_out
def dejpeg(
    inputs: Inputs,
    *,
    quality: Annotated[
        str, typer.Option("--quality", help="Of the JPEG, 1 to 100; auto lets the model see it.")
    ] = AUTO,
    options: PictureOptions,
) -> int:
    """Repair JPEG pictures, also those that were saved as PNG since; how strongly they were compressed is seen."""
    from durr.batch.dejpeg import Dejpeg
    from durr.commands.pictures import restore_pictures

    return restore_pictures(inputs, Dejpeg(_quality(quality)), options)


def _quality(word: str) -> int | None:
    """The quality of --quality, None for auto."""
    from durr.restoration.strength import check_quality

    if word == AUTO:
        return None
    try:
        quality = int(word)
    except ValueError as error:
        raise UsageError(f"'{word}' is no whole number", where=f"--quality {word}", cure="--quality auto") from error
    check_quality(quality)
    return quality
