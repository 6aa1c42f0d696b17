"""The picture files that words on a command line stand for: files, folders, patterns, and `-` for stdin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from glob import has_magic
from pathlib import Path
from typing import NamedTuple

from backbone.errors import InputError, UsageError
from durr.images.content import READABLE, format_of_name

STDIN = STDOUT = Path("-")


class Found(NamedTuple):
    """One input. base: the folder that its place under an output folder is counted from."""

    path: Path
    base: Path


def find_pictures(words: Sequence[str | Path], *, recursive: bool, leave_out: Callable[[Path], bool]) -> list[Found]:
    """Every picture once, in the order of the words, inside folders and patterns in the order of their names.

    A file that is named is taken whatever its name; in a folder, only names with a picture's extension that are not
    hidden. recursive: sub-folders too. leave_out: files of a folder that are no inputs.
    Raises UsageError for no word or `-` among others, InputError for a word that stands for no picture.
    """
    texts = [str(word) for word in words]
    if not texts:
        raise UsageError("no picture is named", where="IN", cure="pdenet-durr denoise photo.png")
    if "-" in texts:
        if len(texts) > 1:
            raise UsageError(f"'-' (stdin) among {len(texts)} inputs", where="IN", cure="give '-' alone")
        return [Found(STDIN, Path())]
    every = [found for text in texts for found in _stands_for(Path(text), recursive, leave_out)]
    once = {found.path.resolve(): found for found in reversed(every)}  # the first of equals stays
    return [found for found in every if once[found.path.resolve()] is found]


def every_picture(places: Sequence[Path]) -> list[Path]:
    """All pictures of files and folders, their sub-folders too: data to train on or to measure with."""
    return [found.path for found in find_pictures(places, recursive=True, leave_out=lambda path: False)]


def missing(path: Path) -> InputError:
    """No such file: the pictures that are there instead, and the nearest name."""
    folder = path.parent
    if not folder.is_dir():
        return InputError(f"cannot find '{path}'", where=f"there is no folder '{folder}'", cure="check the path")
    names = sorted(entry.name for entry in folder.iterdir() if format_of_name(entry) and entry.is_file())
    near = get_close_matches(path.name, names, n=1)
    cure = f"did you mean '{folder / near[0]}'?" if near else f"ls '{folder}', then name a file"
    return InputError(f"cannot find '{path}'", where=f"pictures in '{folder}': {_listed(names)}", cure=cure)


def _stands_for(path: Path, recursive: bool, leave_out: Callable[[Path], bool]) -> list[Found]:
    """The pictures of one word."""
    if path.is_dir():
        return _in_folder(path, recursive, leave_out)
    if path.exists():
        return [Found(path, path.parent)]
    if not has_magic(str(path)):
        raise missing(path)
    base = _folder_before_pattern(path)
    matches = sorted(match for match in base.glob(str(path.relative_to(base))) if match.is_file())
    files = [match for match in matches if not any(part.startswith(".") for part in match.relative_to(base).parts)]
    if not files:
        raise InputError(f"no file is called like '{path}'", where=str(base), cure=f"ls '{base}', then name a file")
    kept = [match for match in files if not leave_out(match)]
    return [Found(match, base) for match in kept or files]  # a pattern of nothing but outputs means them


def _in_folder(folder: Path, recursive: bool, leave_out: Callable[[Path], bool]) -> list[Found]:
    """The pictures of a folder; InputError that tells what is there if there is none."""
    pictures = list(_walk(folder, recursive))
    files = [Found(path, folder) for path in pictures if not leave_out(path)]
    if files:
        return files
    if pictures:
        there, cure = f"{len(pictures)} outputs of earlier runs", "name one of them to take it as an input"
    elif not recursive and next(_walk(folder, True), None):
        there, cure = "sub-folders with pictures", f"--recursive '{folder}'"
    else:
        names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
        there, cure = _listed(names), "name a folder with pictures"
    raise InputError(f"no picture ({READABLE}) in '{folder}'", where=f"in it: {there}", cure=cure)


def _walk(folder: Path, recursive: bool) -> Iterator[Path]:
    """Files named like pictures that are not hidden, a folder's own before those of its sub-folders."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            if format_of_name(name) and not name.startswith("."):
                yield Path(place, name)


def _folder_before_pattern(path: Path) -> Path:
    """The folders of a pattern before the first with a wildcard."""
    parts = path.parts[:-1]
    fixed = next((k for k, part in enumerate(parts) if has_magic(part)), len(parts))
    return Path(*parts[:fixed])


def _listed(names: list[str]) -> str:
    """At most five names."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "nothing"
