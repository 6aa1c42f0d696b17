"""Processes that share the steps of a layer-parallel solve, as `torchrun` starts them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from backbone.errors import UsageError
from backbone.mgrit import Points

HOLDS_THE_GROUP = "torch.distributed.nn.functional"  # in the defaults of its functions


@contextmanager
def process_group(backend: str, *, timeout: timedelta, device: torch.device | None = None) -> Iterator[Ranks]:
    """The processes that torchrun started, joined over gloo or nccl until the block ends well.

    Not after an error, when the others may wait elsewhere: the process ends. timeout: of a message. device: nccl's.
    """
    # A module that takes the group for a default would keep it, and its threads, till the interpreter ends; they may
    # abort the process then (github.com/pytorch/pytorch/pull/179291). Loaded before, it finds no group.
    importlib.import_module(HOLDS_THE_GROUP)
    dist.init_process_group(backend, timeout=timeout, device_id=device)
    yield Ranks.started()
    dist.destroy_process_group()


@dataclass(frozen=True)
class Ranks:
    """The chain of all processes of torch.distributed's default group: each has an equal share of the steps, in order.

    Every process calls `integrate` with the same arguments; each learns the last state, and d loss / d y0 and d loss /
    d weights in full. order: 1, or -1 for the way back. gloo sends between processors, nccl between GPUs.
    """

    rank: int
    size: int
    order: int = 1

    @classmethod
    def started(cls) -> Ranks:
        """Those that torchrun started. Raises UsageError outside of it."""
        if not dist.is_initialized():
            raise UsageError(
                "there is no group of processes",
                where="Ranks.started",
                cure="with process_group('gloo') in a script started by torchrun --standalone",
            )
        return cls(dist.get_rank(), dist.get_world_size())

    def back(self) -> Ranks:
        return replace(self, order=-self.order)

    def own(self, n_steps: int) -> slice:
        if n_steps % self.size:
            raise UsageError(
                f"{n_steps} steps cannot be shared by {self.size} processes",
                where="Ranks",
                cure=f"a multiple of {self.size} steps",
            )
        share = n_steps // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def shift(self, u: Points) -> None:
        first, operations = torch.empty_like(u[0]), []
        if self._exists(self._after):
            operations.append(dist.P2POp(dist.isend, u[-1].contiguous(), self._after))
        if self._exists(self._before):
            operations.append(dist.P2POp(dist.irecv, first, self._before))
        for request in dist.batch_isend_irecv(operations) if operations else ():
            request.wait()
        if self._exists(self._before):
            u[0] = first

    def receive(self, u: Points) -> None:
        if self._exists(self._before):
            first = torch.empty_like(u[0])
            dist.recv(first, self._before)
            u[0] = first

    def send(self, u: Points) -> None:
        if self._exists(self._after):
            dist.send(u[-1].contiguous(), self._after)

    def known(self, u: Points) -> Points:
        last = u[-1:].clone()
        dist.broadcast(last, self.size - 1)
        return last

    def first(self, u: Points) -> Tensor:
        first = u[0].clone()
        dist.broadcast(first, 0)
        return first

    def total(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """One message for all: the parts behind one another."""
        if not parts:
            return []
        whole = torch.cat([part.reshape(-1) for part in parts])
        dist.all_reduce(whole)
        pieces = torch.split(whole, [part.numel() for part in parts])
        return [piece.view_as(part) for piece, part in zip(pieces, parts, strict=True)]

    @property
    def _before(self) -> int:
        return self.rank - self.order

    @property
    def _after(self) -> int:
        return self.rank + self.order

    def _exists(self, rank: int) -> bool:
        return 0 <= rank < self.size
