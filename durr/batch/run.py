"""Picture files restored one after the other: one bad file never stops the others, and nothing is half-written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import fmean

from backbone.errors import Failure, OutputError, ResourceError
from durr.batch.repair import Found, Repair
from durr.images.account import Part, account
from durr.images.inputs import STDIN, STDOUT
from durr.images.metadata import losses
from durr.images.naming import Pair
from durr.images.picture import Format, Picture
from durr.images.reader import read_stack
from durr.images.writer import check_stack, encode_stack, output_format, write_content
from durr.restoration.memory import is_out_of_memory
from durr.restorer import Restored, Restorer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for every file of a batch.

    strengths: by the mark in the name of their output. stack: files may have several pages, each restored on its own.
    proved: every output is read again, and what is in it compared with the input.
    """

    repair: Repair
    strengths: Mapping[str, float]
    format: str
    max_pixels: int
    overwrite: bool
    stack: bool = False
    proved: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """One file restored.

    before: its pages as read, most often one. after: of each page the image for each of `targets`. seconds: of
    restoring alone. missing: what of the file could not be read, empty if all could. told: what the writing of the
    outputs gave cause to say. accounts: for each of `targets` what became of the file's parts, if that was asked for.
    """

    source: Path
    targets: tuple[Path, ...]
    strengths: tuple[float, ...]
    before: tuple[Picture, ...]
    after: tuple[tuple[Restored, ...], ...]
    seconds: float
    found: Found
    missing: str = ""
    told: tuple[str, ...] = ()
    accounts: tuple[tuple[Part, ...], ...] = ()

    @property
    def megapixels(self) -> float:
        """Rows times columns of all pages in millions."""
        return sum(page.pixels.shape[0] * page.pixels.shape[1] for page in self.before) / 1e6

    @property
    def steps(self) -> tuple[float, ...]:
        """For each target where on the path it stands, the mean over its pages."""
        return tuple(fmean(restored.steps for restored in pages) for pages in zip(*self.after, strict=True))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader, the restorer and the writer found worth saying, each once."""
        restored = [note for page in self.after for note in page[0].notes]
        every = [self.missing, *self.before[0].notes, *restored, *self.told]
        return tuple(dict.fromkeys(note for note in every if note))


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
    repair = settings.repair
    content = sys.stdin.buffer.read() if source == STDIN else source
    pages, missing = repair.read(content, max_pixels=settings.max_pixels, stack=settings.stack)
    formats = [_format(pages[0], output.target, settings) for output in outputs]
    for kind in formats:
        check_stack(pages, kind)
    strengths = tuple(settings.strengths[output.mark] for output in outputs)
    begun = time.perf_counter()
    after = []
    for k, page in enumerate(pages):
        told = partial(_tell_share, progress, source, k, len(pages))
        after.append(tuple(repair.restore(restorer, page, strengths, told)))
    seconds = time.perf_counter() - begun
    results = list(zip(*after, strict=True))
    accounts = [
        _put_out(output.target, kind, pages, restored, content, settings)
        for output, kind, restored in zip(outputs, formats, results, strict=True)
    ]
    return Done(
        source=source,
        targets=_targets(outputs),
        strengths=strengths,
        before=pages,
        after=tuple(after),
        seconds=seconds,
        found=repair.found([page[0] for page in after]),
        missing=missing,
        told=_told(repair, formats, pages[0], results),
        accounts=tuple(accounts) if settings.proved else (),
    )


def _format(picture: Picture, target: Path, settings: Settings) -> Format:
    return output_format(picture, settings.format, None if target == STDOUT else target)


def _tell_share(progress: Callable[[Path, float], None], source: Path, page: int, n_pages: int, share: float) -> None:
    """The share of one page as a share of its file."""
    progress(source, (page + share) / n_pages)


def _told(
    repair: Repair, formats: Sequence[Format], first: Picture, results: Sequence[Sequence[Restored]]
) -> tuple[str, ...]:
    """What the outputs give cause to say."""
    pairs = zip(formats, results, strict=True)
    return tuple(words for kind, done in pairs for words in (repair.warning(kind, done), *_lost(kind, first, done)))


def _put_out(
    target: Path,
    kind: Format,
    pages: Sequence[Picture],
    restored: Sequence[Restored],
    content: Path | bytes,
    settings: Settings,
) -> tuple[Part, ...]:
    """Write one output; the account of its parts, if that is asked for: what cannot be read again is not written."""
    encoded = _encoded(kind, pages, restored, content, settings)
    parts = account(pages, read_stack(encoded, max_pixels=settings.max_pixels)) if settings.proved else ()
    _write(target, encoded, settings)
    return parts


def _encoded(
    kind: Format,
    pages: Sequence[Picture],
    restored: Sequence[Restored],
    content: Path | bytes,
    settings: Settings,
) -> bytes:
    """One output; an untouched picture of the same format is the file itself, so that JPEG loses nothing."""
    if _is_untouched(kind, pages[0], restored):
        return content if isinstance(content, bytes) else content.read_bytes()
    results = [settings.repair.result(page, image) for page, image in zip(pages, restored, strict=True)]
    return encode_stack(results, kind.lower())


def _is_untouched(kind: Format, first: Picture, restored: Sequence[Restored]) -> bool:
    return kind == first.format and all(image.steps == 0 for image in restored)


def _lost(kind: Format, first: Picture, restored: Sequence[Restored]) -> tuple[str, ...]:
    """What of the file is not in an output of this format."""
    if _is_untouched(kind, first, restored):
        return ()
    return (*losses(first, kind), *(f"not kept: {what}" for what in first.metadata.dropped))


def _write(target: Path, encoded: bytes, settings: Settings) -> None:
    """To stdout, or into a file in one go."""
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
