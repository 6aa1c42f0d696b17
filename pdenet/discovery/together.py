"""Data on several grids that obey one equation: their rows stand under each other, whatever dx, dt and shapes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.fields.field import Field
from pdenet.fields.noise import noise_by_run


@dataclass(frozen=True, eq=False)
class Together:
    """Fields of the same variables along the same axes, each on its own grid. noise: of each, "run channel"."""

    fields: tuple[Field, ...]
    noise: tuple[Float64[np.ndarray, "run channel"], ...]

    @classmethod
    def of(cls, fields: Sequence[Field]) -> Together:
        """Fields with the noise that is seen in them. Raises InputError for other variables or numbers of axes."""
        demand_alike(fields)
        return cls(tuple(fields), tuple(noise_by_run(field) for field in fields))

    @property
    def state_names(self) -> tuple[str, ...]:
        """The variables of the state."""
        return self.fields[0].state_names

    @property
    def evolved(self) -> tuple[str, ...]:
        """The variables whose equations are not known."""
        return self.fields[0].evolved

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the space axes."""
        return self.fields[0].axes

    @property
    def source(self) -> str:
        """Where the data are from."""
        return ", ".join(dict.fromkeys(field.source for field in self.fields))

    def of_time_order(self, time_order: Literal[1, 2]) -> Together:
        """The same data, looked at as values or as values and velocities."""
        return Together(tuple(replace(field, time_order=time_order) for field in self.fields), self.noise)


def demand_alike(fields: Sequence[Field]) -> None:
    """InputError unless one equation can be about all fields."""
    first = fields[0]
    for other in fields[1:]:
        if sorted(other.names) != sorted(first.names):
            raise InputError(
                f"the variables differ: {', '.join(first.names)} in {first.source}, {', '.join(other.names)} in "
                f"{other.source}",
                where=other.source,
                cure="fit fields of the same names, such as read(path, variables='u')",
            )
        if other.n_dims != first.n_dims:
            raise InputError(
                f"{first.n_dims} space axes in {first.source}, {other.n_dims} in {other.source}: one equation has "
                "the same derivatives everywhere",
                where=other.source,
                cure="learn from each by itself",
            )


def in_one_order(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields with their variables in the order of the first one's."""
    demand_alike(fields)
    names = fields[0].names
    return tuple(
        field
        if field.names == names
        else replace(field, values=field.values[:, :, [field.names.index(name) for name in names]], names=names)
        for field in fields
    )
