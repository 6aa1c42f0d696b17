"""Processes that train copies of one network on shares of every batch, as `torchrun` starts them.

Each update is that of one process with the whole batch: what differs is the order in which the gradients of its samples
are summed. Gradients are averaged in `backbone.train.descent`, not by torch's DistributedDataParallel, whose hooks wait
for `backward` and miss what `torch.autograd.grad` gives: all of adversarial training, and YOPO's products most of all.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from backbone.errors import ResourceError, UsageError
from backbone.ranks import Ranks, process_group
from backbone.runs import RunFolder

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
CPU = torch.device("cpu")
PATIENCE = timedelta(days=7)  # the first may work alone for hours; one that has died is noticed at once


@dataclass(frozen=True)
class Replicas:
    """This process among those that share the batches of a training; by default there is no other.

    All call every method alike and in the same order, `own` and `drawn` apart. device: of the network and of messages.
    Raises ResourceError where another process has ended.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = CPU

    @property
    def first(self) -> bool:
        """Whether this is the one that validates, talks and writes."""
        return self.rank == 0

    def as_dict(self) -> dict[str, int]:
        """What decides the last bits of the weights: the number of processes, unless it is one."""
        return {} if self.size == 1 else {"processes": self.size}

    def own(self, n: int) -> slice:
        """The share of n samples. Raises UsageError if they cannot be shared equally."""
        if n % self.size:
            raise UsageError(
                f"a batch of {n} cannot be shared by {self.size} processes",
                where="--batch",
                cure=f"--batch {n + -n % self.size}",
            )
        return Ranks(self.rank, self.size).own(n)

    def drawn(self, like: Tensor, draw: Callable[[Tensor], Tensor]) -> Tensor:
        """Random numbers for the own samples: their rows of what one process would draw for the whole batch."""
        whole = like.new_empty(self.size * len(like), *like.shape[1:])
        return draw(whole)[self.own(len(whole))]

    def averaged(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """The means over all processes, in one message; the same bits everywhere."""
        with _peers():
            return [total / self.size for total in Ranks(self.rank, self.size).total(parts)]

    def mean(self, value: Tensor) -> float:
        """The mean of a number over all processes."""
        return value.item() if self.size == 1 else self.averaged([value.detach()])[0].item()

    def any(self, flag: bool) -> bool:
        """Whether it is so for one process at least."""
        return flag if self.size == 1 else self.mean(torch.tensor(float(flag), device=self.device)) > 0

    def wait(self) -> None:
        """Until all are here."""
        self.any(False)

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows of all, as those of the whole batch."""
        if self.size == 1:
            return rows
        shares = [torch.empty_like(rows) for _ in range(self.size)]
        with _peers():
            dist.all_gather(shares, rows.contiguous())
        return torch.cat(shares)

    def told(self, text: str) -> str:
        """What the first one says."""
        if self.size == 1:
            return text
        said = torch.tensor(list(text.encode()), dtype=torch.uint8, device=self.device)
        length = torch.tensor(len(said), device=self.device)
        with _peers():
            dist.broadcast(length, 0)
            heard = said if self.first else said.new_empty(int(length))
            dist.broadcast(heard, 0)
        return bytes(heard.tolist()).decode()


ALONE = Replicas()


@contextmanager
def replicas_of_torchrun(device: torch.device) -> Iterator[Replicas]:
    """The processes that torchrun started, over gloo on the CPU, over nccl on GPUs, one each; alone outside of it.

    Raises UsageError where they cannot have a GPU each.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Replicas(device=device)
        return
    _end_with_parent()
    if device.type == "cuda":
        device = _own_device(device)
        group = process_group("nccl", timeout=PATIENCE, device=device)
    else:
        group = process_group("gloo", timeout=PATIENCE)
    with group as ranks:
        yield Replicas(ranks.rank, ranks.size, device)


def demand_alone(command: str) -> None:
    """Raise UsageError for a command that several processes would do several times."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size > 1:
        raise UsageError(f"{command} cannot be shared by {size} processes", where="torchrun", cure="leave torchrun out")


@contextmanager
def shared_run(
    replicas: Replicas, command: str, settings: Mapping[str, Any], *, out: Path | None, overwrite: bool, resume: bool
) -> Iterator[RunFolder]:
    """The run folder of all processes, once it agrees with the settings: the first writes it, the others only read.

    None leaves before all are done with it. Raises OutputError as `RunFolder.create`, UsageError as `RunFolder.agree`.
    """
    if replicas.first:
        with RunFolder.create(command, out, overwrite, resume=resume) as run:
            run.agree({**settings, **replicas.as_dict()}, resume)
            replicas.told(str(run.work))
            yield run
            replicas.wait()
    else:
        work = Path(replicas.told(""))
        yield RunFolder(work, work)
        replicas.wait()


def _own_device(device: torch.device) -> torch.device:
    n, here = torch.cuda.device_count(), int(os.environ["LOCAL_WORLD_SIZE"])
    if device.index is not None or n < here:
        raise UsageError(
            f"{here} processes need a GPU each, of {n}",
            where=f"--device {device}",
            cure="--device cuda and --nproc-per-node with the number of GPUs, or --device cpu",
        )
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(own)
    return own


def _end_with_parent() -> None:
    """Let the kernel end this process when torchrun is killed, which could not pass that on (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


@contextmanager
def _peers() -> Iterator[None]:
    """Messages fail when another process has ended: it has told why, or was killed."""
    try:
        yield
    except RuntimeError as error:
        raise ResourceError(
            "another process of this training has ended", where="torchrun", cure="the same command with --resume"
        ) from error
