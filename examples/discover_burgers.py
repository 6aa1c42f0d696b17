"""Discover the equations behind the sample data: two-dimensional Burgers with 1 % noise."""

from __future__ import annotations

from pathlib import Path

import pdenet

SAMPLE = Path(__file__).parents[1] / "data" / "burgers2d.npz"


def main() -> None:
    field = pdenet.read(SAMPLE)
    print(f"{field.n_runs} runs of {field.n_times} snapshots on {field.space_shape} points: {', '.join(field.names)}")
    model = pdenet.PDENet().fit(field)
    for equation in model.equations_:
        print(f"\n{equation.to_text()}")
        for term, coefficient, error in zip(equation.terms, equation.coefficients, equation.errors, strict=True):
            print(f"  {term!s:6}  {coefficient:9.5f} +- {error:.5f}")
    print(f"\nerror of forecasts on held-out runs: {100 * model.heldout_error_:.2g} %")


if __name__ == "__main__":
    main()
