"""Convolutions in bfloat16 only where that is faster."""

from __future__ import annotations

import pytest
import torch

from backbone.precision import convolution_precision


@pytest.mark.parametrize(("amx", "precision"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_works_in_bfloat16_only_if_it_has_tiles_for_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, precision: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert convolution_precision(torch.device("cpu")) is precision
