"""Pictures of the backbone."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path

from backbone.atomic import write_atomic
from backbone.landscape import TARGET, Landscape


def landscape_picture(found: Landscape, path: Path) -> None:
    """Two maps over (theta1, theta2): log10 of the loss, and the growth of the layer, black line where it is zero.

    found: on a square grid, as `square` makes it.
    """
    from matplotlib.figure import Figure

    n = math.isqrt(len(found.theta))
    span = float(found.theta.abs().max())
    maps = {
        "log10(loss)": found.loss.clamp_min(1e-8).log10(),
        "largest real part of an eigenvalue": found.growth,
    }
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(1, 2), maps.items(), strict=True):
        picture = values.reshape(n, n).T.numpy()
        shown = axes.imshow(picture, origin="lower", extent=(-span, span, -span, span))
        axes.contour(found.growth.reshape(n, n).T.numpy(), levels=[1e-9], colors="k", extent=(-span, span, -span, span))
        axes.plot(*TARGET, "r+", markersize=12)
        axes.set(title=title, xlabel="theta1", ylabel="theta2")
        figure.colorbar(shown, ax=axes)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=120, format=path.suffix.removeprefix("."))
    write_atomic(path, drawn.getvalue())
