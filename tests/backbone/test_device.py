"""The words of --device and --threads."""

from __future__ import annotations

import pytest
import torch

from backbone.device import resolve_device, set_threads
from backbone.errors import UsageError


def pretend(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 0)
    assert resolve_device("auto") == resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(UsageError, match="--device cuda: this torch has no CUDA") as caught:
        resolve_device("cuda")
    assert caught.value.cure == "--device cpu"


def test_with_two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 2)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(UsageError, match="there are 2 CUDA devices") as caught:
        resolve_device("cuda:2")
    assert caught.value.cure == "--device cuda:1"


@pytest.mark.parametrize("word", ["gpu", "CPU", "cuda:", "cuda:-1", "cuda:1x", "mps", ""])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(UsageError, match="is no device"):
        resolve_device(word)


def test_threads() -> None:
    before = torch.get_num_threads()
    try:
        set_threads(1)
        assert torch.get_num_threads() == 1
        set_threads(0)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    with pytest.raises(UsageError, match="must not be negative"):
        set_threads(-1)
