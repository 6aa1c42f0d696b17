"""Picture files restored one after the other: one bad file never stops the others, and nothing is half-written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from backbone.errors import Failure, OutputError, ResourceError
from durr.images.inputs import STDIN, STDOUT
from durr.images.naming import Pair
from durr.images.picture import Picture
from durr.images.reader import read_picture
from durr.images.writer import check_encodable, encode_picture, output_format, write_content
from durr.memory import is_out_of_memory
from durr.restorer import Restored, Restorer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for every file of a batch.

    strengths: by the mark in the name of their output. sigma: noise of 0 ... 255, None for blind.
    """

    strengths: Mapping[str, float]
    sigma: float | None
    format: str
    max_pixels: int
    overwrite: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """One file restored. before: the picture as read; after: one for each of `targets`. seconds: of restoring alone."""

    source: Path
    targets: tuple[Path, ...]
    strengths: tuple[float, ...]
    before: Picture
    after: tuple[Restored, ...]
    seconds: float

    @property
    def megapixels(self) -> float:
        """Rows times columns in millions."""
        return self.before.pixels.shape[0] * self.before.pixels.shape[1] / 1e6

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader and the restorer found worth saying."""
        return self.before.notes + self.after[0].notes


@dataclass(frozen=True, kw_only=True)
class Failed:
    """One file that could not be restored, and why."""

    source: Path
    targets: tuple[Path, ...]
    failure: Failure


def restore_files(
    restorer: Restorer, pairs: Sequence[Pair], settings: Settings, progress: Callable[[Path, float], None]
) -> Iterator[Done | Failed]:
    """Restore every input of a plan and write its outputs; yields as each is done.

    progress: is told the file and the share of it that is done.
    """
    for source, group in groupby(pairs, key=lambda pair: pair.source):
        outputs = list(group)
        progress(source, 0.0)
        try:
            yield _restore_file(restorer, source, outputs, settings, progress)
        except Failure as failure:
            yield Failed(source=source, targets=_targets(outputs), failure=failure)
        except BrokenPipeError:  # nobody reads stdout any more
            raise
        except Exception as error:  # a bug shows in this file's report, and the others are restored all the same
            yield Failed(source=source, targets=_targets(outputs), failure=_unexpected(error, source))


def _restore_file(
    restorer: Restorer,
    source: Path,
    outputs: Sequence[Pair],
    settings: Settings,
    progress: Callable[[Path, float], None],
) -> Done:
    content = sys.stdin.buffer.read() if source == STDIN else source
    picture = read_picture(content, max_pixels=settings.max_pixels)
    for output in outputs:
        named = None if output.target == STDOUT else output.target
        check_encodable(picture, output_format(picture, settings.format, named))
    strengths = tuple(settings.strengths[output.mark] for output in outputs)
    begun = time.perf_counter()
    after = restorer.sweep(picture.pixels, strengths, settings.sigma, progress=lambda share: progress(source, share))
    seconds = time.perf_counter() - begun
    for output, restored in zip(outputs, after, strict=True):
        _write(output.target, picture, restored, content, settings)
    return Done(
        source=source,
        targets=_targets(outputs),
        strengths=strengths,
        before=picture,
        after=tuple(after),
        seconds=seconds,
    )


def _write(target: Path, picture: Picture, restored: Restored, content: Path | bytes, settings: Settings) -> None:
    """Write one output; an untouched picture of the same format is the file itself, so that JPEG loses nothing."""
    kind = output_format(picture, settings.format, None if target == STDOUT else target)
    if restored.steps == 0 and kind == picture.format:
        encoded = content if isinstance(content, bytes) else content.read_bytes()
    else:
        encoded = encode_picture(replace(picture, pixels=restored.image), kind.lower())
    if target == STDOUT:
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()
    else:
        write_content(target, encoded, overwrite=settings.overwrite)


def _targets(outputs: Sequence[Pair]) -> tuple[Path, ...]:
    return tuple(output.target for output in outputs)


def _unexpected(error: Exception, source: Path) -> Failure:
    """An error that no one foresaw as one that can be told in three lines."""
    if is_out_of_memory(error):
        failure: Failure = ResourceError(f"out of memory: {error}", where=str(source), cure="--tile 256")
    elif isinstance(error, OSError):
        where = str(error.filename or source)
        failure = OutputError(error.strerror or str(error), where=where, cure="-o another folder")
    else:
        failure = Failure(
            f"this is our mistake: {type(error).__name__}: {error}",
            where=str(source),
            cure="run again with --debug and report what it prints",
        )
    failure.__cause__ = error
    return failure
