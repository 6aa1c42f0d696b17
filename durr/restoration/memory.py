"""Memory: what is free, what the unfolding of a pixel takes, and how to know that there was too little."""

from __future__ import annotations

from pathlib import Path

import torch

from durr.unit import RestorationUnit

BYTES_PER_FEATURE = (
    7  # measured in float32 on the CPU: 5.9 bytes per pixel and feature of the state at the peak of a step
)
DEFAULT_BUDGET = {"cpu": 512 * 2**20, "cuda": 4 * 2**30}  # larger tiles gain nothing: their halo is small already
SHARE = 0.5  # of the free memory that the tiles may take
MEMINFO = Path("/proc/meminfo")


def tile_budget(device: torch.device) -> int:
    """Bytes that the unfolding may take: the same on every machine, unless half of its free memory is less."""
    free = free_memory(device)
    budget = DEFAULT_BUDGET[device.type]
    return budget if free is None else min(budget, int(SHARE * free))


def free_memory(device: torch.device) -> int | None:
    """Free bytes of the device, or None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if not MEMINFO.exists():
        return None
    lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024  # "12345 kB"


def bytes_per_pixel(unit: RestorationUnit) -> int:
    """Bytes that one pixel of one image of a batch takes at the peak of a step, in float32."""
    return BYTES_PER_FEATURE * unit.features


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch on the CPU says so in the words of a RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in words or "can't allocate memory" in words)
