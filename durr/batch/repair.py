"""What a batch does to every picture: the part in which denoising and the repair of JPEG differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from durr.images.picture import Format, Picture
from durr.images.reader import read_picture, read_stack
from durr.model import Task
from durr.restorer import Restored, Restorer


class Pages(NamedTuple):
    """The pictures of one file, most often one. missing: what of the file could not be read, empty if all could."""

    pictures: tuple[Picture, ...]
    missing: str = ""


class Found(NamedTuple):
    """What was found out about a file: in words for people, and by name for a record."""

    words: str
    facts: dict[str, Any]


@runtime_checkable
class Repair(Protocol):
    """One repair of picture files. task: of its models. suffix: of its outputs."""

    task: ClassVar[Task]
    suffix: ClassVar[str]

    def format_for(self, output: str | None) -> str:
        """The word for --format where none is given. output: the word of -o."""
        ...

    def read(self, content: Path | bytes, *, max_pixels: int, stack: bool) -> Pages:
        """The pictures of a file. Raises InputError and ResourceError as `read_picture`."""
        ...

    def restore(
        self, restorer: Restorer, page: Picture, strengths: Sequence[float], progress: Callable[[float], None]
    ) -> list[Restored]:
        """One picture at several strengths."""
        ...

    def found(self, pages: Sequence[Restored]) -> Found:
        """What was found out about the pages of a file."""
        ...

    def result(self, page: Picture, restored: Restored) -> Picture:
        """The picture to write."""
        ...

    def warning(self, target: Format, restored: Sequence[Restored]) -> str:
        """What is to be said about an output of this format, or nothing."""
        ...


def read_pages(content: Path | bytes, *, max_pixels: int, stack: bool) -> Pages:
    """Every page of a file if it may have several, else its picture."""
    if stack:
        return Pages(read_stack(content, max_pixels=max_pixels))
    return Pages((read_picture(content, max_pixels=max_pixels),))
