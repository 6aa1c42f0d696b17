"""Tiles: they cover every pixel once, look far enough around them, and their seams are not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data

from backbone.errors import ResourceError
from backbone.precision import convolution_precision
from durr.model import RestorationModel
from durr.restoration import decision, memory
from durr.restoration.inference import Inference
from durr.restoration.mosaic import restore_in_tiles
from durr.restoration.tiles import SMALLEST_SIDE, cut, halo, largest_side
from durr.restorer import SHIPPED, WEIGHTS
from durr.stopping import FixedSteps
from durr.unit import RestorationUnit

CPU = torch.device("cpu")


def silent(share: float) -> None:
    pass


def inference(*, features: int = 16, precision: torch.dtype = torch.float32, channels: int = 1) -> Inference:
    unit = RestorationUnit(channels, features=features, inner=16, generator=torch.Generator().manual_seed(3))
    model = RestorationModel(
        task="denoise", unit=unit, rule=FixedSteps(3), max_steps=16, trained=(0.0, 0.3), levels=((0.1, 3.0),)
    )
    return Inference(model=model, device=CPU, precision=precision)


def noisy_camera(rows: int, columns: int) -> np.ndarray:
    clean = data.camera()[:rows, :columns, None].astype(np.float32) / 255
    return clean + np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32) * np.float32(0.2)


@pytest.mark.parametrize("margin", [0, 8, 60])
@pytest.mark.parametrize("side", [32, 37, 64, 1000])
@pytest.mark.parametrize("shape", [(1, 1), (33, 64), (101, 47), (8, 500)])
def test_tiles_cover_every_pixel_once(shape: tuple[int, int], side: int, margin: int) -> None:
    seen = np.zeros(shape, int)
    for tile in cut(range(shape[0]), range(shape[1]), side, margin, shape, 4):
        seen[tile.inner] += 1
        assert tile.n_pixels == seen[tile.inner].size
        assert tile.side <= -(-side // 4) * 4  # rounded up to the unit's alignment
        whole = np.arange(shape[0] * shape[1]).reshape(shape)
        np.testing.assert_array_equal(whole[tile.outer][tile.within], whole[tile.inner])
        for span, length in zip((tile.rows, tile.columns), shape, strict=True):
            assert span.begin % 4 == 0
            assert span.begin == max(span.start - margin, 0)
            assert span.end == length or span.end >= span.stop + margin
    assert (seen == 1).all()


def test_the_halo_grows_with_the_steps_and_ends_at_the_field_of_view() -> None:
    unit = inference().model.unit
    assert [halo(unit, steps) for steps in (0, 1, 2, 4, 8)] == [0, 20, 36, 60, 80]
    assert all(halo(unit, steps) % unit.align == 0 for steps in range(20))
    assert largest_side(10**6, 50, 4) == 900
    assert largest_side(100, 50, 4) == SMALLEST_SIDE


@pytest.mark.parametrize(
    ("features", "precision", "steps"),
    [(16, torch.float32, 1), (16, torch.float32, 12), (64, torch.float32, 8), (64, torch.bfloat16, 2)],
)
def test_tiles_leave_no_seams(steps: int, features: int, precision: torch.dtype) -> None:
    work = inference(features=features, precision=precision)
    samples = noisy_camera(161, 202)
    positions = [steps - 0.5, float(steps)]
    tiled = restore_in_tiles(work, samples, positions, side=64, progress=silent)
    whole = restore_in_tiles(work, samples, positions, side=1000, progress=silent)
    assert (tiled.tiles, whole.tiles) == (12, 1)
    for one, other in zip(tiled.pictures, whole.pictures, strict=True):
        assert np.abs(one - other).max() <= 1 / 255  # the promise


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", [*SHIPPED["denoise"], *SHIPPED["dejpeg"]])
def test_the_weights_that_ship_leave_no_seams(name: str, precision: torch.dtype) -> None:
    if precision not in (torch.float32, convolution_precision(CPU)):
        pytest.skip("this processor works in float32; its bfloat16 rounds by the shape of a tile")
    work = Inference(model=RestorationModel.load(WEIGHTS / name), device=CPU, precision=precision)
    samples = np.repeat(noisy_camera(150, 200), work.model.unit.channels, axis=2)
    most = 8 if precision == torch.bfloat16 else work.model.max_steps  # beyond the rule's choice it is float32
    positions = [2.0, float(most)]
    tiled = restore_in_tiles(work, samples, positions, side=64, progress=silent)
    whole = restore_in_tiles(work, samples, positions, side=1000, progress=silent)
    for one, other in zip(tiled.pictures, whole.pictures, strict=True):
        assert np.abs(one - other).max() <= 1 / 255  # the promise; halo() tells what was measured


def test_a_tile_within_the_field_of_view_is_exact() -> None:
    work = inference()
    samples = noisy_camera(100, 160)
    margin = 2 * work.model.unit.reach + 4
    whole = work.images_after(torch.from_numpy(samples[None, None, ..., 0]), [2])[2]
    part = work.images_after(torch.from_numpy(samples[None, None, :, :96, 0]), [2])[2]
    # the order of sums in a convolution depends on the size of the image: a few units of float32's last place
    torch.testing.assert_close(part[..., : 96 - margin], whole[..., : 96 - margin], rtol=0, atol=1e-5)


def test_bfloat16_does_not_round_the_image() -> None:
    """A first layer that is blind to brightness sees noise far below bfloat16's spacing of 1/256."""
    unit = inference(features=64).model.unit
    with torch.no_grad():
        unit.enter.weight[..., 2] = -unit.enter.weight.bfloat16()[..., 1]
        unit.enter.weight[..., 1] = -unit.enter.weight[..., 2]
        unit.enter.weight[..., 0] = 0.0  # differences of neighbours
    faint = 0.002 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    state = unit.start(0.7 + faint)
    with torch.inference_mode():
        exact = unit.field(0.0, state)
        with torch.autocast("cpu", torch.bfloat16):
            short = unit.field(0.0, state)
    middle = (slice(None), slice(8, -8), slice(8, -8))  # away from the edge, where the layer does see brightness
    error = (short.float() - exact)[middle].square().mean() / exact[middle].square().mean()
    assert error.sqrt() < 0.02  # 8 binary digits of features and weights; 0.4 if the image itself is rounded


