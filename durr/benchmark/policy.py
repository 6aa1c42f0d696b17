"""What the policy is worth: each picture's own stopping time beside an oracle's and beside one number for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from durr.benchmark.methods import OURS
from durr.benchmark.protocol import grade_of


def compare_policy(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """PSNR in dB averaged over the grades of one set, None where no path of images was kept.

    policy: as stopped by the model. oracle: each picture at its best step. best_fixed: the best single number of steps,
    the same for every picture and every grade.
    """
    found = [
        (grade_of(row)[1], row["methods"][OURS])
        for row in rows
        if grade_of(row)[1] > 0 and row["methods"].get(OURS, {}).get("psnr_by_step")
    ]
    if not found:
        return None
    paths = [ours["psnr_by_step"] for _, ours in found]
    fixed = [mean(path[k] for path in paths) for k in range(min(map(len, paths)))]
    best = max(range(len(fixed)), key=fixed.__getitem__)
    return {
        "grades": [grade for grade, _ in found],
        "policy": mean(ours["psnr"] for _, ours in found),
        "oracle": mean(ours["oracle_psnr"] for _, ours in found),
        "best_fixed": fixed[best],
        "best_fixed_steps": best,
        "longest_fixed_steps": len(fixed) - 1,
    }
