"""Between Pillow's images of 8 bits a channel and arrays of samples."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image

from durr.images.metadata import bytes_of
from durr.images.source import Source


class Samples(NamedTuple):
    """pixels: (row, col) or (row, col, 3). alpha: (row, col) or None. icc: of the pixels. notes: what was converted."""

    pixels: Num[np.ndarray, " row col *channel"]
    alpha: Num[np.ndarray, " row col"] | None = None
    icc: bytes = b""
    notes: tuple[str, ...] = ()


def from_pillow(image: Image.Image, source: Source) -> Samples:
    """Grey or RGB of 8 bits from any of Pillow's 8-bit modes, with a note about each conversion."""
    icc = bytes_of(image.info.get("icc_profile"))
    notes: tuple[str, ...] = ()
    match image.mode:
        case "1":
            image, notes = image.convert("L"), ("1-bit samples became 8-bit grey",)
        case "P" | "PA":
            notes = ("palette converted to RGB",)
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        case "CMYK":
            image, icc, note = _cmyk_to_rgb(image, icc)
            notes = (note,)
        case "YCbCr" | "RGBX":
            image = image.convert("RGB")
        case "L" | "RGB" if image.has_transparency_data:
            image, notes = image.convert("LA" if image.mode == "L" else "RGBA"), ("transparent colour became alpha",)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise source.error(f"has samples of the kind {image.mode}, which is not read", "save it as 8-bit or 16-bit RGB")
    return from_interleaved(np.asarray(image))._replace(icc=icc, notes=notes)


def from_interleaved(samples: Num[np.ndarray, " row col *channel"]) -> Samples:
    """The colours and alpha of one array whose 1 to 4 channels are grey, grey alpha, RGB or RGB alpha."""
    if samples.ndim == 2:
        return Samples(samples)
    channels = samples.shape[2]
    colours = samples[..., 0] if channels < 3 else samples[..., :3]
    return Samples(colours, samples[..., -1] if channels in (2, 4) else None)


def interleaved(
    pixels: Num[np.ndarray, " row col *channel"], alpha: Num[np.ndarray, " row col"] | None
) -> Num[np.ndarray, " row col channels"]:
    """Colours and alpha in one array, alpha last, pixel after pixel in memory."""
    return np.ascontiguousarray(np.dstack([pixels] if alpha is None else [pixels, alpha]))


def to_pillow(
    pixels: UInt8[np.ndarray, " row col *channel"], alpha: UInt8[np.ndarray, " row col"] | None = None
) -> Image.Image:
    """Pillow's image of mode L, LA, RGB or RGBA with these samples."""
    samples = interleaved(pixels, alpha)
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def _cmyk_to_rgb(image: Image.Image, icc: bytes) -> tuple[Image.Image, bytes, str]:
    """RGB of CMYK inks: to sRGB by the file's own profile, else by 255 - ink alone; then the profile of the result."""
    from PIL import ImageCms

    try:
        if not icc:
            raise ValueError("no profile")
        inks, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        converted = ImageCms.profileToProfile(
            image,
            inks,
            srgb,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ValueError, OSError, ImageCms.PyCMSError):
        return image.convert("RGB"), b"", "CMYK converted to RGB without a profile: colours are approximate"
    return converted, srgb.tobytes(), "CMYK converted to sRGB by its profile"
