"""Runs an experiment piece by piece: each is recorded as soon as it is measured, and kept after a stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from backbone.experiments.experiment import Experiment
from backbone.experiments.results import Figure, Results, spread
from backbone.record import Record

PACKAGES = ("pdenet-durr", "torch", "numpy")  # whose versions decide the figures
SUITE = "backbone"


def run_experiment(
    experiment: Experiment,
    record: Record,
    *,
    data: Path | None,
    seeds: range,
    device: torch.device,
    anew: bool,
    tell: Callable[[str], None],
) -> Results:
    """Measure what the record lacks, or everything if `anew`; the results of all that it then holds.

    What was recorded under other settings, of other data or on another device is measured again.
    """
    facts = _facts(experiment, data, device)
    pieces = {} if anew else recorded(record, experiment, facts)
    missing = [(method, seed) for seed in seeds for method in experiment.methods if seed not in pieces.get(method, {})]
    measure = experiment.begin(data, device)
    for count, (method, seed) in enumerate(missing):
        tell(f"{experiment.name}: {method}, seed {seed} ({count + 1} of {len(missing)})")
        pieces.setdefault(method, {})[seed] = measure(method, seed)
        record.keep(experiment.name, facts, method, _entry(pieces[method]))
    return Results(pieces)


def recorded(
    record: Record, experiment: Experiment, facts: Mapping[str, Any]
) -> dict[str, dict[int, Mapping[str, Figure]]]:
    """The pieces of a record that were measured under the same facts; an entry of others is dropped from it."""
    row = record.document["rows"].get(experiment.name)
    if row is None:
        return {}
    if any(row.get(key) != value for key, value in facts.items()):
        del record.document["rows"][experiment.name]
        return {}
    methods = row["methods"]
    return {
        method: {int(seed): figures for seed, figures in methods[method]["seeds"].items()}
        for method in experiment.methods
        if method in methods
    }


def _facts(experiment: Experiment, data: Path | None, device: torch.device) -> dict[str, Any]:
    """What the row is."""
    return {
        "question": experiment.question,
        "settings": experiment.settings(),
        "data": None if data is None else data.resolve().name,
        "note": experiment.note(data),
        "device": device.type,
        "threads": torch.get_num_threads(),
    }


def _entry(pieces: Mapping[int, Mapping[str, Figure]]) -> dict[str, Any]:
    """One method's pieces, with mean and spread of every figure that is a number."""
    first = next(iter(pieces.values()))
    numbers = {
        name: [float(figures[name]) for figures in pieces.values()]  # type: ignore[arg-type]
        for name, figure in first.items()
        if isinstance(figure, float | int)
    }
    return {
        "summary": {name: {"mean": mean(of), "spread": spread(of)} for name, of in numbers.items()},
        "seeds": {str(seed): dict(figures) for seed, figures in sorted(pieces.items())},
    }
