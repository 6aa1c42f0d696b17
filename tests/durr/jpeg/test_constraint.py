"""What a JPEG says of its picture: nothing that was true is moved, what strayed is brought back, the rest is let be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from durr.jpeg import constraint
from durr.jpeg.constraint import KEPT, LIMIT, Constraint
from durr.jpeg.tables import luma_table
from durr.jpeg.windows import luma

Compressed = Callable[..., Image.Image]
Samples = Callable[[Image.Image], np.ndarray]
Case = tuple[np.ndarray, Constraint]


def waves(plane: np.ndarray) -> np.ndarray:
    """Of the whole blocks from the first pixel on; rows and columns of blocks first."""
    rows, columns = (length // 8 for length in plane.shape)
    blocks = plane[: 8 * rows, : 8 * columns].reshape(rows, 8, columns, 8).swapaxes(1, 2)
    found: np.ndarray = dctn(blocks - 128.0, axes=(2, 3), norm="ortho")
    return found


def grey_waves(values: np.ndarray) -> np.ndarray:
    return waves(255 * luma(values.astype(np.float32)).astype(np.float64))


@pytest.fixture(params=["L", "RGB"])
def case(request: pytest.FixtureRequest, photograph: Image.Image, compressed: Compressed, samples: Samples) -> Case:
    """A photograph without extremes, which would be clipped, in [0, 1], and what its JPEG of quality 30 says."""
    clean = np.uint8(40 + samples(photograph.convert(request.param)) * 0.6)
    decoded = samples(compressed(Image.fromarray(clean.squeeze()), 30))
    return clean / np.float32(255), Constraint(luma_table(30), (0, 0), decoded)


def test_what_is_true_is_not_moved(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    clean, told = case
    monkeypatch.setattr(constraint, "KEPT", 0.5)
    monkeypatch.setattr(constraint, "LIMIT", 0.5 + 1e-6)
    # the encoder rounds luma and works in whole numbers: a wave in a hundred is off by a little
    np.testing.assert_allclose(told.held(clean), clean, atol=0.005)
    wrong = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    before, after = (np.mean((luma(values) - luma(clean)) ** 2) for values in (wrong, told.held(wrong)))
    assert after < 0.8 * before  # a projection on a convex set that holds the truth comes nearer to it


def test_waves_that_strayed_are_brought_back_and_others_are_not_touched(case: Case) -> None:
    clean, told = case
    wrong = clean + 0.05 * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    held = told.held(wrong)
    steps = luma_table(30)
    stored = np.rint(grey_waves(told.decoded / np.float32(255)) / steps)
    there, here = (grey_waves(values) / steps - stored for values in (wrong, held))
    strayed = np.abs(there) > KEPT
    assert 0.05 < strayed.mean() < 0.95
    np.testing.assert_allclose(here[~strayed], there[~strayed], atol=1e-3)
    assert np.all(np.abs(here) <= np.minimum(np.abs(there), LIMIT) + 1e-3)
    order = np.argsort(there[strayed])
    assert np.all(np.diff(here[strayed][order]) > -2e-3)  # what was put further out stays further out
    # luma alone is known: what a pixel's channels differ by stays
    np.testing.assert_allclose(held - held[..., :1], wrong - wrong[..., :1], atol=1e-6)


def test_blocks_that_no_decoder_gave_are_let_be(case: Case) -> None:
    clean, told = case
    edited = told.decoded.copy()
    edited[16:24, 32:48] = np.random.default_rng(1).integers(0, 256, edited[16:24, 32:48].shape)
    wrong = clean + np.float32(0.1) * np.sign(np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32))
    held = Constraint(told.steps, (0, 0), edited).held(wrong)
    np.testing.assert_array_equal(held[16:24, 32:48], wrong[16:24, 32:48])
    np.testing.assert_array_equal(held[:16], told.held(wrong)[:16])
    assert not np.array_equal(held[:16], wrong[:16])


def test_a_wrong_table_moves_little(case: Case) -> None:
    clean, told = case
    wrong = clean + np.float32(0.1)
    moved = [np.abs(Constraint(luma_table(q), (0, 0), told.decoded).held(wrong) - wrong).mean() for q in (30, 22)]
    assert moved[1] < 0.2 * moved[0]  # flat blocks have one wave, which is near a multiple of any step half of the time


@pytest.mark.parametrize("dtype", ["u1", "u2", "f8"])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 5)])
def test_only_whole_blocks_of_the_grid_move_whatever_the_type(dtype: str, row: int, column: int, case: Case) -> None:
    clean, told = case
    scale = 1.0 if dtype == "f8" else float(np.iinfo(dtype).max)
    wrong = (np.clip(clean + np.float32(0.1), 0, 1) * scale).astype(dtype)
    whole = told.held(wrong)
    grid = (-row % 8, -column % 8)
    held = Constraint(told.steps, grid, told.decoded[row:-1, column:]).held(wrong[row:-1, column:])
    assert held.dtype == np.dtype(dtype)
    (top, left), rows = grid, len(wrong)
    cut = np.s_[top : rows - 8 - row, left:]  # the last row of blocks lacks one of pixels
    np.testing.assert_array_equal(held[cut], whole[row:, column:][cut])
    for rest in (np.s_[:top], np.s_[:, :left], np.s_[rows - 8 - row :]):
        np.testing.assert_array_equal(held[rest], wrong[row:-1, column:][rest])


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (40, 5), (7, 7)])
def test_pictures_without_a_whole_block_come_back(size: tuple[int, int]) -> None:
    picture = np.full((*size, 1), 77, np.uint8)
    told = Constraint(luma_table(10), (6, 3), picture)
    np.testing.assert_array_equal(told.held(picture), picture)


def test_stripes_are_the_whole(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    clean, told = case
    whole = told.held(clean + np.float32(0.1))
    monkeypatch.setattr(constraint, "STRIPE", 3)
    np.testing.assert_array_equal(told.held(clean + np.float32(0.1)), whole)
