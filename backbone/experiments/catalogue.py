"""The experiments by name, and their settings from words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from backbone.errors import UsageError
from backbone.experiments.deep_limit import DeepLimit
from backbone.experiments.density import DensityExperiment
from backbone.experiments.depth import DepthExperiment
from backbone.experiments.experiment import Experiment
from backbone.experiments.layer_parallel import LayerParallelExperiment
from backbone.experiments.mgrit import MgritExperiment
from backbone.experiments.multilevel import MultilevelExperiment
from backbone.experiments.newton_pcg import NewtonExperiment
from backbone.experiments.peaks import PeaksExperiment
from backbone.experiments.two_phase import TwoPhaseExperiment
from backbone.experiments.width import WidthExperiment
from backbone.experiments.yopo import YopoExperiment
from backbone.experiments.yopo_time import YopoTime

KINDS: tuple[type[Experiment], ...] = (
    DeepLimit,
    DensityExperiment,
    DepthExperiment,
    LayerParallelExperiment,
    MgritExperiment,
    MultilevelExperiment,
    NewtonExperiment,
    PeaksExperiment,
    TwoPhaseExperiment,
    WidthExperiment,
    YopoExperiment,
    YopoTime,
)
EXPERIMENTS = {kind.name: kind for kind in KINDS}


def experiment(name: str, words: Sequence[str] = ()) -> Experiment:
    """The experiment of this name, with settings such as "epochs=3" in place of its defaults. Raises UsageError."""
    if name not in EXPERIMENTS:
        raise UsageError(
            f"there is no experiment '{name}'", where=f"bench backbone {name}", cure=f"name one of: {_list()}"
        )
    kind = EXPERIMENTS[name]
    defaults = {entry.name: entry.default for entry in fields(kind)}
    return kind(**dict(_setting(word, defaults) for word in words))


def _setting(word: str, defaults: dict[str, Any]) -> tuple[str, Any]:
    """A setting with the value of a word, of its default's type; a tuple's entries stand between commas."""
    key, separator, value = word.partition("=")
    if not separator or key not in defaults:
        raise UsageError(
            f"'{word}' is no setting",
            where=f"--set {word}",
            cure=" or ".join(f"--set {k}={v}" for k, v in defaults.items()),
        )
    default = defaults[key]
    try:
        if isinstance(default, tuple):
            return key, tuple(type(default[0])(part) for part in value.split(","))
        return key, type(default)(value)
    except ValueError as error:
        raise UsageError(
            f"'{value}' is no {type(default).__name__}", where=f"--set {word}", cure=f"--set {key}={default}"
        ) from error


def _list() -> str:
    return ", ".join(sorted(EXPERIMENTS))
