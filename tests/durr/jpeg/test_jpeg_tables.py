"""Quantisation tables: those that libjpeg writes, and the quality of tables that it does not write."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, JpegPresets

from durr.jpeg.tables import QUALITIES, luma_table, quality_of_table

Compressed = Callable[..., Image.Image]


def test_the_tables_are_those_in_the_files(compressed: Compressed) -> None:
    for quality in QUALITIES:
        written = compressed(Image.new("L", (8, 8)), quality).quantization[0]
        assert luma_table(quality).ravel().tolist() == list(written)
        assert quality_of_table(written) == quality


@pytest.mark.parametrize(("worse", "better"), [("low", "medium"), ("medium", "high"), ("web_low", "web_high")])
def test_other_tables_have_the_quality_they_are_nearest_to(worse: str, better: str) -> None:
    found = [quality_of_table(JpegPresets.presets[name]["quantization"][0]) for name in (worse, better)]
    assert 20 < found[0] < found[1] < 95


def test_a_step_off_here_and_there_is_no_matter() -> None:
    table = luma_table(60) + np.random.default_rng(0).integers(-1, 2, (8, 8))
    assert abs(quality_of_table(table.ravel().tolist()) - 60) <= 3  # one in ten is a quality or two
