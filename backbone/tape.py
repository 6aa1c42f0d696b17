"""Autograd's tape, looked at from outside: which leaves a result hangs on, and how many bytes it keeps."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

ResultT = TypeVar("ResultT")


def leaves(results: Sequence[Tensor]) -> list[Tensor]:
    """The leaves with a gradient that the results were computed from, each once."""
    found = {id(result): result for result in results if result.is_leaf and result.requires_grad}
    nodes = [result.grad_fn for result in results if result.grad_fn is not None]
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        if node.name() == "torch::autograd::AccumulateGrad":
            leaf = node.variable  # type: ignore[attr-defined]
            found[id(leaf)] = leaf
        for upstream, _ in node.next_functions:
            if upstream is not None and upstream not in seen:
                seen.add(upstream)
                nodes.append(upstream)
    return list(found.values())


@dataclass(frozen=True, eq=False)
class _Kept:
    """A tensor in the hands of the tape; gone with the last node that asks for it."""

    tensor: Tensor


def saved_bytes(run: Callable[[], ResultT], *, besides: Iterable[Tensor] = ()) -> tuple[ResultT, int]:
    """What run() returns, and the bytes of the tensors that its tape then keeps, each counted once.

    besides: tensors that are kept anyway, as weights are, and do not count.
    """
    own = {tensor.data_ptr() for tensor in besides}
    handed_out: list[weakref.ref[_Kept]] = []

    def pack(tensor: Tensor) -> _Kept:
        kept = _Kept(tensor.detach())  # with its history a result would hold the node that holds it
        handed_out.append(weakref.ref(kept))
        return kept

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
        result = run()
    alive = [kept.tensor for reference in handed_out if (kept := reference()) is not None]
    once = {(tensor.data_ptr(), tensor.numel()): tensor for tensor in alive if tensor.data_ptr() not in own}
    return result, sum(tensor.numel() * tensor.element_size() for tensor in once.values())
