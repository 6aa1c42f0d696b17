"""Noise that grows over a picture, restored with one stopping time for all of it and with a map of stopping times.

python denoise_uneven_noise.py [FIGURE.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from skimage import data

import durr
from durr.metrics import psnr
from durr.plots import noise_map_figure


def main(figure: Path | None) -> None:
    clean = (data.rocket()[100:356, 200:520] / 255).astype(np.float32)
    sigma = np.linspace(5, 60, clean.shape[1], dtype=np.float32)  # of 255, from left to right
    noise = np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)
    noisy = clean + sigma[:, None] / 255 * noise

    restorer = durr.Restorer.pretrained("denoise", device="cpu", precision="float32")
    even = restorer(noisy)
    mapped = restorer(noisy, noise_map=True)
    for name, columns in {
        "all": slice(None),
        "calmest quarter": slice(80),
        "noisiest quarter": slice(240, None),
    }.items():
        before, after = (psnr(clean[:, columns], done.image[:, columns], data_range=1.0) for done in (even, mapped))
        print(f"{name}: {before:.2f} dB at one time, {after:.2f} dB with the map")
    if figure is not None:
        noise_map_figure(clean, noisy, even, mapped, figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
