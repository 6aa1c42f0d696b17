"""Run by test_data_parallel.py in every one of two processes: each update moves the weights as one process does.

The processes leave no thread of their group behind, which could abort an interpreter at its end.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from backbone.data.shuffled import ShuffledBatches
from backbone.data_parallel import ALONE, CPU, Replicas, replicas_of_torchrun
from backbone.samples import Samples, cross_entropy
from backbone.stem import Stemmed
from backbone.train.adversarial import Adversarial
from backbone.train.algorithms import EXAMPLES, algorithm
from backbone.train.fit import fit
from backbone.train.gradient import Gradient
from durr.degradation.degradation import Batch
from durr.degradation.noise import GaussianNoise
from durr.training.loss import StoppedError
from durr.training.patches import DegradedPatches
from durr.training.schedule import HandSet
from durr.unit import RestorationUnit

EPS, UPDATES = 0.1, 3


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def classified(word: str, replicas: Replicas) -> list[Tensor]:
    """Weights of a small smooth net, float64, and the perturbations of the last batch where they are kept."""
    rest = nn.Sequential(nn.Tanh(), nn.Conv2d(4, 3, 3, stride=2), nn.SiLU(), nn.Flatten(), nn.Linear(27, 3))
    net = Stemmed(nn.Conv2d(1, 4, 3, padding=1), rest).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(0.4 * normal(*weight.shape, seed=k))
    samples = Samples((normal(12, 1, 8, 8) * 0.3 + 0.5).clamp(0, 1), torch.arange(12) % 3)
    generator = torch.Generator().manual_seed(3)
    update = Adversarial(
        net,
        cross_entropy,
        Adam(net.parameters(), lr=0.01),
        algorithm(word, EPS),
        eps=EPS,
        generator=generator,
        replicas=replicas,
    )
    batches = ShuffledBatches(samples, 4, 0, CPU, replicas)
    history = fit(update, batches.after(0), n_steps=UPDATES, replicas=replicas)
    kept = [update.eta] if word.startswith("free") and update.eta is not None else []
    return [*net.parameters(), torch.tensor(history.series("loss")), *kept]


def restored(scheme: str, replicas: Replicas) -> list[Tensor]:
    """Weights of a restoration unit, float64; samples stop at times of their own."""
    picture = (255 * torch.rand(40, 40, 1, generator=torch.Generator().manual_seed(0))).byte().numpy()
    noise = GaussianNoise(55.0)
    patches = DegradedPatches([picture], batch=4, size=16, degradation=noise, seed=0)
    unit = RestorationUnit(1, scheme=scheme, generator=torch.Generator().manual_seed(0)).double()
    times = HandSet(0, noise, replicas)
    loss = StoppedError(lambda batch: times(batch, 0), torch.float32, noise)
    update = Gradient(unit, loss, Adam(unit.parameters(), lr=1e-3, eps=1e-3), replicas)
    own = (doubled(batch).rows(replicas.own(4)) for batch in patches.after(0))
    fit(update, own, n_steps=UPDATES, replicas=replicas)
    return list(unit.parameters())


def doubled(batch: Batch) -> Batch:
    return Batch(batch.clean.double(), batch.degraded.double(), batch.level.double())


def half_used(replicas: Replicas) -> list[Tensor]:
    """A weight that only the last sample uses, one that none does, and running statistics of shares alike."""
    net = nn.ModuleDict({"used": nn.Linear(1, 1), "unused": nn.Linear(1, 1), "norm": nn.BatchNorm1d(1)}).double()
    start = copy.deepcopy(net["unused"])
    with torch.no_grad():
        net["used"].weight.fill_(0.5)
        net["used"].bias.fill_(0.0)

    def loss(net: nn.Module, batch: Tensor) -> Tensor:
        normed = net["norm"](torch.tensor([[1.0], [3.0]], dtype=batch.dtype)).sum()  # zero
        chosen = batch[batch > 2]
        return normed + (net["used"](chosen[:, None]).sum() if len(chosen) else 0.0) / len(batch)

    update = Gradient(net, loss, Adam(net.parameters(), lr=0.1, eps=1e-3), replicas)
    batch = torch.tensor([1.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    fit(update, [batch[replicas.own(4)]], n_steps=UPDATES, replicas=replicas)
    assert all(weight.grad is None for weight in net["unused"].parameters())
    assert torch.equal(net["unused"].weight, start.weight)
    return [*net["used"].parameters(), net["norm"].running_mean, net["norm"].running_var]


def difference(found: list[Tensor], exact: list[Tensor]) -> float:
    return max(float(((a - b).abs().max() / b.abs().max()).detach()) for a, b in zip(found, exact, strict=True))


def threads_of_group() -> list[str]:
    names = (path.read_text() for path in Path("/proc/self/task").glob("*/comm"))
    return [name for name in names if "gloo" in name]


def main() -> None:
    """Leaves with an assertion where something differs."""
    torch.set_num_threads(1)
    with replicas_of_torchrun(CPU) as replicas:
        assert replicas.size == 2
        assert not replicas.any(False)
        assert replicas.any(replicas.rank == 1)
        assert replicas.told("only the first speaks" if replicas.first else "") == "only the first speaks"
        # float64: nothing differs but the order of sums over samples
        for word in EXAMPLES:
            assert difference(classified(word, replicas), classified(word, ALONE)) < 1e-12, word
        for scheme in ("euler", "lm"):
            assert difference(restored(scheme, replicas), restored(scheme, ALONE)) < 1e-10, scheme
        assert difference(half_used(replicas), half_used(ALONE)) < 1e-12
        assert threads_of_group()
    assert not threads_of_group()
    print(f"rank {replicas.rank} of 2 equals one process")


if __name__ == "__main__":
    main()
