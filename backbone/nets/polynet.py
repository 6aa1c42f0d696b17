"""PolyNet: polynomials of the branch for the inverse that backward Euler takes."""

from __future__ import annotations

import torch

from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation, residual_branches
from backbone.schemes.polynomial import Poly
from backbone.stem import Stemmed


def polynet(shape: ImageShape, *, k: int = 2, generator: torch.Generator) -> Stemmed:
    """Images to logits by x + F(x) + F(F(x)) + ... + F^k(x). Zhang, Li, Loy, Lin, CVPR 2017."""
    return image_net(
        shape,
        lambda width, n: layered_flow(residual_branches(pre_activation, width, n, generator), Poly(k)),
        generator,
    )
