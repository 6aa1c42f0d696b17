"""Solves shared by processes that torchrun starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backbone.checks.parallel import smooth_layers
from backbone.dynamics import Shared
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layer_parallel import Mgrit
from backbone.ranks import Ranks
from backbone.schemes import Euler

SCRIPT = Path(__file__).with_name("ranks_equal_serial.py")


@pytest.mark.parametrize("n", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_give_the_serial_result(n: int) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n), str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"rank {rank} of {n} equals serial" in done.stdout for rank in range(n))


def test_without_torchrun_there_are_no_ranks() -> None:
    with pytest.raises(UsageError, match="no group of processes"):
        Ranks.started()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"grid": Grid.uniform(0.0, 1.0, 5)}, "5 steps cannot be shared"), ({"save": "all"}, "know the last state only")],
)
def test_what_processes_cannot_share_is_refused(change: dict[str, object], message: str) -> None:
    smooth, pair = smooth_layers(16, 1.0), Ranks(0, 2)
    assert (pair.own(16), Ranks(1, 2).own(16)) == (slice(0, 8), slice(8, 16))
    given = {"f": Shared(smooth.f.fields[0]), "y0": smooth.y0, "grid": smooth.grid, "scheme": Euler()}
    with pytest.raises(UsageError, match=message):
        integrate(**(given | change), solve=Mgrit(coarsen=4, chain=pair))
