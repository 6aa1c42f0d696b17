"""The number format of convolutions: the fastest one that a device works in without loss of the result."""

from __future__ import annotations

import torch


def convolution_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies it faster than float32, else float32; sums are float32 in both."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    # Cores that have AVX-512's bfloat16 but no AMX were measured at half the speed of their float32.
    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else torch.float32
