"""The whole of `learn` on a device that is told: a GPU finds what a CPU does, but for the order of sums."""

from __future__ import annotations

import pytest
import torch

import pdenet
from pdenet.fields.field import Field

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def learnt(field: Field, device: str, **words: str | int) -> dict[str, float]:
    (equation,) = pdenet.fit(field, device=device, **words).equations_
    return dict(zip(map(str, equation.terms), equation.coefficients, strict=True))


@pytest.mark.parametrize("name", ["burgers", "noisy_advection"])
def test_no_tensor_is_made_on_an_implicit_device(name: str, request: pytest.FixtureRequest) -> None:
    """With another default device every tensor made without its own would land there and meet the others in vain."""
    field = request.getfixturevalue(name)
    with torch.device("meta"):
        assert learnt(field, "cpu", order=2, degree=2)


def test_no_tensor_of_fields_is_made_on_an_implicit_device(heat: Field) -> None:
    with torch.device("meta"):
        assert pdenet.FieldPDENet(varying="x", order=2, device="cpu").fit(heat).equation_


# noisy data go through roll-outs and likelihood, whose conjugate gradients stop at 1e-5 of the misfit
@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize(("name", "same"), [("burgers", 1e-8), ("noisy_advection", 1e-4)])
def test_a_gpu_finds_what_a_cpu_finds(name: str, same: float, request: pytest.FixtureRequest) -> None:
    field = request.getfixturevalue(name)
    assert learnt(field, "cuda", order=2, degree=2) == pytest.approx(learnt(field, "cpu", order=2, degree=2), rel=same)


@pytest.mark.gpu
@needs_gpu
def test_coefficients_as_fields_on_a_gpu(noisy_advection: Field) -> None:
    texts = {
        pdenet.FieldPDENet(varying="x", order=2, device=device).fit(noisy_advection).equation_
        for device in ("cuda", "cpu")
    }
    assert len(texts) == 1
