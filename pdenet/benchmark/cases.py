"""A row of `bench pde`: data whose equation is known, the bound on its error, and the peer's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pdenet.equations.equation import Equation
from pdenet.simulation.noise import NoiseDefinition

_NOT_THE_EQUATION = ("pdenet-burgers",)  # its scheme's truncation is larger than the noise
_TOO_LARGE = ("lambda-omega",)  # 33 000 unknown starting values: the bound takes 6 GB and ten minutes


@dataclass(frozen=True, kw_only=True)
class Weak:
    """How PySINDy looks at a row: the smallest library that holds the truth, and the domains of its weak form.

    degree, order, interaction: of the library. domains: their number per run (K). width, duration: half of a domain's
    extent as a share of the box and of the time (H). power: of the test functions (p). every: snapshots kept of the
    weak form's data, one in so many.
    """

    degree: int
    order: int
    interaction: bool = True
    domains: int
    width: float
    duration: float
    power: int
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """Data with a known equation. source: a name of the catalogue, or a .mat file of the folder `--data`.

    noise: share of a deviation, that of each run's first snapshot ("sample") or that of all the data ("set"); a noisy
    row is run once per seed. mean_bound, max_bound: largest error allowed, in percent, of the median over seeds.
    weak: None where PySINDy is not run, such as for u_tt.
    """

    name: str
    source: str
    truth: tuple[str, ...]
    mean_bound: float
    weak: Weak | None
    max_bound: float | None = None
    noise: float = 0.0
    noise_def: NoiseDefinition = "sample"
    note: str = ""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The truth."""
        return tuple(Equation.parse(text) for text in self.truth)

    @property
    def facts(self) -> dict[str, Any]:
        """What the file of results says about the row."""
        return {
            "truth": list(self.truth),
            "mean_bound": self.mean_bound,
            "max_bound": self.max_bound,
            "noise": self.noise,
            "noise_def": self.noise_def,
            "note": self.note,
        }

    @property
    def has_limit(self) -> bool:
        """Whether the Cramer-Rao bound holds and can be had: the data are the true equation's, and noise."""
        return self.noise > 0 and not self.is_file and self.source not in (*_NOT_THE_EQUATION, *_TOO_LARGE)

    def noisy(self, noise: float, noise_def: NoiseDefinition, mean_bound: float, note: str = "") -> Row:
        """The same data with noise, under the row's name with its per cent."""
        return replace(
            self,
            name=f"{self.name}-noise-{100 * noise:g}",
            noise=noise,
            noise_def=noise_def,
            mean_bound=mean_bound,
            note=note or self.note,
        )

    @property
    def is_file(self) -> bool:
        """Whether the data are a public file that must be at hand."""
        return self.source.endswith(".mat")
