"""The bytes of one picture file with its name for errors and the size that may be decoded."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.errors import InputError


@dataclass(frozen=True)
class Source:
    """One file to decode. name: as the user gave it. max_pixels: rows times columns that may be decoded."""

    name: str
    content: bytes
    max_pixels: int

    def error(self, what: str, cure: str) -> InputError:
        """What makes this file unusable, ready to be raised."""
        return InputError(f"'{self.name}' {what}", where=self.name, cure=cure)

    def check_size(self, width: int, height: int) -> None:
        """Refuse a size, read from the header, that is impossible or above the limit, before anything is decoded."""
        if width < 1 or height < 1:
            raise self.error(f"has no pixels: {width} x {height}", "save it again from its source")
        if width * height > self.max_pixels:
            raise self.error(
                f"has {width} x {height} pixels = {width * height / 1e6:.0f} MP, above the limit of"
                f" {self.max_pixels / 1e6:.0f} MP",
                f"--max-pixels {width * height}",
            )

    def check_single(self, count: int, what: str) -> None:
        """Refuse a file that holds several pictures: `count` of them, called `what`."""
        if count > 1:
            raise self.error(
                f"holds {count} {what}; one picture a file is read", f"save each apart: magick '{self.name}' %03d.png"
            )
