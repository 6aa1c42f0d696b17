"""What the user knows of the equations: some coefficients, terms that cannot stand, the only ones that can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backbone.errors import UsageError
from pdenet.equations.equation import Equation
from pdenet.equations.term_lists import read_coefficients, read_terms
from pdenet.equations.terms import Term, rate


@dataclass(frozen=True)
class Restrictions:
    """Bounds on the equations, by the variable whose equation they are for.

    fixed: coefficients that are given and not fitted. forbidden: terms left out of the library. candidates: the whole
    library of an equation, in place of all products up to an order and a degree. max_terms: the most that an equation
    may have, fixed ones included.
    """

    fixed: Mapping[str, Mapping[Term, float]] = field(default_factory=dict)
    forbidden: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)
    candidates: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)
    max_terms: int | None = None

    @classmethod
    def read(
        cls,
        names: Sequence[str],
        axes: Sequence[str],
        *,
        fix: str | None = None,
        forbid: str | None = None,
        terms: str | None = None,
        max_terms: int | None = None,
        evolved: Sequence[str] | None = None,
    ) -> Restrictions:
        """The restrictions of typed options, for the variables and space axes of the data.

        evolved: the variables that have an equation, all by default. Raises UsageError for what cannot be read, for
        names that the data do not have and for contradictions.
        """
        found = cls(
            fixed=read_coefficients(fix, names, axes, "--fix", evolved) if fix is not None else {},
            forbidden=read_terms(forbid, names, axes, "--forbid", evolved) if forbid is not None else {},
            candidates=read_terms(terms, names, axes, "--terms", evolved) if terms is not None else {},
            max_terms=max_terms,
        )
        for name in evolved or names:
            found._check(name)
        return found

    def _check(self, name: str) -> None:
        """UsageError for what cannot all be true of one equation."""
        forbidden = set(self.forbidden.get(name, ()))
        for option, wanted in (("--fix", self.fixed), ("--terms", self.candidates)):
            both = forbidden.intersection(wanted.get(name, ()))
            if both:
                raise UsageError(
                    f"{rate(name)}: '{min(map(str, both))}' is asked for and forbidden",
                    where=f"{option}, --forbid",
                    cure=f"take it out of {option} or of --forbid",
                )
        n_fixed = len(self.fixed.get(name, ()))
        if self.max_terms is not None and n_fixed > self.max_terms:
            raise UsageError(
                f"{rate(name)}: {n_fixed} terms are fixed, but at most {self.max_terms} may stand",
                where="--fix, --max-terms",
                cure=f"--max-terms {n_fixed}",
            )

    def name_all(self, names: Sequence[str]) -> bool:
        """Whether the candidates of all these variables are named, so that no general library is needed."""
        return all(name in self.candidates for name in names)

    def order_and_degree(self) -> tuple[int, int]:
        """The largest of all terms that are named as fixed or as candidates."""
        named = [term for lists in (self.fixed, self.candidates) for terms in lists.values() for term in terms]
        return max((term.order for term in named), default=0), max((term.degree for term in named), default=0)

    def most_free_terms(self, name: str) -> int | None:
        """How many terms may stand beside the fixed ones; None if there is no bound."""
        return None if self.max_terms is None else self.max_terms - len(self.fixed.get(name, ()))

    def library(self, names: Sequence[str], terms: Sequence[Term]) -> tuple[Term, ...]:
        """All columns that the equations of some variables need, out of a general library `terms`."""
        needed = [term for name in names for term in (*self.allowed(name, terms), *self.fixed.get(name, ()))]
        return tuple(dict.fromkeys(needed))

    def allowed(self, name: str, terms: Sequence[Term]) -> tuple[Term, ...]:
        """The candidates of one equation: those named for it, or `terms`, without the fixed and the forbidden ones."""
        taken = {*self.fixed.get(name, ()), *self.forbidden.get(name, ())}
        return tuple(term for term in self.candidates.get(name, terms) if term not in taken)

    def completed(self, equation: Equation) -> Equation:
        """The equation with its fixed terms; these have no error."""
        fixed = self.fixed.get(equation.variable, {})
        if not fixed:
            return equation
        return Equation(
            equation.lhs,
            (*equation.terms, *fixed),
            (*equation.coefficients, *fixed.values()),
            (*equation.errors, *(0.0 for _ in fixed)) if equation.errors or not equation.terms else (),
        )
