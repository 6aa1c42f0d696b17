"""Runs as users have them: missing, unfinished, of other commands, changed, from another time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backbone.checkpoint import save_state
from backbone.errors import InputError, ModelError
from backbone.runs import RunFolder
from pdenet.equations.equation import Equation
from pdenet.learned.reading import read_learned
from pdenet.learned.record import Learned
from pdenet.network.stages import StageResult

FOUND = Learned(equations=(Equation.parse("u_t = -0.1*u*u_x + 0.3*u_xx"),), recipe="default", dt=0.1, dx=(0.2,))


def make_run(path: Path, record: dict[str, object] | None = None) -> Path:
    folder = RunFolder.create("learn", path)
    folder.write_json("equation.json", FOUND.as_dict() if record is None else record)
    return folder.finish()


def keep_paper_checkpoint(folder: Path) -> None:
    stages = [StageResult(name, 0.1, 20, FOUND.equations).as_dict() for name in ("warm-up", "block 1")]
    options = {"order": 2, "size": 5, "accuracy": 2, "hidden": 1, "seed": 0, "data": [4, 3, 1, 24, 0.01, 0.25]}
    save_state(folder / "paper.safetensors", {"options": options, "model": {}, "stages": stages}, kind="paper recipe")


def test_a_finished_run(tmp_path: Path) -> None:
    found = read_learned(make_run(tmp_path / "run"))
    assert (found.equations, found.dt, found.dx) == (FOUND.equations, 0.1, (0.2,))


def test_a_record_without_format_and_digest_is_one_of_an_earlier_version(tmp_path: Path) -> None:
    record = {key: FOUND.as_dict()[key] for key in ("equations", "recipe", "dt", "dx")}
    assert read_learned(make_run(tmp_path / "run", record)).equations == FOUND.equations


def test_a_record_changed_by_hand_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    text = (run / "equation.json").read_text()
    (run / "equation.json").write_text(text.replace("0.3", "0.31"))
    with pytest.raises(ModelError, match="was changed after learn wrote it"):
        read_learned(run)


def test_a_record_of_a_newer_version_is_refused_before_its_digest(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {**FOUND.as_dict(), "format": 9})
    versions = json.loads((run / "versions.json").read_text())
    (run / "versions.json").write_text(json.dumps({**versions, "pdenet-durr": "7.5"}))
    with pytest.raises(ModelError, match=r"format 9, written by pdenet-durr 7\.5; known here: 1") as failure:
        read_learned(run)
    assert failure.value.cure == "pip install --upgrade pdenet-durr"


@pytest.mark.parametrize(("kind", "command"), [("denoiser", "denoise"), ("JPEG restorer", "dejpeg")])
def test_a_restorer_is_told_with_the_command_that_uses_it(tmp_path: Path, kind: str, command: str) -> None:
    folder = RunFolder.create("train", tmp_path / "train-1")
    save_state(folder.work / "model.safetensors", {"levels": [1.0]}, kind=kind)
    run = folder.finish()
    with pytest.raises(ModelError, match=rf"no run of learn: model\.safetensors: this file holds a {kind}") as failure:
        read_learned(run)
    assert failure.value.cure == f"pdenet-durr {command} IMAGE --weights {run / 'model.safetensors'}"


def test_a_stopped_run_tells_its_checkpoint_and_shows_it_if_asked(tmp_path: Path) -> None:
    folder = RunFolder.create("learn", tmp_path / "run")
    keep_paper_checkpoint(folder.work)
    run = folder.keep()
    with pytest.raises(
        InputError, match="has not finished: it has no DONE; its last checkpoint is after block 1"
    ) as told:
        read_learned(run)
    assert told.value.cure == f"pdenet-durr equation {run} --allow-partial"
    partial = read_learned(run, allow_partial=True)
    assert (partial.equations, partial.recipe, partial.dt, partial.dx) == (FOUND.equations, "paper", 0.01, (0.25,))


def test_a_stopped_run_without_a_checkpoint_has_nothing_to_show(tmp_path: Path) -> None:
    run = RunFolder.create("learn", tmp_path / "run").keep()
    with pytest.raises(InputError, match="no checkpoint to show"):
        read_learned(run, allow_partial=True)


def test_a_run_that_is_being_written_is_not_missing(tmp_path: Path) -> None:
    folder = RunFolder.create("learn", tmp_path / "run")
    with pytest.raises(InputError, match="still being written, or was killed"):
        read_learned(tmp_path / "run")
    folder.discard()
    with pytest.raises(InputError, match="cannot find the run"):
        read_learned(tmp_path / "run")
