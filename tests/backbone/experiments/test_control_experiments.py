"""The experiments on how nets are solved and trained, in small: figures that make sense, and repeat."""

from __future__ import annotations

import pytest
import torch

from backbone.experiments.catalogue import experiment
from backbone.experiments.results import Results

CPU = torch.device("cpu")
TIMES = {"ms", "train_s", "first_ms", "second_ms", "seconds"}
SMALL = {
    "multilevel": ["layers=8", "levels=2", "coarse_steps=20", "fine_steps=20", "target=0.68"],
    "two-phase": ["hidden=4", "points=10", "euler=4", "adjoint=2"],
    "mgrit": ["layers=64", "coarsen=4", "repeats=1"],
}


@pytest.mark.parametrize("name", SMALL)
def test_a_piece_repeats_but_for_its_times(name: str) -> None:
    chosen = experiment(name, SMALL[name])
    measure = chosen.begin(None, CPU)
    pieces = [{method: measure(method, 0) for method in chosen.methods} for _ in range(2)]
    for method in chosen.methods:
        kept = [{key: value for key, value in piece[method].items() if key not in TIMES} for piece in pieces]
        assert kept[0] == kept[1]
    results = Results({method: {0: figures} for method, figures in pieces[0].items()})
    assert len(chosen.bounds(results)) >= 1
    assert all(column.figure in pieces[0][method] for column in chosen.columns for method in chosen.methods)


def test_a_cascade_counts_the_steps_of_the_deep_net() -> None:
    chosen = experiment("multilevel", [*SMALL["multilevel"][:-1], "target=0.0"])
    figures = chosen.begin(None, CPU)("cascade", 0)
    assert figures["fine_steps"] == 20  # one more than the last, for the target is out of reach
    assert figures["work"] == 20 * 4 + 20 * 8
    assert len(figures["losses"]) == len(figures["passes"]) == 40
