"""The repair of JPEG as a batch does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from backbone.errors import InputError
from durr.batch.repair import Found, Pages, read_pages
from durr.images.content import HEAD, format_of_name, recognise
from durr.images.picture import Format, Picture
from durr.jpeg.compression import Compression
from durr.model import Task
from durr.restorer import Restored, Restorer

END_OF_IMAGE = b"\xff\xd9"  # the marker that a file which was cut off lacks


@dataclass(frozen=True)
class Dejpeg:
    """A `Repair` of what JPEG left. quality: of the compression, None for blind."""

    task: ClassVar[Task] = "dejpeg"
    suffix: ClassVar[str] = "_restored"
    quality: int | None = None

    def format_for(self, output: str | None) -> str:
        """PNG, which loses nothing again, unless a single output is named otherwise."""
        return "png" if output is None or format_of_name(output) is None else "keep"

    def read(self, content: Path | bytes, *, max_pixels: int, stack: bool) -> Pages:
        """As every picture is read; of a JPEG file that was cut off, what is there."""
        try:
            return read_pages(content, max_pixels=max_pixels, stack=stack)
        except InputError as error:
            rest = _cut_off(content, max_pixels)
            if rest is None:
                raise
            return Pages((rest,), missing=f"{error.what}; what can be decoded is restored, the rest is grey")

    def restore(
        self, restorer: Restorer, page: Picture, strengths: Sequence[float], progress: Callable[[float], None]
    ) -> list[Restored]:
        table = page.encoding.tables[0] if page.encoding.tables else ()
        return restorer.sweep(page.pixels, strengths, quality=self.quality, table=table, progress=progress)

    def found(self, pages: Sequence[Restored]) -> Found:
        """The compression of the page that was compressed most."""
        every = [page.compression or Compression() for page in pages]
        worst = min(every, key=lambda one: one.quality or 100)
        return Found(str(worst), worst.as_dict())

    def result(self, page: Picture, restored: Restored) -> Picture:
        """Not with the tables that did the damage."""
        return replace(page, pixels=restored.image, encoding=replace(page.encoding, tables=(), sampling=-1))

    def warning(self, target: Format, restored: Sequence[Restored]) -> str:
        if target != "JPEG" or all(image.steps == 0 for image in restored):
            return ""
        return "written as JPEG again, which loses part of what was gained: --format png keeps it"


def _cut_off(content: Path | bytes, max_pixels: int) -> Picture | None:
    """What can be decoded of a JPEG file without its end, the rest grey; None if it is none, or nothing can be."""
    if isinstance(content, Path) and not content.is_file():
        return None
    whole = content if isinstance(content, bytes) else content.read_bytes()
    if recognise(whole[:HEAD]) != "JPEG":
        return None
    try:
        return read_pages(whole + END_OF_IMAGE, max_pixels=max_pixels, stack=False).pictures[0]
    except InputError:
        return None
