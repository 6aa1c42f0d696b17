"""Type an equation, make noisy data of it, find it again, and run what was found beyond the data."""

from __future__ import annotations

import numpy as np

import pdenet

EQUATION = "u_t = -u*u_x + 0.1*u_xx"


def main() -> None:
    whole = pdenet.simulate(EQUATION, grid=64, length="2pi", runs=5, t_end=0.8, save_every=0.02, seed=3)
    noisy = pdenet.simulate(EQUATION, grid=64, length="2pi", runs=5, t_end=0.4, save_every=0.02, seed=3, noise=0.01)
    model = pdenet.PDENet(order=2, degree=2).fit(noisy)
    print(f"true:  {EQUATION}")
    print(f"found: {model.equation_}")

    start = whole.select(times=slice(0, noisy.n_times))
    truth = whole.values[:, noisy.n_times :]
    forecast = model.predict(start, steps=truth.shape[1]).values
    error = np.linalg.norm(forecast - truth) / np.linalg.norm(truth)
    print(f"forecast over t = 0.4 to 0.8, error: {100 * error:.2g} %")


if __name__ == "__main__":
    main()
