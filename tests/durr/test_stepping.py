"""Units with a scheme: paths, inference step by step, how far a step looks, and what a model file remembers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from backbone.checkpoint import load_state, save_state
from backbone.errors import UsageError
from backbone.schemes import Memory
from durr.model import RestorationModel
from durr.restoration.inference import Inference
from durr.stepping import STEPPINGS
from durr.stopping import FixedSteps
from durr.unfold import images_after, unfold
from durr.unit import RestorationUnit

K = 0.3  # far enough from 0 for a step without memory to be seen


def unit(scheme: str) -> RestorationUnit:
    made = RestorationUnit(1, features=16, inner=16, scheme=scheme, generator=torch.Generator().manual_seed(0))
    for name, weight in made.named_parameters():
        if name == "scheme.k":
            torch.nn.init.constant_(weight, K)
    return made.requires_grad_(False)


def pictures(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(2))


def written_out(net: RestorationUnit, noisy: Tensor, n_steps: int) -> Tensor:
    """The state after n_steps steps, by the formulas of the schemes."""
    y = net.start(noisy)
    before = y
    for step in range(n_steps):
        k1 = net.field(0.0, y)
        if net.stepping == "heun":
            y = y + (k1 + net.field(0.0, y + k1)) / 2
        elif net.stepping == "rk4":
            k2 = net.field(0.0, y + k1 / 2)
            k3 = net.field(0.0, y + k2 / 2)
            y = y + (k1 + 2 * k2 + 2 * k3 + net.field(0.0, y + k3)) / 6
        elif net.stepping == "lm" and step > 0:
            y, before = (1 - K) * y + K * before + k1, y
        else:
            y, before = y + k1, y
    return net.image(y)


@pytest.mark.parametrize("scheme", STEPPINGS)
def test_every_scheme_unfolds_by_its_formula_and_step_by_step(scheme: str) -> None:
    net, noisy = unit(scheme), pictures(2, 1, 16, 12)
    path = unfold(net, noisy, until=None, max_steps=4).images
    # rounding of float32 in another order of sums
    torch.testing.assert_close(path[4], written_out(net, noisy, 4), rtol=1e-5, atol=1e-5)
    found = images_after(net, noisy, {4, 0, 2})
    assert sorted(found) == [0, 2, 4]
    for step, image in found.items():
        assert torch.equal(image, path[step])
    assert torch.equal(images_after(net, noisy, {0})[0], noisy)


def test_schemes_differ_and_share_the_units_weights() -> None:
    noisy = pictures(1, 1, 16, 16)
    ends = [unfold(unit(scheme), noisy, until=None, max_steps=3).last for scheme in STEPPINGS]
    for one in range(len(ends)):
        assert all(float((ends[one] - other).abs().max()) > 1e-4 for other in ends[one + 1 :])
    kernels = [[w for w in unit(scheme).parameters() if w.ndim > 1] for scheme in STEPPINGS]
    assert all(torch.equal(a, b) for other in kernels for a, b in zip(kernels[0], other, strict=True))


@pytest.mark.parametrize("scheme", STEPPINGS)
def test_a_step_looks_no_further_than_its_reach(scheme: str) -> None:
    net, image = unit(scheme).double(), pictures(1, 1, 160, 160).double()
    other = image.clone()
    other[0, 0, 80, 80] += 1.0
    ends = []
    for start in map(net.start, (image, other)):
        memory = net.scheme.start(start)
        assert isinstance(memory, Memory)
        ends.append(net.image(net.scheme.step(net.field, 0.0, 1.0, start, memory)[0]))
    changed = (ends[0] != ends[1])[0, 0].nonzero() - 80
    assert 0 < int(changed.abs().max()) <= net.reach


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scheme", STEPPINGS)
def test_a_model_file_remembers_the_scheme(scheme: str, precision: torch.dtype, tmp_path: Path) -> None:
    model = RestorationModel(
        task="denoise", unit=unit(scheme), rule=FixedSteps(3), max_steps=6, trained=(0.0, 0.2), levels=((0.1, 2.0),)
    )
    model.save(tmp_path / "model.safetensors")
    again = RestorationModel.load(tmp_path / "model.safetensors")
    assert again.unit.stepping == scheme
    works = [Inference(model=one, device=torch.device("cpu"), precision=precision) for one in (model, again)]
    ends = [work.images_after(pictures(1, 1, 16, 16), [3])[3] for work in works]
    assert torch.equal(*ends)
    assert ends[0].isfinite().all()
    path = works[0].path(pictures(1, 1, 16, 16))
    assert torch.equal(path.images[3], ends[0])


def test_a_file_from_before_there_was_a_choice_is_eulers(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    RestorationModel(
        task="denoise", unit=unit("euler"), rule=FixedSteps(3), max_steps=6, trained=(0.0, 0.2), levels=((0.1, 2.0),)
    ).save(path)
    state = load_state(path, kind="denoiser")
    del state["unit"]["configuration"]["scheme"]
    save_state(path, state, kind="denoiser")
    assert RestorationModel.load(path).unit.stepping == "euler"


def test_a_wrong_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no scheme 'verlet'"):
        unit("verlet")
