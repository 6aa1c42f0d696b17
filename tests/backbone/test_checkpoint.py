"""States on disk: what goes in comes out, damage is found, writing is whole or not at all."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from backbone.checkpoint import load_state, save_state, state_kind
from backbone.errors import ModelError

STATE = {
    "net": {
        "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,
        "half": torch.ones(2, dtype=torch.bfloat16),
    },
    "optimiser": {0: {"step": torch.tensor(3.0), "betas": (0.9, 0.999), "al": [None, torch.zeros(0)]}, "$odd": 1},
    "best": math.inf,
    "flags": [True, None, "text", -7, 0.1],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_state(tmp_path / "state.safetensors", STATE, kind="test")
    return tmp_path / "state.safetensors"


def test_what_goes_in_comes_out(path: Path) -> None:
    state = load_state(path, kind="test")
    assert state_kind(path) == "test"
    assert list(state) == list(STATE)
    assert torch.equal(state["net"]["weight"], STATE["net"]["weight"])
    assert state["net"]["half"].dtype == torch.bfloat16
    assert state["optimiser"][0]["betas"] == (0.9, 0.999)
    assert state["optimiser"][0]["step"].shape == ()
    assert state["optimiser"][0]["al"][0] is None
    assert state["optimiser"][0]["al"][1].shape == (0,)
    assert state["optimiser"]["$odd"] == 1
    assert state["best"] == math.inf
    assert state["flags"] == STATE["flags"]
    assert isinstance(state["flags"][0], bool)


def test_equal_states_give_equal_files_and_shared_memory_is_no_matter(tmp_path: Path) -> None:
    weight = torch.arange(4.0)
    state = {"a": weight, "b": weight[1:]}
    save_state(tmp_path / "1", state, kind="test")
    save_state(tmp_path / "2", state, kind="test")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert load_state(tmp_path / "1", kind="test")["b"].tolist() == [1.0, 2.0, 3.0]


def test_any_damaged_byte_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for position in range(0, len(whole), 11):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x21]) + whole[position + 1 :])
        with pytest.raises(ModelError):
            load_state(path, kind="test")


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_half_a_file_is_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError, match="cannot read the file"):
        load_state(path, kind="test")


def test_missing_foreign_and_other_files_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        load_state(tmp_path / "none", kind="test")
    with pytest.raises(ModelError, match="holds a test state") as caught:
        load_state(path, kind="restorer")
    assert caught.value.exit_code == 7
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(ModelError, match="not written here"):
        load_state(tmp_path / "foreign", kind="test")


def test_what_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot hold a set"):
        save_state(tmp_path / "state", {"a": {1, 2}}, kind="test")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_state(path, {"a": 1}, kind="test")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
