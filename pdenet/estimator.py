"""The estimator: a field in, the discovered equation out, and forecasts by that very equation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from backbone.device import resolve_device
from backbone.errors import InputError, UsageError
from backbone.options import spelt_out
from pdenet.discovery.discover import Discovery, discover
from pdenet.discovery.discover_together import discover_together
from pdenet.discovery.doubts import raise_doubts
from pdenet.discovery.holdout import check_share
from pdenet.discovery.options import EquationOptions
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.time_order import ORDERS
from pdenet.discovery.together import demand_alike
from pdenet.discovery.varying.options import Varying
from pdenet.discovery.velocities import with_velocities
from pdenet.equations.equation import Equation
from pdenet.equations.printing import format_equations
from pdenet.fields.field import Field
from pdenet.fields.memory import Memory
from pdenet.learned.record import Learned, TrainedOn
from pdenet.network.paper import PaperResult, train_paper
from pdenet.network.rollout import roll_network
from pdenet.readers.options import ReadOptions
from pdenet.readers.reader import Source, read
from pdenet.readers.several import read_all
from pdenet.simulation.spectral import solve

RECIPES = ("default", "paper")


def check_time_order(time_order: str, recipe: str) -> None:
    """Raise UsageError for an order in time that there is not, or that the recipe has not."""
    if time_order not in ORDERS:
        raise UsageError(f"'{time_order}' is no order in time", where="--time-order", cure="--time-order auto, 1 or 2")
    if time_order == "2" and recipe == "paper":
        raise UsageError(
            "the paper's recipe knows first derivatives in time only", where="--time-order", cure="--recipe default"
        )


def check_recipe(recipe: str) -> None:
    """Raise UsageError for a recipe there is not."""
    if recipe not in RECIPES:
        raise UsageError(f"unknown recipe '{recipe}'", where="--recipe", cure=f"--recipe {RECIPES[0]}")


@dataclass(kw_only=True, eq=False)
class PDENet(EquationOptions):
    """Learns the equations u_t = F(u, u_x, ...) of a field, or u_tt = F(u, u_t, u_x, ...), and prints them.

    After `fit`: equation_ (text), equations_, noise_ (standard deviation by variable), heldout_error_ (relative RMS
    error of roll-outs on data not used), seconds_, learned_ (the record for forecasts), sample_ (the field, or
    stretches of one that is larger than memory), and discovery_ or paper_ with all that was found on the way.
    """

    def check(self, field: Field, *others: Field) -> dict[int, Restrictions]:
        """What the options say of the equations of this field, by their order in time, the one to ask for first.

        Raises UsageError for a word that has no meaning there, InputError if other fields are not alike.
        """
        check_recipe(self.recipe)
        demand_alike((field, *others))
        if others and self.known:
            raise UsageError("inputs are known on one grid only", where="--known", cure="put all runs on one grid")
        field = self._with_inputs(field)
        if others and self.recipe == "paper":
            raise UsageError(
                "the paper's recipe learns from one grid: its filters are made for it",
                where="--recipe paper",
                cure="--recipe default, or data on one grid",
            )
        check_time_order(self.time_order, self.recipe)
        check_share(self.holdout)
        named = {"--fix": self.fix, "--forbid": self.forbid, "--terms": self.terms, "--max-terms": self.max_terms}
        named["--known"] = self.known
        given = [option for option, value in named.items() if value is not None]
        if given and self.recipe == "paper":
            raise UsageError(f"the paper's recipe has no place for {given[0]}", where=given[0], cure="--recipe default")
        asked = (1, 2) if self.time_order == "auto" else (int(self.time_order),)
        found: dict[int, Restrictions] = {}
        wrong: list[UsageError] = []  # words for u_t make no sense of u_tt, and the other way round
        for time_order in asked:
            try:
                found[time_order] = self._restrictions(replace(field, time_order=time_order))
            except UsageError as error:
                wrong.append(error)
        if not found:
            raise wrong[0]
        return found

    def _with_inputs(self, field: Field) -> Field:
        """The field with its inputs named; UsageError for variables that it does not have."""
        return replace(field, known=Varying.read(field, known=self.known).known)

    def _restrictions(self, field: Field) -> Restrictions:
        """For equations of one order in time."""
        restrictions = Restrictions.read(
            field.state_names,
            field.axes,
            fix=self.fix,
            forbid=self.forbid,
            terms=self.terms,
            max_terms=self.max_terms,
            evolved=field.evolved,
        )
        if restrictions.name_all(field.evolved) and (self.order or self.degree):
            raise UsageError(
                "--terms names the candidates of every equation: no order or degree bounds them",
                where="--terms, --order, --degree",
                cure="leave out --order and --degree",
            )
        return restrictions

    def fit(
        self,
        field: Field | Sequence[Field],
        *,
        progress: Callable[[str], None] = lambda text: None,
        checkpoint: Path | None = None,
    ) -> PDENet:
        """Learn from all runs of the field, or from several fields on grids of their own; returns self.

        checkpoint: a folder in which the paper's recipe keeps its last stage, to go on from there when called again.
        Raises UsageError on wrong options, InputError on unusable data, CannotTell where the data do not decide the
        equations; what was found all the same is then in discovery_, with the doubts.
        """
        several = (field,) if isinstance(field, Field) else tuple(field)
        field = several[0]
        asked = self.check(*several)
        device = resolve_device(self.device)
        begun = time.perf_counter()
        self.discovery_: Discovery | None = None
        self.paper_: PaperResult | None = None
        if self.recipe == "default":
            self.discovery_ = self._discover(several, asked, device, progress)
            self.equations_: tuple[Equation, ...] = self.discovery_.equations
        else:
            self.paper_ = train_paper(
                field,
                blocks=self.blocks,
                order=self.order or 2,
                seed=self.seed,
                device=device,
                progress=progress,
                checkpoint=checkpoint,
            )
            self.equations_ = self.paper_.equations
        self.sample_ = field if self.discovery_ is None else self.discovery_.data
        self.noise_ = dict(self.discovery_.noise) if self.discovery_ else {}
        self.heldout_error_ = self.discovery_.heldout_error if self.discovery_ else float("nan")
        self.learned_ = Learned(
            equations=self.equations_,
            recipe=self.recipe,
            dt=field.dt,
            dx=field.dx,
            covariance=None if self.discovery_ is None else self.discovery_.covariance,
            data=TrainedOn.of(self.sample_, *several[1:]),
            known=self.sample_.known,
        )
        self.seconds_ = time.perf_counter() - begun
        if self.discovery_ is not None:
            raise_doubts(self.discovery_.doubts, field.source)
        return self

    def _discover(
        self,
        several: Sequence[Field],
        asked: Mapping[int, Restrictions],
        device: torch.device,
        progress: Callable[[str], None],
    ) -> Discovery:
        """By the default recipe, of one field or of several together. asked: restrictions by order in time."""
        (time_order, restrictions), *others = asked.items()
        fields = [replace(self._with_inputs(one), time_order=time_order) for one in several]
        learn = partial(discover, fields[0]) if len(fields) == 1 else partial(discover_together, fields)
        return learn(
            order=self.order,
            degree=self.degree,
            restrictions=restrictions,
            second=others[0][1] if others else None,
            holdout=self.holdout,
            memory=Memory.of(self.memory),
            seed=self.seed,
            device=device,
            progress=progress,
        )

    @property
    def equation_(self) -> str:
        """The equations as text, one per line."""
        return format_equations(self.equations_, "text")

    def predict(self, field: Field, steps: int) -> Field:
        """The `steps` snapshots after the field's last one.

        By the printed equations at full digits; after the paper's recipe by the learned filters and network, in steps
        of forward Euler, since its printed equations leave out small terms that keep them well-posed.

        Where u_tt was learnt, the velocities of the last snapshot are taken from those before it.

        Raises InputError on other variables than were learnt or walls, Diverged if the equations blow up.
        """
        times = (field.dt * np.arange(steps + 1)).tolist()
        values = self._solve(field, -1, times)
        return replace(field, values=values[:, 1:], t0=field.t0 + field.dt * field.n_times)

    def roll_out(self, field: Field) -> Field:
        """The forecast from the field's first snapshots to its end. Raises InputError and Diverged like `predict`."""
        return replace(field, values=self._solve(field, 0, (field.dt * np.arange(field.n_times)).tolist()))

    def score(self, field: Field) -> float:
        """R^2 of the forecast from the field's first snapshots: 1 is perfect, 0 no better than the mean."""
        left = np.sum((self.roll_out(field).values - field.values) ** 2)
        return float(1.0 - left / np.sum((field.values - field.values.mean()) ** 2))

    def _solve(self, field: Field, at: int, times: list[float]) -> Float64[np.ndarray, "run time channel *space"]:
        """The measured variables at times after one snapshot of the field."""
        names = self.learned_.measured
        if field.names != names:
            raise InputError(
                f"the field has the variables {', '.join(field.names)}; learnt were {', '.join(names)}",
                where=field.source,
                cure=f"read it with variables={list(names)}",
            )
        device = resolve_device(self.device)
        if self.paper_ is not None:
            return roll_network(
                self.paper_.model, field.values[:, at], dt=field.dt, steps=range(len(times)), device=device
            )
        if "none" in field.boundary:
            raise InputError(
                "forecasts need periodic boundaries", where=field.source, cure="read it with boundary='periodic'"
            )
        state = with_velocities(replace(field, time_order=self.learned_.time_order))
        values = solve(
            [equation.to_text(digits=None) for equation in self.equations_],
            state.values[:, at],
            lengths=tuple(map(float, field.lengths)),
            names=state.names,
            times=times,
            device=device,
        )
        return values[:, :, : len(names)]


@spelt_out
def fit(data: Field | Source | Sequence[Field | Source], *, model: PDENet) -> PDENet:
    """Learn the equations of a field, of a file, of an xarray.Dataset, or of several, by the options of `PDENet`.

    Grids, steps and lengths in time of several may differ; their variables may not. Files that need words of their own
    are read first: `fit([read("a.mat", dims="x,t"), read("b.npz")])`.
    """
    several = list(data) if isinstance(data, list | tuple) else [data]
    if any(isinstance(one, Field) for one in several):
        return model.fit([one if isinstance(one, Field) else read(one, memory=model.memory) for one in several])
    return model.fit(read_all(several, ReadOptions(), memory=model.memory))
