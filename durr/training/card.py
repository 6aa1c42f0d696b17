"""The card of a trained model: from what, how and where it was made, and what it reached; JSON beside its weights."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from durr.model import RestorationModel

PACKAGES = ("pdenet-durr", "torch", "numpy")


def model_card(
    model: RestorationModel,
    weights: Path,
    *,
    command: str,
    settings: Mapping[str, Any],
    pictures: Sequence[Path],
    figures: Mapping[str, Any],
) -> dict[str, Any]:
    """What one must know to trust a model or to make it again.

    weights: its file, told by its digest. pictures: what it was trained on, told by one digest over all files in
    order. figures: what was measured during the training, by name.
    """
    return {
        "weights": {"file": weights.name, "sha256": digest([weights]), "parameters": model.parameters},
        "stopping_rule": model.rule.kind,
        "data": {"pictures": len(pictures), "sha256": digest(pictures)},
        "command": command,
        "settings": dict(settings),
        "machine": f"{platform.machine()}, {platform.system()}, {torch.get_num_threads()} threads",
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "figures": dict(figures),
    }


def digest(files: Sequence[Path]) -> str:
    """SHA-256 over the contents of files, in order."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()
