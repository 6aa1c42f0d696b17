"""Times one training step of every network of backbone/nets beside the same network in plain PyTorch.

python benchmarks/step_times.py [--nets resnet,revnet] [--pairs 15]

The two take turns on one thread; a pair of turns gives one ratio of CPU seconds. Before, both must have the same loss
and the same gradient on the same weights. Results are merged into benchmarks/results/step_times.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from step_pairs import PAIRS, Loss, Pair
from torch import Tensor, nn

from backbone.atomic import write_atomic
from backbone.device import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "step_times.json"
TURN_S = 0.3  # CPU seconds of a turn, at least
ALLOWED = 1.1


def same_weights(ours: nn.Module, plain: nn.Module) -> None:
    """Give the plain network our weights, in their common order."""
    with torch.no_grad():
        for target, source in zip(plain.parameters(), ours.parameters(), strict=True):
            target.copy_(source)


def gradient(net: nn.Module, loss: Loss) -> tuple[float, Tensor]:
    """The loss and its gradient, in evaluation: nothing is drawn at random."""
    net.eval().zero_grad()
    value = loss(net)
    value.backward()
    slopes = torch.cat([weight.grad.reshape(-1).double() for weight in net.parameters()])
    net.train().zero_grad()
    return float(value.detach()), slopes


def demand_equal(name: str, ours: nn.Module, plain: nn.Module, loss: Loss) -> float:
    """How far the two gradients are apart, relative; float32 over some dozens of layers gives 1e-6 to 1e-4."""
    same_weights(ours, plain)
    (value, slopes), (plain_value, plain_slopes) = (gradient(net, loss) for net in (ours, plain))
    apart = float((slopes - plain_slopes).norm() / plain_slopes.norm())
    if abs(value - plain_value) > 1e-4 * abs(plain_value) or apart > 1e-3:
        raise SystemExit(f"{name}: not the same network: losses {value}, {plain_value}, gradients {apart:.1e} apart")
    return apart


def trainer(net: nn.Module, loss: Loss) -> Callable[[], None]:
    """One step of training: loss, gradient, update."""
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        loss(net).backward()
        optimiser.step()

    return step


def cpu_s(step: Callable[[], None], times: int) -> float:
    """CPU seconds of one step, the mean over some."""
    begun = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - begun) / times


def measure(name: str, pair: Pair, n_pairs: int) -> dict[str, Any]:
    """The figures of one network."""
    torch.manual_seed(0)
    ours, plain = pair.ours(), pair.plain()
    apart = demand_equal(name, ours, plain, pair.loss)
    steps = [trainer(net, pair.loss) for net in (ours, plain)]
    times = max(1, round(TURN_S / min(cpu_s(step, 2) for step in steps)))
    turns = []
    for number in range(n_pairs):
        order = (0, 1) if number % 2 else (1, 0)  # neither is always the first
        found = {which: cpu_s(steps[which], times) for which in order}
        turns.append((found[0], found[1]))
    ratios = [mine / other for mine, other in turns]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "size": pair.size,
        "ours_ms": 1e3 * statistics.median(mine for mine, _ in turns),
        "plain_ms": 1e3 * statistics.median(other for _, other in turns),
        "ratio": middle,
        "quartiles": [low, high],
        "pairs": n_pairs,
        "steps_a_turn": times,
        "gradients_apart": apart,
        "reached": middle <= ALLOWED,
    }


def main() -> None:
    """Measure the networks asked for, and save after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default=",".join(PAIRS), help="names, separated by commas")
    parser.add_argument("--pairs", type=int, default=15, help="pairs of turns, at least 2")
    options = parser.parse_args()
    names = options.nets.split(",")
    unknown = [name for name in names if name not in PAIRS]
    if unknown:
        parser.error(f"there is no network {', '.join(unknown)}; there are {', '.join(PAIRS)}")
    torch.set_num_threads(1)
    keep_freed_memory()
    document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"nets": {}}
    document["versions"] = {"torch": torch.__version__, "python": platform.python_version()}
    document["machine"] = f"{platform.machine()}, one thread"
    for name in names:
        found = measure(name, PAIRS[name], options.pairs)
        document["nets"][name] = found
        write_atomic(RESULTS, (json.dumps(document, indent=2) + "\n").encode())
        low, high = found["quartiles"]
        print(
            f"| {name} | {found['size']} | {found['ours_ms']:.1f} | {found['plain_ms']:.1f} | {found['ratio']:.3f} | "
            f"{low:.3f} to {high:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
