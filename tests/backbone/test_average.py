"""The average of the weights against its own formula, and across a resume."""

from __future__ import annotations

import torch
from torch import nn

from backbone.train.average import WeightAverage
from backbone.train.fit import Progress


def walk(net: nn.Linear, average: WeightAverage, values: list[float]) -> None:
    for value in values:
        nn.init.constant_(net.weight, value)
        average(Progress(1, {}))


def test_the_average_is_the_recursion_and_shares_no_memory() -> None:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)
    average = WeightAverage(net, decay=0.75)
    walk(net, average, [2.0, 3.0])
    first = 1 + (2 - 1) * (1 / 1.1)  # the warm-up: share 1 / (step / 10 + 1)
    second = first + (3 - first) * (1 / 1.2)
    assert abs(average.net.weight.item() - second) < 1e-6  # float32 of numbers near 3
    walk(net, average, [3.0] * 40)
    nn.init.zeros_(net.weight)
    assert abs(average.net.weight.item() - 3.0) < 1e-3  # 0.75^40
    assert not any(weight.requires_grad for weight in average.net.parameters())


def test_a_resumed_average_goes_on_bit_for_bit() -> None:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)
    whole, part = WeightAverage(net), WeightAverage(net)
    values = [0.1 * k for k in range(20)]
    walk(net, whole, values)
    walk(net, part, values[:7])
    resumed = WeightAverage(net)
    resumed.load_state_dict(part.state_dict())
    walk(net, resumed, values[7:])
    assert torch.equal(resumed.net.weight, whole.net.weight)
