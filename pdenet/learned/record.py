"""The record of a run of `learn`, equation.json: what was found, how sure that is, and from what data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.varying.equation import VaryingEquation
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Factor, is_velocity
from pdenet.fields.field import Boundary, Field

FILE = "equation.json"
METRICS = "metrics.json"  # beside it: how well the equations do, and all that were weighed
FORMAT = 1  # of the record; a program that knows only lower ones could misread it
DIGEST = "sha256"  # the key of the digest of all others


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """The data that a model was learnt from, space in array order.

    shape, origin, boundary: grid points, first point and boundary of each space axis. ranges: least and largest value
    of each variable.
    """

    shape: tuple[int, ...]
    origin: tuple[float, ...]
    boundary: tuple[Boundary, ...]
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, field: Field, *others: Field) -> TrainedOn:
        """What there is to know of a field once it is gone, and the ranges of others; gaps are left out of these."""
        ranges = {}
        for name in field.names:
            values = [one.values[:, :, one.names.index(name)] for one in (field, *others)]
            ranges[name] = (float(min(map(np.nanmin, values))), float(max(map(np.nanmax, values))))
        return cls(shape=field.space_shape, origin=field.origin, boundary=field.boundary, ranges=ranges)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TrainedOn:
        """Inverse of `dataclasses.asdict`."""
        return cls(
            shape=tuple(map(int, record["shape"])),
            origin=tuple(map(float, record["origin"])),
            boundary=tuple(record["boundary"]),
            ranges={name: (float(low), float(high)) for name, (low, high) in record["ranges"].items()},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """Equations with their uncertainty, and the data they are from.

    dt, dx: steps of the data. covariance: of all coefficients, those of the first equation first, each equation's in
    the order of its terms; None if it was not estimated. data: None in records from before it was kept. known:
    variables of the data that are inputs without an equation.
    """

    equations: tuple[Equation, ...] | tuple[VaryingEquation, ...]
    recipe: str
    dt: float
    dx: tuple[float, ...]
    covariance: Float64[np.ndarray, "coefficient coefficient_"] | None = None
    data: TrainedOn | None = None
    known: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.covariance is None:
            return
        n = sum(len(equation.terms) for equation in self.equations)
        if self.covariance.shape != (n, n):
            raise ValueError(f"a covariance of shape {self.covariance.shape} for {n} coefficients")

    @property
    def has_fields(self) -> bool:
        """Whether coefficients are fields, or a source is a curve."""
        return any(isinstance(equation, VaryingEquation) for equation in self.equations)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in the order of their equations."""
        return tuple(equation.variable for equation in self.equations)

    @property
    def measured(self) -> tuple[str, ...]:
        """The variables that the data hold: those of the equations, u for an equation of u_tt."""
        return tuple(Factor(name).measured for name in self.names)

    @property
    def time_order(self) -> Literal[1, 2]:
        """Of the time derivatives on the left."""
        return 2 if any(map(is_velocity, self.names)) else 1

    def as_dict(self) -> dict[str, Any]:
        """The record with its digest, as plain values."""
        record = {
            "format": FORMAT,
            "equations": [equation.as_dict() for equation in self.equations],
            "recipe": self.recipe,
            "dt": self.dt,
            "dx": list(self.dx),
            "covariance": None if self.covariance is None else self.covariance.tolist(),
            "data": None if self.data is None else json.loads(json.dumps(asdict(self.data))),
            **({"known": list(self.known)} if self.known else {}),
        }
        return record | {DIGEST: digest(record)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Learned:
        """Inverse of `as_dict`; also reads the records of earlier versions, which hold less."""
        covariance, data = record.get("covariance"), record.get("data")
        return cls(
            equations=tuple(
                VaryingEquation.from_dict(row) if "fields" in row else Equation.from_dict(row)
                for row in record["equations"]
            ),
            recipe=str(record["recipe"]),
            dt=float(record["dt"]),
            dx=tuple(map(float, record["dx"])),
            covariance=None if covariance is None else _square(covariance),
            data=None if data is None else TrainedOn.from_dict(data),
            known=tuple(record.get("known", ())),
        )


def _square(rows: list[list[float]]) -> Float64[np.ndarray, "coefficient coefficient_"]:
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(rows))


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record without its own digest; the same however the file is laid out."""
    rest = {key: value for key, value in record.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, allow_nan=False).encode()).hexdigest()
