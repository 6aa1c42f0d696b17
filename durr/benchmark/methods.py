"""What is measured: our method, baselines told sigma or left to estimate it, and nets that are only timed."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32

from backbone.errors import InputError, UsageError
from durr.baselines.baseline import Baseline

OURS, NOISY = "ours", "noisy"
BASELINES = {
    "perona-malik": "durr.baselines.diffusion:perona_malik",
    "tv": "durr.baselines.classical:total_variation",
    "nlm": "durr.baselines.classical:non_local_means",
    "wavelet": "durr.baselines.classical:bayes_shrink",
}
BLIND = "-blind"  # the ending of a baseline that estimates sigma
TIMED = {"dncnn-b": "float32", "dncnn-b-bf16": "bfloat16"}  # precision of a net with random weights
DEFAULT = (OURS, NOISY, *BASELINES, *TIMED)
NAMES = (*DEFAULT, *(name + BLIND for name in BASELINES))


@runtime_checkable
class Restored(Protocol):
    """What a restorer answers: steps taken, the estimated sigma of 0..255, the images after 0, 1, 2, ... steps."""

    image: Float[np.ndarray, "row col *channel"]
    steps: float
    sigma: float
    path: Float[np.ndarray, "step row col *channel"]


Restorer = Callable[[Float32[np.ndarray, "row col *channel"]], Restored]


@dataclass(frozen=True, eq=False)
class Answer:
    """A restored picture on the scale of [0, 1], and what a method with steps says of them; path is read untimed."""

    image: Float[np.ndarray, "row col *channel"]
    steps: float | None = None
    sigma: float | None = None
    path: Callable[[], Float[np.ndarray, "step row col *channel"]] | None = None


Method = Callable[[Float32[np.ndarray, "row col *channel"], float], Answer]  # noisy picture and sigma, both of [0, 1]


def choose_methods(words: Sequence[str] | None) -> tuple[str, ...]:
    """The methods of these names in the order of NAMES, the default ones for None.

    Raises UsageError for a name that is none, InputError if a chosen one needs a package that is not installed.
    """
    for word in words or ():
        if word not in NAMES:
            near = difflib.get_close_matches(word, NAMES, n=1)
            cure = f"--methods {near[0]}" if near else f"use some of: {', '.join(NAMES)}"
            raise UsageError(f"'{word}' is no method", where="--methods", cure=cure)
    chosen = tuple(name for name in NAMES if name in (words or DEFAULT))
    for name in chosen:
        if (name.startswith("wavelet") or name.endswith(BLIND)) and find_spec("pywt") is None:
            raise InputError(
                f"the method {name} needs the 'bench' extra", where="--methods", cure="pip install 'pdenet-durr[bench]'"
            )
    return chosen


def load_restorer(weights: Path | None, device: str) -> Restorer:
    """Ours with the weights of a file, or those shipped. Raises ModelError for a file that is not a denoiser's."""
    from durr.restorer import Restorer as Ours

    return Ours.pretrained("denoise", device=device) if weights is None else Ours.from_file(weights, device=device)


def model_facts(weights: Path | None) -> dict[str, str]:
    """What the record says about our weights."""
    if weights is None:
        return {"file": "shipped"}
    return {"file": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}


def build_methods(
    names: Sequence[str], *, channels: int, restorer: Restorer | None, device: str
) -> Mapping[str, Method]:
    """The callables of these names. restorer: ours, None only if it is not among them. device: of the timed nets."""
    return {name: _build(name, channels, restorer, device) for name in names}


def _build(name: str, channels: int, restorer: Restorer | None, device: str) -> Method:
    if name == NOISY:
        return lambda noisy, sigma: Answer(noisy)
    if name in TIMED:
        return _timed(TIMED[name], channels, device)
    if name != OURS:
        return _baseline(name)
    if restorer is None:
        raise ValueError("our method needs a restorer")
    return _ours(restorer)


def _ours(restorer: Restorer) -> Method:
    def restore(noisy: Float32[np.ndarray, "row col *channel"], sigma: float) -> Answer:
        restored = restorer(noisy)  # blind: sigma is not told
        return Answer(restored.image, float(restored.steps), float(restored.sigma), lambda: restored.path)

    return restore


def _baseline(name: str) -> Method:
    """A baseline that is told sigma, or one that estimates it; without noise it changes nothing."""
    from durr.baselines import estimate_noise

    module, function = BASELINES[name.removesuffix(BLIND)].split(":")
    baseline: Baseline = getattr(import_module(module), function)
    blind = name.endswith(BLIND)

    def restore(noisy: Float32[np.ndarray, "row col *channel"], sigma: float) -> Answer:
        level = estimate_noise(noisy) if blind else sigma
        return Answer(baseline(noisy, level) if level > 0 else noisy, sigma=level * 255 if blind else None)

    return restore


def _timed(precision: str, channels: int, device: str) -> Method:
    """DnCNN-B's shape, whose answer means nothing: the noisy picture comes back."""
    import torch

    from durr.baselines.dncnn import DnCNN, apply

    net = DnCNN(channels, torch.Generator().manual_seed(0)).to(device)

    def restore(noisy: Float32[np.ndarray, "row col *channel"], sigma: float) -> Answer:
        batch = torch.from_numpy(np.atleast_3d(noisy)).permute(2, 0, 1)[None]
        apply(net, batch.to(device), precision).cpu()  # back on the host, as a user gets it: the clock waits for it
        return Answer(noisy)

    return restore
