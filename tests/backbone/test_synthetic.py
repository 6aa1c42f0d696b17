"""Points in the plane: where they lie, how many there are of each class, and that a generator decides them."""

from __future__ import annotations

import math

import torch

from backbone.synthetic import eight_gaussians, ellipses, peaks, swiss_roll


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_peaks_are_drawn_equally_from_five_ranges() -> None:
    data = peaks(2000, generator=seeded())
    assert torch.bincount(data.labels).tolist() == [400] * 5
    assert float(data.points.abs().max()) <= 3.0
    assert torch.unique(data.points, dim=0).shape[0] == 2000
    # MATLAB's peaks has its summit, 8.1, at (-0.01, 1.58) and its lowest point, -6.5, at (0.23, -1.63)
    for label, place in ((4, (-0.01, 1.58)), (0, (0.23, -1.63))):
        distance = (data.points - torch.tensor(place, dtype=torch.float64)).norm(dim=1)
        assert int(data.labels[distance.argmin()]) == label
    assert torch.equal(peaks(2000, generator=seeded()).points, data.points)


def test_ellipses_lie_in_one_another() -> None:
    data = ellipses(1000, generator=seeded())
    radius = torch.hypot(data.points[:, 0], data.points[:, 1] / 0.4)
    assert bool((radius[data.labels == 0] <= 1.0).all())
    assert bool((radius[data.labels == 1] >= 1.0).all())
    assert float(radius.max()) <= 2.0
    assert torch.bincount(data.labels).tolist() == [500, 500]


def test_the_arms_of_the_swiss_roll_keep_their_distance() -> None:
    data = swiss_roll(512)
    inner, outer = data.points[data.labels == 0], data.points[data.labels == 1]
    assert inner.shape == outer.shape == (256, 2)
    torch.testing.assert_close(
        (outer - inner).norm(dim=1), torch.full((256,), 0.2, dtype=torch.float64), rtol=0.0, atol=1e-12
    )
    torch.testing.assert_close(outer[-1], torch.tensor([1.2, 0.0], dtype=torch.float64), rtol=0.0, atol=1e-12)


def test_eight_gaussians_stand_on_a_circle() -> None:
    points = eight_gaussians(8000, generator=seeded())
    angle = torch.atan2(points[:, 1], points[:, 0])
    nearest = (angle / (math.pi / 4)).round() % 8
    counts = torch.bincount(nearest.long(), minlength=8)
    assert int(counts.min()) > 900  # 1000 each, standard deviation 30
    assert abs(float(points.norm(dim=1).mean()) - 2.01) < 0.02  # 2 + 0.2^2 / (2 * 2)
