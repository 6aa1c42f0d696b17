"""Grey pictures as arrays of rows and columns: PNG, and TIFF with whole numbers or floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError

PICTURES = (".png", ".tif", ".tiff")
GREY = ("L", "I", "I;16", "I;16B", "F")


def read_picture(path: Path) -> Shaped[np.ndarray, "row column"]:
    """The numbers of a picture as they are stored; InputError if it has colours or several pages."""
    from PIL import Image

    with Image.open(path, formats=("PNG", "TIFF")) as picture:
        pages = getattr(picture, "n_frames", 1)
        if picture.mode not in GREY or pages > 1:
            kind = f"{pages} pages" if pages > 1 else f"the mode {picture.mode}"
            raise InputError(
                f"the picture has {kind}; a snapshot is one page of grey values",
                where=str(path),
                cure="save the measured numbers themselves: np.save('u_000.npy', u)",
            )
        return np.asarray(picture)
