"""Sentences in two languages, line by line in two files: read, numbered by a vocabulary, batched by length."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from backbone.errors import InputError, UsageError

PAD, BEGIN, END, UNKNOWN = range(4)  # numbers that stand for no word: filling, a sentence's ends, a word not known
SPECIAL = 4
TOKEN = re.compile(r"\w+|[^\w\s]")

Numbers = tuple[list[int], list[int]]  # of a pair
Words = Int[Tensor, "batch token"]


@dataclass(frozen=True)
class SentencePairs:
    """source[i] and target[i] say the same."""

    source: tuple[str, ...]
    target: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.source)


def read_pairs(folder: Path, name: str, *, source: str = "de", target: str = "en") -> SentencePairs:
    """The pairs of `name.source` and `name.target` in a folder, UTF-8, one sentence a line, each with or without .gz.

    That is how Multi30k and most parallel texts come. Raises InputError for files that are missing, no text, empty or
    of different lengths.
    """
    sides = [_lines(folder / f"{name}.{language}") for language in (source, target)]
    if len(sides[0]) != len(sides[1]) or not sides[0]:
        raise InputError(
            f"{len(sides[0])} sentences in {source}, {len(sides[1])} in {target}",
            where=str(folder / f"{name}.*"),
            cure="give files with one sentence a line, translated line by line",
        )
    return SentencePairs(*map(tuple, sides))


def _lines(path: Path) -> list[str]:
    zipped = path.with_name(f"{path.name}.gz")
    found = zipped if zipped.exists() else path
    try:
        content = gzip.decompress(found.read_bytes()) if found == zipped else found.read_bytes()
        return content.decode("utf-8").split("\n")[: -1 if content.endswith(b"\n") else None]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            f"no text can be read: {error}", where=str(found), cure=f"give {path.name} or {zipped.name}, in UTF-8"
        ) from error


def tokens(sentence: str) -> list[str]:
    """The words and the marks of a sentence, in small letters."""
    return TOKEN.findall(sentence.lower())


@dataclass(frozen=True)
class Vocabulary:
    """words[i] has the number SPECIAL + i."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[str], *, at_least: int = 2) -> Vocabulary:
        """The words that come at least so often, the most frequent first, equally frequent ones by alphabet."""
        counts = Counter(word for sentence in sentences for word in tokens(sentence))
        kept = sorted((word for word in counts if counts[word] >= at_least), key=lambda word: (-counts[word], word))
        if not kept:
            raise UsageError(
                f"no word comes {at_least} times",
                where="Vocabulary.of(at_least=)",
                cure="at_least=1, or more sentences",
            )
        return cls(tuple(kept))

    def __len__(self) -> int:
        return SPECIAL + len(self.words)

    def numbers(self, sentence: str) -> list[int]:
        """A sentence as numbers, from BEGIN to END."""
        return [BEGIN, *(self.places.get(word, UNKNOWN) for word in tokens(sentence)), END]

    def sentence(self, numbers: Sequence[int]) -> str:
        """The words up to END, with spaces between."""
        words = []
        for number in numbers:
            if number == END:
                break
            if number >= SPECIAL:
                words.append(self.words[number - SPECIAL])
            elif number == UNKNOWN:
                words.append("?")
        return " ".join(words)

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of every word."""
        return {word: SPECIAL + place for place, word in enumerate(self.words)}


@dataclass(frozen=True, eq=False)
class TextBatch:
    """source: words from BEGIN to END. target: those that a decoder is told, from BEGIN on. wanted: the next ones.

    Shorter sentences are filled up with PAD.
    """

    source: Words
    target: Int[Tensor, "batch target_token"]
    wanted: Int[Tensor, "batch target_token"]


class TextBatches:
    """Pairs as batches; every iteration goes through all of them once, in an order of its own.

    n_tokens: of a batch at most, filling included, in the longer of the two languages. A batch has sentences of similar
    lengths, so that little is filled. Raises UsageError for a sentence that no batch can hold.
    """

    def __init__(
        self,
        pairs: SentencePairs,
        source: Vocabulary,
        target: Vocabulary,
        *,
        n_tokens: int = 4096,
        generator: torch.Generator,
    ) -> None:
        self.numbers = [
            (source.numbers(one), target.numbers(other)) for one, other in zip(pairs.source, pairs.target, strict=True)
        ]
        longest = max(map(_length, self.numbers))
        if longest > n_tokens:
            raise UsageError(
                f"a sentence of {longest} words in batches of {n_tokens}",
                where="TextBatches(n_tokens=)",
                cure=f"n_tokens={longest} or more",
            )
        self.n_tokens = n_tokens
        self.generator = generator

    def __iter__(self) -> Iterator[TextBatch]:
        order = torch.randperm(len(self.numbers), generator=self.generator).tolist()
        groups = list(self._groups(sorted(order, key=lambda place: _length(self.numbers[place]))))
        for group in torch.randperm(len(groups), generator=self.generator).tolist():
            yield _filled([self.numbers[place] for place in groups[group]])

    def _groups(self, places: Sequence[int]) -> Iterator[list[int]]:
        """Sentences of growing length, as many together as n_tokens allow."""
        group: list[int] = []
        for place in places:
            if group and (len(group) + 1) * _length(self.numbers[place]) > self.n_tokens:
                yield group
                group = []
            group.append(place)
        yield group


def _length(pair: Numbers) -> int:
    return max(map(len, pair))


def _filled(pairs: Sequence[Numbers]) -> TextBatch:
    source, target = (
        pad_sequence([torch.tensor(pair[side]) for pair in pairs], batch_first=True, padding_value=PAD)
        for side in (0, 1)
    )
    return TextBatch(source, target[:, :-1], target[:, 1:])
