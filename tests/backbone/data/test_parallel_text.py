"""Parallel text: files, vocabulary, batches by length; dropout, and a translator that learns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from backbone.check import check
from backbone.data.parallel_text import (
    BEGIN,
    END,
    PAD,
    UNKNOWN,
    SentencePairs,
    TextBatch,
    TextBatches,
    Vocabulary,
    read_pairs,
    tokens,
)
from backbone.dropout import Dropout
from backbone.dynamics import Autonomous, Shared
from backbone.errors import InputError, UsageError
from backbone.gradients import Checkpoint
from backbone.grid import Grid
from backbone.nets.translation import TranslationShape, Translator
from backbone.schemes import Euler
from backbone.train.fit import fit
from backbone.train.gradient import Gradient

GERMAN = ("Ein Mann, ein Hund.", "Zwei Hunde laufen.", "Ein Hund!")
ENGLISH = ("A man, a dog.", "Two dogs are running.", "A dog!")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def text(sentences: tuple[str, ...]) -> bytes:
    return "".join(f"{sentence}\n" for sentence in sentences).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus in the layout of Multi30k, one side zipped."""
    (tmp_path / "train.de.gz").write_bytes(gzip.compress(text(GERMAN)))
    (tmp_path / "train.en").write_bytes(text(ENGLISH))
    return tmp_path


def test_pairs_are_read_line_by_line(folder: Path) -> None:
    assert read_pairs(folder, "train") == SentencePairs(GERMAN, ENGLISH)
    (folder / "train.en").write_bytes(text(ENGLISH).rstrip(b"\n"))  # a last line without its end is a line
    assert read_pairs(folder, "train", source="en", target="de") == SentencePairs(ENGLISH, GERMAN)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.en", b"one line\n", "3 sentences in de, 1 in en"),
        ("train.en", b"\xff\n\n\n", "no text can be read"),
        ("train.de.gz", b"no gzip", "no text can be read"),
        ("train.de.gz", gzip.compress(text(GERMAN))[:-9], "no text can be read"),
    ],
)
def test_what_is_no_parallel_text_is_refused(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_pairs(folder, "train")
    with pytest.raises(InputError, match="no text can be read"):
        read_pairs(folder, "val")


def test_a_vocabulary_numbers_what_is_frequent() -> None:
    assert tokens("It's 2 o'clock, \u00dcber!") == ["it", "'", "s", "2", "o", "'", "clock", ",", "\u00fcber", "!"]
    words = Vocabulary.of(GERMAN)
    assert words.words == ("ein", ".", "hund")  # three times, then twice, by alphabet
    assert len(words) == 7
    numbers = words.numbers("Ein Hund laeuft.")
    assert numbers == [BEGIN, 4, 6, UNKNOWN, 5, END]
    assert words.sentence([*numbers, 4, PAD]) == "ein hund ? ."
    with pytest.raises(UsageError, match="no word comes 9 times"):
        Vocabulary.of(GERMAN, at_least=9)


def many(n: int) -> SentencePairs:
    """Sentences of 1 to 9 words, the target a word longer."""
    source = tuple(" ".join(["w"] * (1 + k % 9)) for k in range(n))
    return SentencePairs(source, tuple(f"{sentence} w" for sentence in source))


def test_batches_hold_every_pair_once_within_their_size() -> None:
    pairs = many(50)
    vocabulary = Vocabulary.of(pairs.source)
    batches = TextBatches(pairs, vocabulary, vocabulary, n_tokens=48, generator=seeded())
    epoch, other = list(batches), list(batches)
    assert sum(len(batch.source) for batch in epoch) == 50
    lengths = sorted(int((row != PAD).sum()) for batch in epoch for row in batch.source)
    assert lengths == sorted(2 + len(sentence.split()) for sentence in pairs.source)
    for batch in epoch:
        assert max(batch.source.numel(), batch.wanted.numel() + len(batch.wanted)) <= 48
        assert torch.equal(batch.target[:, 1:], batch.wanted[:, :-1])
        assert bool((batch.target[:, 0] == BEGIN).all())
        assert bool(((batch.wanted == END).sum(1) == 1).all())
    assert [len(batch.source) for batch in epoch] != [len(batch.source) for batch in other]
    with pytest.raises(UsageError, match="a sentence of 12 words in batches of 11"):
        TextBatches(pairs, vocabulary, vocabulary, n_tokens=11, generator=seeded())


def test_dropout_keeps_the_mean_and_is_off_after_eval() -> None:
    drop, x = Dropout(0.3, seeded()), torch.ones(200, 200)
    dropped = drop(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)  # 6 deviations of 0.0033
    assert torch.equal(Dropout(0.3, seeded())(x), dropped)
    assert drop.eval()(x) is x
    with pytest.raises(UsageError, match="Dropout in training with Checkpoint"):
        check(Shared(Autonomous(drop.train())), x, Grid((0.0, 1.0)), Euler(), gradient=Checkpoint(1), save="last")


def test_a_translator_drops_only_in_training() -> None:
    shape = TranslationShape(source_words=9, target_words=9, features=16, inner=32, layers=1, dropout=0.3)
    with pytest.raises(UsageError, match="dropout has nothing to draw with"):
        Translator(shape, generator=seeded())
    with pytest.raises(UsageError, match=r"dropout 1\.0"):
        TranslationShape(source_words=9, target_words=9, dropout=1.0)
    net, words = Translator(shape, generator=seeded(), draws=seeded(1)), torch.tensor([[BEGIN, 5, 6, END]])
    assert not torch.equal(net(words, words), net(words, words))
    net.eval()
    plain = Translator(TranslationShape(**{**vars(shape), "dropout": 0.0}), generator=seeded())
    assert torch.equal(net(words, words), plain(words, words))


def test_a_translator_learns_a_few_sentences() -> None:
    pairs = SentencePairs(GERMAN, ENGLISH)
    source, target = (Vocabulary.of(side, at_least=1) for side in (GERMAN, ENGLISH))
    batches = TextBatches(pairs, source, target, n_tokens=64, generator=seeded())
    shape = TranslationShape(
        source_words=len(source), target_words=len(target), features=32, inner=32, layers=1, dropout=0.1
    )
    net = Translator(shape, generator=seeded(), draws=seeded(1))

    def loss(net: torch.nn.Module, batch: TextBatch) -> torch.Tensor:
        logits = net(batch.source, batch.target)
        return functional.cross_entropy(logits.flatten(0, 1), batch.wanted.flatten(), ignore_index=PAD)

    fit(Gradient(net, loss, torch.optim.Adam(net.parameters(), lr=3e-3)), batches, n_steps=80)
    net.eval()
    (batch,) = batches
    said = {target.sentence(row.tolist()) for row in net(batch.source, batch.target).argmax(2)}
    assert said == {" ".join(tokens(sentence)) for sentence in ENGLISH}
