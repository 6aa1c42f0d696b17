"""Where to compute: the words of `--device` and `--threads`, checked before any work, and the memory of long work."""

from __future__ import annotations

import ctypes
import re
import sys

import torch

from backbone.errors import UsageError

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # glibc's names in malloc.h, with M_ before them


def resolve_device(text: str) -> torch.device:
    """The device of auto, cpu, cuda or cuda:N; auto is cuda where there is one. Raises UsageError."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise UsageError(f"'{text}' is no device", where=f"--device {text}", cure="--device auto, cpu, cuda or cuda:N")
    if text == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(text)
    if device.type == "cpu":
        return device
    if not torch.cuda.is_available():
        raise UsageError(f"--device {text}: this torch has no CUDA", where=f"--device {text}", cure="--device cpu")
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        last = f"--device cuda:{count - 1}"
        raise UsageError(f"there are {count} CUDA devices, counted from 0", where=f"--device {text}", cure=last)
    return device


def set_threads(n: int) -> None:
    """Use n CPU threads inside an operation; 0 leaves the choice to torch."""
    if n < 0:
        raise UsageError(f"--threads must not be negative, got {n}", where=f"--threads {n}", cure="--threads 0")
    if n > 0:
        torch.set_num_threads(n)


def keep_freed_memory() -> None:
    """Let freed tensors stay with the process (glibc): fresh pages for each would cost a third of a training step.

    Elsewhere than on glibc nothing is changed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, 32 * 2**20)  # the most that glibc takes
        mallopt(TRIM_THRESHOLD, 2**30)
        mallopt(TOP_PAD, 64 * 2**20)
