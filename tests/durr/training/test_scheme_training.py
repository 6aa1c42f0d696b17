"""Training under other schemes than Euler's: the loss, the coefficient that is learned, a kill, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run
from backbone.train.muon import Muon
from backbone.train.together import Together
from durr.degradation.degradation import Batch
from durr.degradation.noise import GaussianNoise
from durr.model import RestorationModel
from durr.training.loss import StoppedError
from durr.training.patches import DegradedPatches
from durr.training.schedule import HandSet
from durr.training.unit_training import UnitSettings, UnitTraining
from durr.training.validation import Validation
from durr.unfold import unfold
from durr.unit import RestorationUnit

NOISE = GaussianNoise(51.0)
PICTURE = skimage.data.camera()[::4, ::4, None]


def unit(scheme: str) -> RestorationUnit:
    return RestorationUnit(1, features=16, inner=16, scheme=scheme, generator=torch.Generator().manual_seed(0))


def patches() -> DegradedPatches:
    return DegradedPatches([PICTURE], batch=2, size=16, degradation=NOISE, seed=0)


def training(folder: Path, n_steps: int) -> UnitTraining:
    settings = UnitSettings(
        stage="unit",
        n_steps=n_steps,
        learning_rate=0.01,
        precision=torch.float32,
        device=torch.device("cpu"),
        save_every_s=0.0,
    )
    validation = Validation([PICTURE[:32, :32]], NOISE, torch.float32)
    return UnitTraining(
        settings,
        unit("lm"),
        HandSet(0, NOISE),
        patches(),
        validation,
        folder,
        progress=lambda text: None,
        log=lambda record: None,
    )


@pytest.mark.parametrize("scheme", ["euler", "heun", "lm"])
def test_the_loss_is_the_error_at_each_samples_end_by_the_units_scheme(scheme: str) -> None:
    net, batch = unit(scheme), patches().batch_of(1)
    counts = torch.tensor([3, 1])
    error = StoppedError(lambda batch: counts, torch.float32, NOISE)
    path = unfold(net, batch.degraded, until=None, max_steps=3).images
    ends = torch.stack([path[3, 0], path[1, 1]])
    ratios = (ends - batch.clean).square().mean(dim=(1, 2, 3)) / NOISE.typical_error(batch.level)
    by_hand = (1 + ratios).log().mean()
    torch.testing.assert_close(error(net, batch), by_hand, rtol=1e-5, atol=0.0)  # float32, other sums


def test_a_sample_that_explodes_pulls_little_more_than_the_others() -> None:
    net, batch = unit("euler"), patches().batch_of(1)
    error = StoppedError(lambda batch: torch.tensor([1, 1]), torch.float32, NOISE)

    def pull(of: Batch) -> float:
        slopes = torch.autograd.grad(error(net, of), list(net.parameters()))
        return float(torch.cat([slope.flatten() for slope in slopes]).norm())

    far = replace(batch, degraded=batch.degraded * torch.tensor([1.0, 1e4]).reshape(2, 1, 1, 1))
    # the mean of ratios would pull 1e8 times as much; the logarithm's slope by a logarithm is one at most
    assert pull(far) < 10 * pull(batch)


def test_optimisers_together_are_each_alone() -> None:
    nets = [torch.nn.Linear(3, 2) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    parts = [(Muon([net.weight], lr=0.1), torch.optim.Adam([net.bias], lr=0.1)) for net in nets]
    together = Together(parts[0])
    assert [group["lr"] for group in together.param_groups] == [0.1, 0.1]
    for _ in range(3):
        for net in nets:
            net.zero_grad()
            net(torch.ones(1, 3)).square().sum().backward()
        together.step()
        for part in parts[1]:
            part.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_multistep_units_coefficient_learns_and_a_stop_changes_no_bit(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("whole", "stopped")]
    for folder in folders:
        folder.mkdir()
    whole = training(folders[0], 12)
    begun = float(whole.update.net.scheme.k.detach())
    end = whole.run()
    assert abs(float(whole.update.net.scheme.k.detach()) - begun) > 1e-3
    half = training(folders[1], 12)

    def stop(text: str) -> None:
        if text.startswith("unit: step 5/"):
            raise RuntimeError("stopped")

    half.progress = stop
    with pytest.raises(RuntimeError, match="stopped"):
        half.run()
    again = training(folders[1], 12)
    assert again.resume()
    assert 3 < again.step < 6
    resumed = again.run()
    assert all(torch.equal(a, b) for a, b in zip(end.parameters(), resumed.parameters(), strict=True))


@pytest.mark.parametrize("scheme", ["lm", "heun"])
def test_the_command_trains_by_a_scheme_that_denoise_keeps(
    scheme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        rough = np.random.default_rng(number).integers(0, 256, (6, 8), dtype=np.uint8)
        Image.fromarray(rough).resize((48, 40), Image.Resampling.BICUBIC).save(tmp_path / f"{number}.png")
    words = ["train", "denoise", *(str(tmp_path / f"{number}.png") for number in range(3)), "--quiet", "--json"]
    words += ["--val", str(tmp_path / "3.png"), "--out", str(tmp_path / "run"), "--steps", "2", "--batch", "2"]
    words += ["--patch", "16", "--threads", "1", "--device", "cpu"]
    assert run(app, [*words, "--scheme", scheme]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["scheme"] == scheme
    weights = tmp_path / "run" / "model.safetensors"
    assert RestorationModel.load(weights).unit.stepping == scheme
    assert run(app, ["denoise", str(tmp_path / "3.png"), "--weights", str(weights), "--quiet"]) == 0
    capsys.readouterr()
    assert run(app, [*words, "--scheme", "verlet", "--overwrite"]) == 2
    assert "take one of euler, lm, heun, rk4" in capsys.readouterr().err
