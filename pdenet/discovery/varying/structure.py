"""Which terms an equation has, along which axes their coefficients vary, and how smoothly: all by left-out data.

A part of an equation stays if what it explains of left-out blocks is surely more than nothing, and more than what the
equation leaves unexplained beyond noise. How smooth a coefficient is has the least left-out error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.varying.basis import AxisBasis
from pdenet.discovery.varying.crossvalidation import CrossValidation
from pdenet.discovery.varying.design import Design, Levels, Structure, make_design
from pdenet.discovery.varying.moments import Moments
from pdenet.fields.noise import NORMAL_MAD

LADDER = (0, 1, 2, 3, 4, 6, 8, 11, 15, 21, 28)  # levels that are tried: the next is about a third higher
MAX_UNKNOWNS = 1500  # of one fit: a few seconds
SURE = 2.0  # standard errors of the gain on left-out blocks, which a term four standard errors from zero brings

NUMERICAL = 1e-9  # share of the mean square of a clean time derivative that quadrature and rounding may explain
PATIENCE = 3  # levels in a row that may bring nothing before rougher ones are given up: cos 3x has no lower ones
OUTLYING = 3.0  # standard deviations at which a block's gain is cut off


@dataclass(frozen=True)
class Scored:
    """A structure and its errors on left-out blocks, in units of the mean square of the time derivative."""

    structure: Structure
    errors: Float64[np.ndarray, " block"]

    @property
    def mean(self) -> float:
        """Over the blocks."""
        return float(self.errors.mean())


def worth(simple: Float64[np.ndarray, " block"], rich: Float64[np.ndarray, " block"], price: float = 1.0) -> bool:
    """Whether the richer of two structures is worth its further parts: it surely explains more, and by more than the
    share `price` of what it leaves unexplained itself."""
    gain = simple - rich
    middle = np.median(gain)
    # a block unlike all others, to which a curve was extrapolated, must not decide
    spread = OUTLYING / NORMAL_MAD * np.median(np.abs(gain - middle))
    gain = np.clip(gain, middle - spread, middle + spread)
    by_chance = SURE * float(gain.std(ddof=1)) / len(gain) ** 0.5
    # less than nothing is left where more noise was taken off than there is: that is not known better either
    unexplained = abs(float(np.median(rich)))
    return float(gain.mean()) > max(by_chance, price * unexplained, NUMERICAL)


class Search:
    """The structures of one equation. limits: highest level of each varying axis. max_degree: of the curve."""

    def __init__(
        self,
        moments: Moments,
        target: int,
        bases: Sequence[AxisBasis],
        limits: Levels,
        n_terms: int,
        *,
        progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.moments, self.target, self.bases = moments, target, tuple(bases)
        self.limits, self.n_terms, self.progress = limits, n_terms, progress

    def design(self, structure: Structure) -> Design:
        """The unknowns of a structure."""
        return make_design(structure, self.bases, self.moments.coordinates, self.n_terms)

    def crossvalidation(self, structure: Structure) -> CrossValidation:
        """Left-out errors of everything within a structure."""
        return CrossValidation(self.moments, self.target, self.design(structure))

    def score(self, structure: Structure) -> Scored:
        """The left-out errors of one structure."""
        cv = self.crossvalidation(structure)
        return Scored(structure, cv.errors(np.ones(cv.design.n_unknowns, dtype=bool)))

    def common_level(self, terms: Sequence[int], *, with_curve: bool) -> Scored:
        """All these terms with coefficients of one level on all axes: the one of least error."""
        degree = self._first_degree(terms) if with_curve else None
        best, idle = None, 0
        for level in LADDER:
            levels = tuple(min(level, limit) for limit in self.limits)
            structure = Structure(dict.fromkeys(terms, levels), degree)
            if best is not None and (self.n_unknowns(structure) > MAX_UNKNOWNS):
                break
            scored = self.score(structure)
            self.progress(f"coefficients of level {level}: left-out error {scored.mean:.3g}")
            idle = idle + 1 if best is not None and scored.mean >= best.mean else 0
            best = best if idle and best is not None else scored
            if levels == self.limits or idle == PATIENCE:
                break
        assert best is not None
        return best

    def _first_degree(self, terms: Sequence[int]) -> int:
        """The curve's degree of least error beside constants."""
        constants = dict.fromkeys(terms, (0,) * len(self.limits))
        return min(LADDER[1:], key=lambda degree: self.score(Structure(constants, degree)).mean)

    def n_unknowns(self, structure: Structure) -> int:
        """Numbers to be found."""
        sizes = [
            np.prod([basis.size(level) for basis, level in zip(self.bases, levels, strict=True)])
            for levels in structure.terms.values()
        ]
        return int(sum(sizes)) + (0 if structure.degree is None else structure.degree + 1)

    def simplify(self, start: Scored) -> Scored:
        """Leave out terms, and dependences on axes, for as long as they are not worth their numbers."""
        cv = self.crossvalidation(start.structure)
        reference, structure = start, start.structure
        while True:
            options = [option for term in structure.terms for option in self._simpler(structure, term)]
            if not options:
                break
            kept = cv.design.within(structure)
            groups = [kept & ~cv.design.within(option) for _, option in options]
            errors, without = cv.without(kept, groups)
            if errors.mean() < reference.mean:
                reference = Scored(structure, errors)
            smaller = self._accept(cv, structure, reference, options, without)
            if smaller is None:
                break
            structure = smaller
            self.progress(f"{len(structure.terms)} terms, {self.n_unknowns(structure)} numbers")
        return self.score(structure)

    def _simpler(self, structure: Structure, term: int) -> Iterator[tuple[int, Structure]]:
        """A term with a coefficient of fewer variables, or none, and its place; the simplest first."""
        levels = structure.terms[term]
        if len(structure.terms) > 1 or structure.degree is not None:
            yield term, structure.with_term(term, None)
        varying = [a for a, level in enumerate(levels) if level]
        if varying:
            yield term, structure.with_term(term, (0,) * len(levels))
        if len(varying) > 1:
            for a in varying:
                yield term, structure.with_term(term, tuple(0 if b == a else n for b, n in enumerate(levels)))

    def _accept(
        self,
        cv: CrossValidation,
        structure: Structure,
        reference: Scored,
        options: Sequence[tuple[int, Structure]],
        without: Sequence[Float64[np.ndarray, " block"]],
    ) -> Structure | None:
        """The simplest acceptable option of every term at once, or of those that cost least; None if there is none."""
        chosen: dict[int, tuple[float, Levels | None]] = {}
        for (term, option), errors in zip(options, without, strict=True):
            if term not in chosen and not worth(errors, reference.errors):
                chosen[term] = (float(errors.mean()), option.terms.get(term))
        ranked = sorted(chosen, key=lambda term: chosen[term][0])
        while ranked:
            smaller = structure
            for term in ranked:
                smaller = smaller.with_term(term, chosen[term][1])
            if len(ranked) == 1 or not worth(cv.errors(cv.design.within(smaller)), reference.errors):
                return smaller
            ranked = ranked[: len(ranked) // 2]
        return None

    def smooth(self, start: Scored) -> Scored:
        """The level of every coefficient along every axis that it varies on, and the curve's degree, one by one."""
        best, improved = start, True
        while improved:
            improved = False
            for neighbour in self._neighbours(best.structure):
                if self.n_unknowns(neighbour) > MAX_UNKNOWNS:
                    continue
                scored = self.score(neighbour)
                if scored.mean < best.mean:
                    best, improved = scored, True
            self.progress(f"{self.n_unknowns(best.structure)} numbers: left-out error {best.mean:.3g}")
        return best

    def _neighbours(self, structure: Structure) -> Iterator[Structure]:
        """One coefficient a step smoother or rougher along one axis."""
        for term, levels in structure.terms.items():
            for a, level in enumerate(levels):
                for near in _steps(level, self.limits[a]) if level else ():
                    yield structure.with_term(term, (*levels[:a], near, *levels[a + 1 :]))
        if structure.degree is not None:
            for degree in _steps(structure.degree, LADDER[-1]):
                yield replace(structure, degree=degree)

    def extend(self, start: Scored, terms: Sequence[int]) -> Scored:
        """Take up terms that are worth it after all, as constants and as fields."""
        best = start
        for term in terms:
            for level in (0, 1):
                levels = tuple(min(level, limit) for limit in self.limits)
                if term in best.structure.terms and best.structure.terms[term] >= levels:
                    continue
                scored = self.score(best.structure.with_term(term, levels))
                if worth(best.errors, scored.errors):
                    best = scored
        return best


def _steps(level: int, limit: int) -> Iterator[int]:
    place = LADDER.index(level) if level in LADDER else int(np.searchsorted(LADDER, level))
    if place > 1:
        yield LADDER[place - 1]
    if place + 1 < len(LADDER) and level < limit:
        yield min(LADDER[place + 1], limit)
