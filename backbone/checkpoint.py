"""States on disk: nested dicts, lists and numbers with tensors among them, in one safetensors file.

The tensors are stored by number; the tree around them and the kind of the state are JSON in the file's metadata,
after a SHA-256 of everything. No pickle: loading runs no code. The file is written to a temporary name, fsynced and
renamed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from backbone.atomic import write_atomic
from backbone.errors import ModelError

HEADER = "pdenet-durr"  # the one metadata key: a foreign file has none
DIGEST_LENGTH = 64  # hexadecimal digits of SHA-256, in front of the tree


def save_state(path: Path, state: Mapping[str, Any], *, kind: str) -> None:
    """Write a state: dicts, lists, tuples, numbers, strings, None and tensors (optimiser states among them).

    kind: what the state is for, demanded again by `load_state`. Raises TypeError for anything else in the tree.
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps({"kind": kind, "state": _encode(state, tensors)}, allow_nan=False)
    write_atomic(path, save(tensors, metadata={HEADER: _digest(tree, tensors) + tree}))


def load_state(path: Path, *, kind: str, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a state written by `save_state`, its tensors on `device`.

    Raises ModelError for a file that is missing, damaged, foreign or of another kind.
    """
    content, tensors = _verified(path)
    if content["kind"] != kind:
        raise ModelError(f"this file holds a {content['kind']} state", where=str(path), cure=f"give a {kind} file")
    state: dict[str, Any] = _decode(content["state"], {name: tensor.to(device) for name, tensor in tensors.items()})
    return state


def state_kind(path: Path) -> str:
    """What the state of a file is for. Raises ModelError for a file that is missing, damaged or foreign."""
    kind: str = _verified(path)[0]["kind"]
    return kind


def _verified(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The tree of a file with its kind, and its tensors, as they were written."""
    header, tensors = _read(path)
    digest, tree = header[:DIGEST_LENGTH], header[DIGEST_LENGTH:]
    if digest != _digest(tree, tensors):
        raise ModelError("the file is damaged", where=str(path), cure="get or train it again")
    content: dict[str, Any] = json.loads(tree)
    return content, tensors


def _read(path: Path) -> tuple[str, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file is no dict
    except FileNotFoundError as error:
        raise ModelError("there is no such file", where=str(path), cure="check the path") from error
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise ModelError(f"cannot read the file: {error}", where=str(path), cure="get or train it again") from error
    if HEADER not in metadata:
        raise ModelError("this file was not written here", where=str(path), cure="give a file of pdenet-durr")
    return metadata[HEADER], tensors


def _encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """JSON for a tree; what JSON cannot tell becomes a dict with one key that starts with $."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"$tensor": name}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _encode(entry, tensors) for key, entry in value.items()}
        return {"$items": [[_encode(key, tensors), _encode(entry, tensors)] for key, entry in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [_encode(entry, tensors) for entry in value]}
    if isinstance(value, list):
        return [_encode(entry, tensors) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state cannot hold a {type(value).__name__}")


def _decode(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(tree, list):
        return [_decode(entry, tensors) for entry in tree]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"$tensor": name}:
            return tensors[name]
        case {"$items": items}:
            return {_decode(key, tensors): _decode(entry, tensors) for key, entry in items}
        case {"$tuple": entries}:
            return tuple(_decode(entry, tensors) for entry in entries)
        case {"$float": text}:
            return float(text)
    return {key: _decode(entry, tensors) for key, entry in tree.items()}


def _digest(tree: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(tree.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
