"""Many fields as one: layers that differ in their weights only, worked out in one call for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        joined: Field = type(first)(*[None if part[0] is None else stack_fields(part, starts) for part in parts])
        return joined
    if all(field is first for field in fields):
        return _Stacked(first, [{}] * len(fields), starts)
    weighted = [_weighted(field) for field in fields]
    _demand_equal([_structure(field.module) for field in weighted])
    return _Stacked(weighted[0].module, [field.weights for field in weighted], starts)


class _Stacked:
    """Slab k takes the weights of step k and the time starts[k] + t."""

    def __init__(self, field: Field, weights: Sequence[Weights], starts: Sequence[float]) -> None:
        self.field = field
        self.theta = {name: torch.stack([entry[name] for entry in weights]) for name in weights[0]}
        device = next((tensor.device for tensor in self.theta.values()), None)
        self.starts = torch.tensor(starts, dtype=torch.float64, device=device)

    def __call__(self, t: float, y: Tensor) -> Tensor:
        slabs = y.reshape(len(self.starts), -1, *y.shape[1:])
        slopes: Tensor = vmap(self._one)(self.theta, (self.starts + t).to(y), slabs)
        return slopes.flatten(0, 1)

    def _one(self, theta: Weights, t: Float[Tensor, ""], y: Tensor) -> Tensor:
        return Weighted(self.field, theta)(t, y) if isinstance(self.field, nn.Module) else self.field(t, y)


def _weighted(field: Field) -> Weighted:
    """The field with its weights by name."""
    if isinstance(field, Weighted):
        return field
    if not isinstance(field, nn.Module):
        raise UsageError(
            f"a {type(field).__name__} for each step shows no weights to stack",
            where="Dynamics.stacked",
            cure="write the layer as an nn.Module, or use solve=Sequential()",
        )
    return Weighted(field, dict(field.named_parameters()) | dict(field.named_buffers()))


def _structure(module: nn.Module) -> object:
    """All of a module but the values of its weights: kinds, settings and shapes."""
    settings = [
        (type(part), {name: entry for name, entry in vars(part).items() if not name.startswith("_")})
        for part in module.modules()
    ]
    return settings, {name: tensor.shape for name, tensor in _weighted(module).weights.items()}


def _demand_equal(entries: Sequence[object]) -> None:
    for step, entry in enumerate(entries):
        if entry != entries[0]:
            raise UsageError(
                f"the fields of steps 0 and {step} differ in more than their weights",
                where="Dynamics.stacked",
                cure="use layers of one kind, or solve=Sequential()",
            )