class Exhausted:
    """Stands for a machine whose memory holds images up to a size."""

    def __init__(self, work: Inference, most: int, error: Exception) -> None:
        self.original, self.most, self.error, self.calls = work.images_after, most, error, 0

    def __call__(self, noisy: torch.Tensor, steps: object) -> dict[int, torch.Tensor]:
        self.calls += 1
        if noisy.shape[-1] * noisy.shape[-2] > self.most:
            raise self.error
        return self.original(noisy, steps)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_smaller_tiles_after_the_memory_ran_out(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    samples = noisy_camera(200, 200)
    whole = restore_in_tiles(work, samples, [2.0], side=None, progress=silent)
    assert (whole.tiles, whole.smaller) == (1, 0)
    shares: list[float] = []
    monkeypatch.setattr(work, "images_after", Exhausted(work, 130 * 130, error))
    tiled = restore_in_tiles(work, samples, [2.0], side=None, progress=shares.append)
    assert (tiled.tiles, tiled.smaller) == (16, 2)  # 100 + 36 are too many, 52 + 2 * 36 are not
    assert np.abs(tiled.pictures[0] - whole.pictures[0]).max() <= 1 / 255  # the promise
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_tiles_of_the_users_size_and_the_smallest_are_not_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    monkeypatch.setattr(work, "images_after", Exhausted(work, 0, MemoryError("no more")))
    with pytest.raises(ResourceError, match="on a tile of 64 pixels") as caught:
        restore_in_tiles(work, noisy_camera(128, 128), [1.0], side=64, progress=silent)
    assert caught.value.cure == "--tile auto"
    with pytest.raises(ResourceError, match="on a tile of 32 pixels"):
        restore_in_tiles(work, noisy_camera(128, 128), [1.0], side=None, progress=silent)


def test_other_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    monkeypatch.setattr(work, "images_after", Exhausted(work, 0, RuntimeError("expected scalar type Float")))
    with pytest.raises(RuntimeError, match="expected scalar type"):
        restore_in_tiles(work, noisy_camera(64, 64), [1.0], side=None, progress=silent)


def test_the_side_follows_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    samples = noisy_camera(256, 256)
    assert memory.bytes_per_pixel(work.model.unit) == 7 * 16
    monkeypatch.setattr("durr.restoration.mosaic.tile_budget", lambda device: 7 * 16 * 128**2)
    tiled = restore_in_tiles(work, samples, [2.0], side=None, progress=silent)
    assert tiled.tiles == 5 * 5  # 128 less 2 halos of 36 leaves 56: 5 tiles each way


def test_the_budget_is_half_of_what_is_free_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.free_memory(CPU) is None or memory.free_memory(CPU) > 0
    for free, budget in ((None, 512 * 2**20), (100 * 2**30, 512 * 2**20), (2**20, 2**19)):
        monkeypatch.setattr(memory, "free_memory", lambda device, free=free: free)
        assert memory.tile_budget(CPU) == budget


def test_crops_are_spread_from_edge_to_edge() -> None:
    wide = np.arange(1000 * 2000).reshape(1000, 2000, 1)
    crops = decision.spread_crops(wide)
    assert [crop.shape for crop in crops] == [(192, 192, 1)] * 9
    assert (crops[0][0, 0, 0], crops[-1][-1, -1, 0]) == (0, 1000 * 2000 - 1)
    strip = np.zeros((40, 90000, 1))
    assert [crop.shape for crop in decision.spread_crops(strip)] == [(40, 192, 1)] * 4


def test_the_decision_on_crops_is_the_mean_of_the_rules_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    monkeypatch.setattr(decision, "WHOLE_PIXELS", 100)
    monkeypatch.setattr(work, "stopping_times", lambda lanes: torch.full((len(lanes),), 2.5, dtype=torch.float64))
    assert decision.decide(work, noisy_camera(400, 400)).steps == 2.5


def test_one_decision_for_all_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    work = inference()
    asked = []
    start = FixedSteps.start
    monkeypatch.setattr(FixedSteps, "start", lambda *given: asked.append(given[2].shape) or start(*given))
    assert decision.decide(work, noisy_camera(200, 200)).steps == 3
    restore_in_tiles(work, noisy_camera(200, 200), [3.0], side=64, progress=silent)
    assert asked == [(1, 1, 200, 200)]
