"""The tables that people read: one for each set of pictures and figure, a line for each method, a column a grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from backbone.table import aligned
from durr.benchmark.methods import GIVEN, OURS
from durr.benchmark.policy import compare_policy
from durr.benchmark.protocol import grade_of, task_of

FIGURES = {
    "psnr": ("PSNR in dB", ".2f"),
    "psnr_b": ("PSNR-B in dB", ".2f"),
    "ssim": ("SSIM, 7 x 7 windows", ".4f"),
    "ssim_gaussian": ("SSIM, 11 x 11 Gaussian windows", ".4f"),
    "steps": ("steps, mean", ".1f"),
    "s_per_mp": ("seconds per megapixel, median", ".2f"),
    "cpu_s_per_mp": ("CPU seconds per megapixel, of all threads, median", ".2f"),
}


def table_lines(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The tables of the rows of a record, set after set."""
    lines: list[str] = []
    for (title, protocol), group in groupby(rows.values(), key=lambda row: (row["set"], row["protocol"])):
        entries = list(group)
        lines += [f"{title}, {protocol}, {entries[0]['images']} pictures"]
        for figure, (label, form) in FIGURES.items():
            lines += _table(entries, figure, label, form)
        lines += [*_gain(entries), *_policy(entries), *_failures(entries), ""]
    return lines[:-1]


def _table(entries: Sequence[Mapping[str, Any]], figure: str, label: str, form: str) -> list[str]:
    """One figure of all methods that have it."""
    methods = {method for row in entries for method, found in row["methods"].items() if figure in found}
    ordered = [method for method in _methods(entries) if method in methods]
    if not ordered:
        return []
    head = [grade_of(entries[0])[0], *(f"{grade_of(row)[1]:g}" for row in entries)]
    cells = [[method, *(_cell(row["methods"].get(method, {}), figure, form) for row in entries)] for method in ordered]
    return [f"  {label}", *(f"    {line}" for line in aligned([head, *cells]))]


def _gain(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """By how many decibels our method is better than the picture as it came, at each grade."""
    gains = []
    for row in entries:
        ours, given = (row["methods"].get(name, {}).get("psnr") for name in (OURS, GIVEN[task_of(row)]))
        if ours is None or given is None:
            return []
        gains.append(f"{ours - given:+.2f}")
    return [f"  PSNR gained by ours, in dB: {', '.join(gains)}"]


def _methods(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every method of these rows, in the order of their first appearance."""
    return list(dict.fromkeys(method for row in entries for method in row["methods"]))


def _cell(found: Mapping[str, Any], figure: str, form: str) -> str:
    if figure not in found:
        return "-"
    return "inf" if found[figure] is None else format(found[figure], form)


def _policy(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    found = compare_policy(entries)
    if found is None:
        return []
    return [
        f"  stopping, mean PSNR over this range of {grade_of(entries[0])[0]}: policy {found['policy']:.2f} dB,"
        f" oracle {found['oracle']:.2f} dB,"
        f" best fixed number ({found['best_fixed_steps']} steps) {found['best_fixed']:.2f} dB"
    ]


def _failures(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {method} failed at {grade_of(row)[0]} {grade_of(row)[1]:g}: {found['error']}"
        for row in entries
        for method, found in row["methods"].items()
        if "error" in found
    ]
