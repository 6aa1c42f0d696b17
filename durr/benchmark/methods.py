"""What is measured: our method, the picture as given, baselines told sigma or not, and nets that are only timed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import torch
from jaxtyping import Float32

from backbone.errors import InputError, UsageError
from durr.baselines.baseline import Baseline
from durr.baselines.classical import bayes_shrink, non_local_means, total_variation
from durr.baselines.diffusion import perona_malik
from durr.baselines.dncnn import DnCNN, Precision, apply
from durr.benchmark.answer import Answer, Method
from durr.benchmark.ours import our_method
from durr.model import Task
from durr.restoration.noise import estimate_noise
from durr.restorer import Restorer

OURS, ENSEMBLE = "ours", "ours-ensemble"
GIVEN: Mapping[Task, str] = {"denoise": "noisy", "dejpeg": "jpeg"}  # the picture as it comes
BASELINES: Mapping[str, Baseline] = {
    "perona-malik": perona_malik,
    "tv": total_variation,
    "nlm": non_local_means,
    "wavelet": bayes_shrink,
}
BLIND = "-blind"  # the ending of a baseline that estimates sigma
TIMED: Mapping[str, Precision] = {
    "dncnn-b": "float32",
    "dncnn-b-bf16": "bfloat16",
}  # precision of a net with random weights
DEFAULT: Mapping[Task, tuple[str, ...]] = {
    "denoise": (OURS, GIVEN["denoise"], *BASELINES, *TIMED),
    "dejpeg": (OURS, GIVEN["dejpeg"], *TIMED),
}
NAMES: Mapping[Task, tuple[str, ...]] = {
    "denoise": (*DEFAULT["denoise"], ENSEMBLE, *(name + BLIND for name in BASELINES)),
    "dejpeg": (*DEFAULT["dejpeg"], ENSEMBLE),
}


def choose_methods(words: Sequence[str] | None, task: Task) -> tuple[str, ...]:
    """The methods of a task of these names in the order of NAMES, the default ones for None.

    Raises UsageError for a name that is none, InputError if a chosen one needs a package that is not installed.
    """
    for word in words or ():
        if word not in NAMES[task]:
            near = difflib.get_close_matches(word, NAMES[task], n=1)
            cure = f"--methods {near[0]}" if near else f"use some of: {', '.join(NAMES[task])}"
            raise UsageError(f"'{word}' is no method", where="--methods", cure=cure)
    chosen = tuple(name for name in NAMES[task] if name in (words or DEFAULT[task]))
    for name in chosen:
        if name.startswith("wavelet") and find_spec("pywt") is None:
            raise InputError(
                f"the method {name} needs the 'bench' extra", where="--methods", cure="pip install 'pdenet-durr[bench]'"
            )
    return chosen


def build_methods(
    names: Sequence[str], *, channels: int, restorer: Restorer | None, device: str
) -> Mapping[str, Method]:
    """The callables of these names. restorer: ours, None only if it is not among them. device: of the timed nets."""
    return {name: _build(name, channels, restorer, device) for name in names}


def _build(name: str, channels: int, restorer: Restorer | None, device: str) -> Method:
    if name in GIVEN.values():
        return lambda given, grade: Answer(given)
    if name in TIMED:
        return _timed(TIMED[name], channels, device)
    if name not in (OURS, ENSEMBLE):
        return _baseline(name)
    if restorer is None:
        raise ValueError("our method needs a restorer")
    return our_method(replace(restorer, ensemble=name == ENSEMBLE))


def _baseline(name: str) -> Method:
    """A baseline that is told sigma, or one that estimates it; without noise it changes nothing."""
    baseline = BASELINES[name.removesuffix(BLIND)]
    blind = name.endswith(BLIND)

    def restore(noisy: Float32[np.ndarray, "row col *channel"], sigma: float) -> Answer:
        level = estimate_noise([np.atleast_3d(noisy)]).sigma if blind else sigma
        return Answer(baseline(noisy, level) if level > 0 else noisy, estimate=level * 255 if blind else None)

    return restore


def _timed(precision: Precision, channels: int, device: str) -> Method:
    """DnCNN-B's shape, whose answer means nothing: the picture comes back as given."""
    net = DnCNN(channels, torch.Generator().manual_seed(0)).to(device)

    def restore(given: Float32[np.ndarray, "row col *channel"], grade: float) -> Answer:
        batch = torch.from_numpy(np.atleast_3d(given)).permute(2, 0, 1)[None]
        apply(net, batch.to(device), precision).cpu()  # back on the host, as a user gets it: the clock waits for it
        return Answer(given)

    return restore
