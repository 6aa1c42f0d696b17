"""Seconds of a piece of work, by the clock that other programs disturb least."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """CPU seconds of this process; on a GPU seconds of the clock."""
    on_cpu = device.type == "cpu"
    begun = time.process_time() if on_cpu else time.perf_counter()
    run()
    if on_cpu:
        return time.process_time() - begun
    torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def in_turns(runs: Mapping[str, Callable[[], object]], device: torch.device, *, rounds: int) -> dict[str, float]:
    """Median seconds of each, taking turns, so that a machine that slows down slows all of them; one round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            taken[name].append(seconds(run, device))
    return {name: median(times[1:]) for name, times in taken.items()}
