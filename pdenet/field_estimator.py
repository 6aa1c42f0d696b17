"""The estimator for equations with fields for coefficients: a field in, coefficient maps and a source curve out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backbone.device import resolve_device
from backbone.errors import InputError
from pdenet.discovery.options import FieldOptions
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.varying.discover import VaryingDiscovery, discover_varying
from pdenet.discovery.varying.options import Varying
from pdenet.fields.field import Field
from pdenet.learned.record import Learned, TrainedOn
from pdenet.simulation.spectral import solve


@dataclass(kw_only=True, eq=False)
class FieldPDENet(FieldOptions):
    """Learns u_t = sum_q c_q(x, y, t) D_q u + f(u), the setting of PDE-Net (Long, Lu, Ma, Dong, ICML 2018).

    After `fit`: equation_ (text, c(x, y) for a field without a short formula), equations_ with values, standard errors
    and formulas of every coefficient, noise_, seconds_, and discovery_ with all of it.
    """

    def check(self, field: Field, *others: Field) -> tuple[Varying, Restrictions]:
        """What the options say of this field. Raises UsageError for words without a meaning, InputError for others."""
        if others:
            raise InputError(
                f"coefficients that vary are fields on one grid; {others[0].source} has another than {field.source}",
                where=others[0].source,
                cure="learn from the files of one grid, or bring all to the same one",
            )
        options = Varying.read(field, varying=self.varying, source=self.source, known=self.known)
        return options, Restrictions.read(field.names, field.axes, terms=self.terms, forbid=self.forbid)

    def fit(self, field: Field, *, progress: Callable[[str], None] = lambda text: None) -> FieldPDENet:
        """Learn from all runs of the field; returns self. Raises UsageError on wrong options, InputError on unusable
        data."""
        options, restrictions = self.check(field)
        begun = time.perf_counter()
        self.discovery_: VaryingDiscovery = discover_varying(
            field,
            options,
            order=self.order,
            restrictions=restrictions,
            seed=self.seed,
            device=resolve_device(self.device),
            progress=progress,
        )
        self.equations_ = self.discovery_.equations
        self.noise_ = dict(self.discovery_.noise)
        self.learned_ = Learned(
            equations=self.equations_,
            recipe="fields",
            dt=field.dt,
            dx=field.dx,
            data=TrainedOn.of(field),
            known=options.known,
        )
        self.seconds_ = time.perf_counter() - begun
        return self

    @property
    def equation_(self) -> str:
        """The equations as text, one per line."""
        return "\n".join(equation.to_text() for equation in self.equations_)

    @property
    def full_equation_(self) -> str:
        """The equations with every field as its series at all digits, as `simulate` and `predict` run them."""
        return "\n".join(equation.to_text(None) for equation in self.equations_)

    def predict(self, field: Field, steps: int) -> Field:
        """The `steps` snapshots after the field's last one, by `full_equation_` on a periodic box.

        Raises InputError where there are walls, known inputs, or a first grid point that is not the origin.
        """
        names = tuple(equation.variable for equation in self.equations_)
        reasons = {
            "walls": "none" in field.boundary,
            "inputs whose future is not known": field.names != names,
            "a grid that does not begin at 0": any(field.origin),
        }
        for reason, holds in reasons.items():
            if holds:
                raise InputError(f"no forecast with {reason}", where=field.source, cure="use a periodic box from 0 on")
        times = field.t0 + field.dt * (field.n_times - 1 + np.arange(steps + 1))
        values = solve(
            self.full_equation_.splitlines(),
            field.values[:, -1],
            lengths=tuple(map(float, field.lengths)),
            names=names,
            times=times.tolist(),
            device=resolve_device(self.device),
        )
        return Field(
            values=values[:, 1:],
            dt=field.dt,
            dx=field.dx,
            names=names,
            boundary=field.boundary,
            t0=float(times[1]),
            source="predict",
        )
