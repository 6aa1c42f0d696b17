"""How much memory the work on data may take: a limit as told, or a share of the machine's, and what is left of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from backbone.errors import UsageError

AUTO = "auto"
SHARE = 0.5  # of the machine's memory, unless told
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
COPIES = 9  # of data in memory that the work on them makes at its widest, the likelihood's tangents among them
KEPT = 0.1  # of the limit, for what the allocator keeps of memory that was given back
RESIDENT = Path("/proc/self/statm")
GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Memory:
    """limit: of this process, in bytes. free: what of it was not yet taken when this was read."""

    limit: int
    free: int

    @classmethod
    def of(cls, text: str = AUTO) -> Memory:
        """From `2G`, `1.5G`, `800M` or `auto`; UsageError for anything else."""
        limit = int(SHARE * machine_memory()) if text == AUTO else parse_bytes(text)
        return cls(limit, max(int((1.0 - KEPT) * limit) - _resident(), 0))

    @property
    def for_data(self) -> int:
        """Bytes of data that can be worked on at once."""
        return self.free // COPIES


def parse_bytes(text: str) -> int:
    """`2G` as a number of bytes, the units being powers of 1024; UsageError for anything else."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)\s*([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None or float(found[1]) == 0.0:
        raise UsageError(f"'{text}' is no amount of memory", where="--memory", cure="--memory 2G")
    return int(float(found[1]) * UNITS[found[2].upper()])


def in_words(n_bytes: int) -> str:
    """`2.1 GB`, in powers of 1000 as files are measured."""
    return next(f"{n_bytes / size:.3g} {unit}" for unit, size in _SIZES.items() if n_bytes >= size or unit == "B")


_SIZES = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1}


def machine_memory() -> int:
    """Bytes that the machine has, or the group of processes that this one belongs to."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = GROUP_LIMIT.read_text().strip() if GROUP_LIMIT.is_file() else "max"
    return min(physical, int(told)) if told.isdigit() else physical


def _resident() -> int:
    """Bytes that this process holds now; 0 where the system does not say."""
    return int(RESIDENT.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if RESIDENT.is_file() else 0
