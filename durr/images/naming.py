"""Which output belongs to which input, decided and checked for the whole batch before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from backbone.errors import OutputError, UsageError
from durr.images.content import EXTENSIONS, format_of_name, format_of_word
from durr.images.inputs import STDIN, STDOUT, Found, find_pictures
from durr.images.picture import Format

SUFFIX = "_denoised"
Existing = Literal["refuse", "skip", "overwrite"]


class Pair(NamedTuple):
    """One picture to read and the file to write; `Path("-")` is stdin and stdout. mark: as given to `plan`."""

    source: Path
    target: Path
    mark: str = ""


@dataclass(frozen=True)
class Plan:
    """The pairs to work on, which iteration gives, and those whose output exists and stays."""

    pairs: tuple[Pair, ...]
    skipped: tuple[Pair, ...] = ()

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True)
class _Destination:
    """Where outputs go: beside their inputs (neither), into a folder, or into one file (stdout too)."""

    folder: Path | None = None
    file: Path | None = None


def plan(
    inputs: Sequence[str | Path],
    *,
    output: str | Path | None = None,
    suffix: str | None = None,
    ending: str = SUFFIX,
    format: str = "keep",  # noqa: A002  the option's name
    recursive: bool = False,
    existing: Existing = "refuse",
    marks: Sequence[str] = ("",),
) -> Plan:
    """Pair every input with its output, or with one for each mark.

    inputs: files, folders, patterns such as "scans/*.tif", or "-". output: a folder, in which the sub-folders of an
    input folder or pattern are repeated; a file; "-" for stdout; or None for beside the inputs. A name is a file's if
    it ends like a picture and is no folder. suffix: put behind the name, `ending` unless a folder is given. format:
    another word than "keep" replaces the extension. marks: between name and suffix, one for each output of an input.
    Raises UsageError for words that do not go together and for two inputs with one output, InputError for inputs that
    are not there, OutputError for outputs that exist, are inputs themselves, or have no place to be written to.
    """
    kind = format_of_word(format)
    if suffix is not None and os.sep in suffix:
        raise UsageError(f"'{suffix}' is no part of a file name", where="--suffix", cure=f"--suffix {ending}")
    single = len(inputs) == 1 and (Path(inputs[0]) == STDIN or Path(inputs[0]).is_file())
    destination = _destination(output, kind, single)
    ending = (ending if destination.folder is None else "") if suffix is None else suffix

    def is_output(path: Path) -> bool:
        """Whether a file in a folder comes from an earlier run of this plan."""
        if destination.folder is None:
            return bool(ending) and path.stem.endswith(ending)
        return not _same_folder(destination.folder, inputs) and _is_inside(path, destination.folder)

    found = find_pictures(inputs, recursive=recursive, leave_out=is_output)
    pairs = [Pair(each.path, _target(each, destination, mark + ending, kind), mark) for each in found for mark in marks]
    _check_one_input_each(pairs, destination.file)
    _check_no_input_is_lost(pairs, existing)
    for folder in dict.fromkeys(pair.target.parent for pair in pairs if pair.target != STDOUT):
        _check_writable(folder)
    return _settle_existing(pairs, existing)


def _destination(output: str | Path | None, kind: Format | None, single: bool) -> _Destination:
    """What the word of `-o` means. single: the only input is a file or stdin."""
    if output is None:
        return _Destination()
    path = Path(output)
    if path == STDOUT:
        return _Destination(file=STDOUT)
    if path.is_dir() or str(output).endswith(os.sep):
        return _Destination(folder=path)
    named = format_of_name(path)
    if named is None and path.suffix and single:
        words = " ".join(extensions[0] for extensions in EXTENSIONS.values())
        raise UsageError(
            f"'{path.suffix}' is not written", where=f"-o {path}", cure=f"end the name with one of {words}"
        )
    if named is None:
        return _Destination(folder=path)
    if kind not in (None, named):
        raise UsageError(
            f"the name '{path.name}' says {named}, --format says {kind}", where="-o", cure="leave out --format"
        )
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder '{path.parent}'", where=f"-o {path}", cure=f"mkdir -p '{path.parent}'")
    return _Destination(file=path)


def _target(found: Found, destination: _Destination, ending: str, kind: Format | None) -> Path:
    """The output of one input."""
    path = found.path
    if destination.file is not None:
        return destination.file
    if path == STDIN:
        if destination.folder is None:
            return STDOUT
        raise UsageError("a picture from stdin has no name", where="-o", cure=f"-o {destination.folder / 'out.png'}")
    extension = path.suffix if kind in (None, format_of_name(path)) else EXTENSIONS[kind][0]
    folder = path.parent
    if destination.folder is not None:
        folder = destination.folder / path.parent.relative_to(found.base)
    return folder / f"{path.stem}{ending}{extension}"


def _check_one_input_each(pairs: list[Pair], file: Path | None) -> None:
    """UsageError if two inputs would be written to one output."""
    if file is not None and len(pairs) > 1:
        several = "outputs of each input" if pairs[0].mark else "inputs"
        raise UsageError(f"{len(pairs)} {several} and one output '{file}'", where="-o", cure="-o FOLDER/")
    taken: dict[Path, Path] = {}
    for source, target, _ in pairs:
        if target in taken:
            raise UsageError(
                f"'{taken[target]}' and '{source}' would both be written to '{target}'",
                where="names of the outputs",
                cure="leave out --format, or run them with different -o folders",
            )
        taken[target] = source


def _check_no_input_is_lost(pairs: list[Pair], existing: Existing) -> None:
    """OutputError if an output is its own input, under this name or another, or another input that would not stay."""
    inputs = {_identity(pair.source): pair.source for pair in pairs if pair.source != STDIN}
    for source, target, _ in pairs:
        if target == STDOUT or not target.exists():
            continue
        lost = inputs.get(_identity(target))
        if lost is not None and (existing != "skip" or lost == source):
            raise OutputError(
                f"'{target}' would overwrite the input '{lost}'",
                where="-o and --suffix",
                cure=f"--suffix {SUFFIX}, or -o another folder",
            )


def _check_writable(folder: Path) -> None:
    """OutputError if files cannot be made in a folder, or the folder itself cannot."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise OutputError(f"'{there}' is a file, not a folder", where=f"-o {folder}", cure="-o another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"'{there}' cannot be written", where=f"-o {folder}", cure="-o a folder of your own")


def _settle_existing(pairs: list[Pair], existing: Existing) -> Plan:
    """The plan by the policy for outputs that exist; OutputError if they are to be refused or are folders."""
    there = [pair for pair in pairs if pair.target != STDOUT and pair.target.exists()]
    folder = next((pair.target for pair in there if pair.target.is_dir()), None)
    if folder is not None:
        raise OutputError(f"'{folder}' is a folder", where="output", cure="--suffix another ending")
    if existing == "skip":
        kept = set(there)
        return Plan(tuple(pair for pair in pairs if pair not in kept), tuple(there))
    if there and existing == "refuse":
        what = f"'{there[0].target}' exists"
        if len(there) > 1:
            what = f"{len(there)} of {len(pairs)} outputs exist, the first is '{there[0].target}'"
        raise OutputError(what, where="output", cure="--skip-existing or --overwrite")
    return Plan(tuple(pairs))


def _identity(path: Path) -> tuple[int, int]:
    """What two names of one file have in common."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _same_folder(folder: Path, inputs: Sequence[str | Path]) -> bool:
    """Whether an input folder is the output folder or lies in it, so that its pictures are meant."""
    return any(_is_inside(Path(word), folder) for word in inputs)
