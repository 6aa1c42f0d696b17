"""Many fields as one: layers that differ in their weights only, worked out in one call for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from backbone.errors import UsageError

Field = Callable[[Any, Tensor], Tensor]  # of a time, a number or a tensor of one, and a state
Weights = Mapping[str, Tensor]


@runtime_checkable
class Compound(Protocol):
    """A field made of parts, which type(field)(*parts) puts together again; a part that is not there is None."""

    def __call__(self, t: float, y: Tensor, /) -> Tensor: ...

    def parts(self) -> tuple[Field | None, ...]: ...


class Weighted:
    """A module as a field, with other weights than its own."""

    def __init__(self, module: nn.Module, weights: Weights) -> None:
        self.module = module
        self.weights = dict(weights)

    def __call__(self, t: Any, y: Tensor) -> Tensor:
        slope: Tensor = functional_call(self.module, self.weights, (t, y))
        return slope


def stack_fields(fields: Sequence[Field], starts: Sequence[float]) -> Field:
    """One field for the steps that begin at `starts`, with the structure that the fields share.

    Its state holds the batches of the steps one after another, "slab*batch *state", and its time counts from the
    beginning of each step: any one-step scheme takes all steps at once, from 0 to their common length. A field is
    called under vmap, with its time as a tensor. Raises UsageError for fields that differ in more than weights.
    """
    first = fields[0]
    if isinstance(first, Compound):
        _demand_equal([type(field) for field in fields])
        parts = zip(*[field.parts() for field in fields if isinstance(field, Compound)], strict=True)
        return _joined(first, [None if part[0] is None else stack_fields(part, starts) for part in parts])
    times = torch.tensor(starts, dtype=torch.float64)
    if all(field is first for field in fields):
        return Stack(first, {}, times)
    return Stack(*_weights(fields), times)


class Stack:
    """Slab k takes the weights theta[name][k] and the time starts[k] + t; without theta all share the field's own."""

    def __init__(self, field: Field, theta: Weights, starts: Float[Tensor, " slab"]) -> None:
        self.field = field
        self.theta = dict(theta)
        self.starts = starts

    def __call__(self, t: float, y: Tensor) -> Tensor:
        slabs = y.reshape(len(self.starts), -1, *y.shape[1:])
        slopes: Tensor = vmap(self._one)(self.theta, (self.starts + t).to(y), slabs)
        return slopes.flatten(0, 1)

    def _one(self, theta: Weights, t: Float[Tensor, ""], y: Tensor) -> Tensor:
        return Weighted(self.field, theta)(t, y) if isinstance(self.field, nn.Module) else self.field(t, y)


def stacks(field: Field) -> list[Stack]:
    """The stacks that a field from `stack_fields` is made of."""
    if isinstance(field, Compound):
        return [stack for part in field.parts() if part is not None for stack in stacks(part)]
    assert isinstance(field, Stack)
    return [field]


def rows(field: Field, which: slice) -> Field:
    """Some of the steps of a stacked field."""

    def fewer(stack: Stack) -> Stack:
        theta = {name: weight[which] for name, weight in stack.theta.items()}
        return Stack(stack.field, theta, stack.starts[which])

    return _changed(field, fewer)


def holding(field: Field, tensors: Iterable[Tensor]) -> Field:
    """A stacked field with other weights, in the order in which `stacks` and their theta have them."""
    left = iter(tensors)
    return _changed(field, lambda stack: Stack(stack.field, {name: next(left) for name in stack.theta}, stack.starts))


def _changed(field: Field, change: Callable[[Stack], Stack]) -> Field:
    if isinstance(field, Compound):
        return _joined(field, [None if part is None else _changed(part, change) for part in field.parts()])
    assert isinstance(field, Stack)
    return change(field)


def _joined(like: Compound, parts: Sequence[Field | None]) -> Field:
    joined: Field = type(like)(*parts)
    return joined


def _weights(fields: Sequence[Field]) -> tuple[nn.Module, Weights]:
    """The module that all fields are but for their weights, and those, stacked by name."""
    first = fields[0]
    if isinstance(first, Weighted):
        weighted = [field for field in fields if isinstance(field, Weighted)]
        _demand_equal([field.module for field in weighted])
        return first.module, {name: torch.stack([w.weights[name] for w in weighted]) for name in first.weights}
    if not isinstance(first, nn.Module):
        raise UsageError(
            f"a {type(first).__name__} for each step shows no weights to stack",
            where="Dynamics.stacked",
            cure="write the layer as an nn.Module, or use solve=Sequential()",
        )
    _demand_equal([_Structure(field) for field in fields])
    names = [name for name, _ in (*first.named_parameters(), *first.named_buffers())]
    return first, {name: torch.stack(list(map(attrgetter(name), fields))) for name in names}


class _Structure:
    """All of a module but the values of its weights: kinds and settings of its parts, shapes."""

    def __init__(self, module: Field) -> None:
        self.module = module

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Structure) and _alike(self.module, other.module)

    __hash__ = None  # type: ignore[assignment]


def _alike(a: object, b: object) -> bool:
    """Runs over every layer of a net at every solve: hence vars(), which nn.Module's own iterators are slow beside."""
    if a is b:
        return True
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape
    if not isinstance(a, nn.Module) or type(a) is not type(b):
        return type(a) is type(b) and a == b
    mine, other = vars(a), vars(b)
    parts = [(mine[kind], other[kind]) for kind in ("_parameters", "_buffers", "_modules")]
    return all(_alike(entry, other.get(name)) for name, entry in mine.items() if name[0] != "_") and all(
        one.keys() == two.keys() and all(_alike(entry, two[name]) for name, entry in one.items()) for one, two in parts
    )


def _demand_equal(entries: Sequence[object]) -> None:
    for step, entry in enumerate(entries):
        if entry != entries[0]:
            raise UsageError(
                f"the fields of steps 0 and {step} differ in more than their weights",
                where="Dynamics.stacked",
                cure="use layers of one kind, or solve=Sequential()",
            )
