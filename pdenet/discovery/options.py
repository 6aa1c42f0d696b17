"""The options of learning, in the one place from which the command, the function and the estimators take them."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.options import Options, option

HELD_OUT = 0.2  # share of the runs, or of the time of a few runs


@dataclass(kw_only=True, eq=False)
class LearnOptions(Options):
    """What every equation can be told beforehand.

    order: largest total derivative order. terms: the only candidates; of several variables `u_t: ...; v_t: ...`.
    forbid: terms that cannot be, in the same language. known: inputs, whose terms are candidates all the same.
    memory: "2G", or "auto" for half of the machine's.
    device: "auto", "cpu", "cuda" or "cuda:N".
    """

    order: int | None = option(None, "Largest derivative order; the data decide by default.", min=1, max=4)
    terms: str | None = option(None, "The only candidates, as 'u*u_x, u_xx'; all products by default.")
    forbid: str | None = option(None, "Terms that cannot be, as 'u, u*u_x' or 'u_t: u'.")
    known: str | None = option(None, "Variables that are inputs without an equation of their own, as 'p,q'.")
    memory: str = option("auto", "Memory to stay within, as 2G; auto is half of the machine's.")
    seed: int = option(0, "Seed of every random choice.")
    device: str = option("auto", "Where to compute.")


@dataclass(kw_only=True, eq=False)
class EquationOptions(LearnOptions):
    """What equations with numbers for coefficients can be told.

    time_order: "1" for u_t = ..., "2" for u_tt = ... where u alone was measured, "auto" for the second where the first
    leaves much unexplained. degree: largest number of factors of a term. fix: coefficients that are known.
    recipe: "default" (collocation, selection on a path of models, held-out roll-outs, likelihood) or "paper" (PDE-Net
    2.0: learned filters and a symbolic network trained block by block).
    """

    time_order: str = option("auto", "Time derivative on the left: 1 is u_t, 2 is u_tt; the data decide by default.")
    degree: int | None = option(None, "Largest number of factors; the data decide by default.", min=1, max=4)
    fix: str | None = option(None, "Known coefficients, as 'u_xx=0.1' or 'u_t: u_xx=0.1; v_t: v_xx=0.2'.")
    max_terms: int | None = option(None, "The most terms that an equation may have.", min=1)
    holdout: float = option(HELD_OUT, "Share of the runs, or of their time, to test on.", min=0.0, max=0.9)
    recipe: str = option("default", "default, or paper: PDE-Net 2.0's own training.")
    blocks: int = option(6, "Last block of the paper recipe.", min=1, max=40)


@dataclass(kw_only=True, eq=False)
class FieldOptions(LearnOptions):
    """What equations with fields for coefficients can be told."""

    varying: str | None = option(None, "Coefficients may vary along these axes, as 'x,y' or 'x,y,t'.")
    source: str | None = option(None, "Find a source f(u) as a curve, of this variable.")

    @property
    def wanted(self) -> bool:
        """Whether any of these was asked for."""
        return any((self.varying, self.source))
