"""Runs the rows, one for each set of pictures and grade, and records each as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.errors import Failure, OutputError
from backbone.record import Record
from durr.benchmark.answer import Method
from durr.benchmark.methods import ENSEMBLE, OURS, build_methods
from durr.benchmark.ours import model_facts
from durr.benchmark.picture_set import PictureSet
from durr.benchmark.protocol import Protocol
from durr.benchmark.tally import Tally
from durr.restorer import Restorer

PACKAGES = ("pdenet-durr", "torch", "numpy", "scipy", "scikit-image", "PyWavelets")  # whose versions decide the figures


@dataclass(frozen=True, kw_only=True)
class Settings:
    """grades: of the rows, levels of noise or qualities. conditions: threads and device, recorded beside each result.

    restorer: ours, None if it is not among the methods. weights: its file, None for what is shipped.
    """

    protocol: Protocol
    grades: tuple[float, ...]
    methods: tuple[str, ...]
    conditions: Mapping[str, Any]
    restorer: Restorer | None
    weights: Path | None


@dataclass(frozen=True)
class Talkers:
    """Where words go: note for lines that stay, progress for the state of the work."""

    note: Callable[[str], None]
    progress: Callable[[str], None]


def row_name(pictures: PictureSet, protocol: Protocol, grade: float) -> str:
    """As "bsd68 grey float sigma 25"."""
    return f"{pictures.title} {protocol.name} {protocol.grade} {grade:g}"


def facts(pictures: PictureSet, protocol: Protocol, grade: float) -> dict[str, Any]:
    """What the record says about a row."""
    return {
        "set": pictures.title,
        "protocol": protocol.name,
        protocol.grade: grade,
        "images": len(pictures.pictures),
        "megapixels": sum(picture.shape[0] * picture.shape[1] for picture in pictures.pictures) / 1e6,
        "sha256": pictures.sha256,
    }


def check_sets(sets: Sequence[PictureSet], settings: Settings, record: Record) -> None:
    """Before any work: OutputError if a row of the record has the name of one of these, but other pictures."""
    for pictures in sets:
        names = {row_name(pictures, settings.protocol, grade) for grade in settings.grades}
        hashes = {record.document["rows"][name]["sha256"] for name in names & record.document["rows"].keys()}
        if hashes - {pictures.sha256}:
            raise OutputError(
                f"'{pictures.title}' was measured on other pictures", where=str(record.path), cure="--out another.json"
            )


def run_sets(sets: Sequence[PictureSet], settings: Settings, record: Record, talk: Talkers) -> bool:
    """Measure every row and save each as it comes; whether all methods succeeded on all of them."""
    good = True
    for pictures in sets:
        channels = 3 if pictures.colour else 1
        methods = build_methods(
            settings.methods,
            channels=channels,
            restorer=settings.restorer,
            device=settings.conditions["device"],
        )
        model = {} if settings.restorer is None else model_facts(settings.restorer, settings.weights, channels)
        for grade in settings.grades:
            name = row_name(pictures, settings.protocol, grade)
            row = facts(pictures, settings.protocol, grade)
            results = _measure_row(name, pictures, settings.protocol, grade, methods, talk)
            for method, found in results.items():
                of_ours = {"model": model} if method in (OURS, ENSEMBLE) else {}
                record.keep(name, row, method, found | dict(settings.conditions) | of_ours)
            good = good and all("error" not in found for found in results.values())
    return good


def _measure_row(
    name: str,
    pictures: PictureSet,
    protocol: Protocol,
    grade: float,
    methods: Mapping[str, Method],
    talk: Talkers,
) -> dict[str, dict[str, Any]]:
    """The results of every method, or the error that ended it; the methods take turns, so that load falls on all."""
    tallies = {method: Tally(method, call, protocol) for method, call in methods.items()}
    errors: dict[str, str] = {}
    pairs = zip(pictures.pictures, protocol.degraded(pictures.pictures, grade), strict=True)
    for k, (clean, degraded) in enumerate(pairs):
        talk.progress(f"{name}: picture {k + 1} of {len(pictures.pictures)}")
        for method in [name for name in tallies if name not in errors]:
            try:
                tallies[method].add(degraded, clean, grade)
            except Failure as failure:
                errors[method] = str(failure)
                talk.note(f"{name}: {method} failed: {failure.what}")
    results = {
        method: {"error": errors[method]} if method in errors else tallies[method].results() for method in tallies
    }
    talk.note(f"{name}: " + ", ".join(f"{method} {_brief(found)}" for method, found in results.items()))
    return results


def _brief(found: Mapping[str, Any]) -> str:
    if "error" in found:
        return "failed"
    return f"{found['psnr']:.2f} dB" if found.get("psnr") is not None else f"{found['s_per_mp']:.2f} s/MP"
