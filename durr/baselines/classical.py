"""Total variation, non-local means and wavelet shrinkage from scikit-image, set for Gaussian noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

TV_WEIGHT = 0.9  # per sigma: best mean PSNR over sigma 15 to 75 on photographs, of .6 to 1.5
NLM_FILTER = 0.6  # per sigma: scikit-image's own example for the fast mode that is told sigma
NLM_PATCH, NLM_DISTANCE = 5, 6  # the same example


def total_variation(
    noisy: Float[np.ndarray, "row col *channel"], sigma: float
) -> Float[np.ndarray, "row col *channel"]:
    """Least of TV(u) + |u - noisy|^2 / (2 weight) by Chambolle's dual projection (J. Math. Imaging Vis. 20, 2004)."""
    return denoise_tv_chambolle(noisy, weight=TV_WEIGHT * sigma, channel_axis=_channel_axis(noisy))


def non_local_means(
    noisy: Float[np.ndarray, "row col *channel"], sigma: float
) -> Float[np.ndarray, "row col *channel"]:
    """Mean over pixels whose patches look alike (Buades, Coll, Morel, CVPR 2005), noise taken off the distances."""
    return denoise_nl_means(
        noisy,
        patch_size=NLM_PATCH,
        patch_distance=NLM_DISTANCE,
        h=NLM_FILTER * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=_channel_axis(noisy),
    )


def bayes_shrink(noisy: Float[np.ndarray, "row col *channel"], sigma: float) -> Float[np.ndarray, "row col *channel"]:
    """Soft thresholds sigma^2 / sigma_x of each band of db2 wavelets (Chang, Yu, Vetterli, IEEE TIP 9, 2000, eq. 10).

    Colour is shrunk as YCbCr. Needs PyWavelets, of the `bench` extra.
    """
    axis = _channel_axis(noisy)
    return denoise_wavelet(
        noisy,
        sigma=sigma,
        wavelet="db2",  # .3 dB above scikit-image's default on photographs
        method="BayesShrink",
        mode="soft",
        convert2ycbcr=axis is not None,
        channel_axis=axis,
        rescale_sigma=True,
    )


def _channel_axis(image: Float[np.ndarray, "row col *channel"]) -> int | None:
    """Where scikit-image finds the channels: nowhere in a grey image."""
    return 2 if image.ndim == 3 else None
