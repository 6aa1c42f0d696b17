"""Damaged files through the whole of `denoise`: never a traceback, never long, never much memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from durr.batch.dejpeg import Dejpeg
from durr.batch.denoising import Denoising
from durr.batch.report import line, record
from durr.batch.run import Done, Failed, Settings, restore_files
from durr.images.naming import Pair
from durr.images.reader import MAX_PIXELS
from durr.model import Task
from durr.restorer import Restorer

FEW, MANY = 40, 1000  # mutants of a format: always, and by `-m slow`
LONGEST = 10.0  # seconds for one file
MOST = 1 << 30  # bytes above what the process had
FORMATS = {"PNG": "png", "JPEG": "jpeg|cmyk|progressive", "TIFF": "tiff|tiles|lzw", "WEBP": "webp", "BMP": "bmp"}
HUGE = (0, 1, 255, 2**15, 2**16 - 1, 14_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Mutation = Callable[[bytes, np.random.Generator], bytes]


def flipped(content: bytes, chance: np.random.Generator) -> bytes:
    """Single bits, one to ten of them."""
    changed = bytearray(content)
    for place in chance.integers(0, len(content), chance.integers(1, 11)):
        changed[place] ^= 1 << int(chance.integers(8))
    return bytes(changed)


def flipped_at_the_head(content: bytes, chance: np.random.Generator) -> bytes:
    return flipped(content[:120], chance) + content[120:]


def truncated(content: bytes, chance: np.random.Generator) -> bytes:
    return content[: int(chance.integers(12, len(content)))]


def spliced(content: bytes, chance: np.random.Generator) -> bytes:
    """A stretch is taken out, and put back elsewhere, once or several times."""
    first, last = sorted(int(place) for place in chance.integers(8, len(content), 2))
    stretch, rest = content[first:last], content[:first] + content[last:]
    place = int(chance.integers(8, len(rest) + 1))
    return rest[:place] + stretch * int(chance.integers(0, 4)) + rest[place:]


def declared(content: bytes, chance: np.random.Generator) -> bytes:
    """A number of 16 or 32 bits in the first 200 bytes says something huge, or nothing."""
    width = int(chance.choice([2, 4]))
    order = "big" if chance.random() < 0.5 else "little"
    number = int(chance.choice(HUGE)) % 256**width
    place = int(chance.integers(8, min(200, len(content) - width)))
    return content[:place] + number.to_bytes(width, order) + content[place + width :]


MUTATIONS: tuple[Mutation, ...] = (flipped, flipped_at_the_head, truncated, spliced, declared)


def mutants(seeds: list[bytes], count: int, repaired: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Every seed in turn under every mutation in turn; repaired: half of the PNG files, with right checksums."""
    chance = np.random.default_rng(21)
    for k in range(count):
        mutant = MUTATIONS[k % len(MUTATIONS)](seeds[k // len(MUTATIONS) % len(seeds)], chance)
        png = mutant.startswith(b"\x89PNG")
        yield repaired(mutant) if chance.random() < 0.5 and png else mutant


def peak() -> int:
    """Bytes that the process took at most since the last reset; 0 where the system does not say."""
    if not STATUS.exists():
        return 0
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024


def reset_peak() -> None:
    if RESET.exists():
        RESET.write_text("5")


@pytest.fixture
def survive(
    task: Task, grey_model: Path, jpeg_model: Path, tmp_path: Path, with_right_checksums: Callable[[bytes], bytes]
) -> Callable[[list[bytes], int], None]:
    """survive(seeds, count): every mutant is restored, or refused in words."""
    repair, weights = {"denoise": (Denoising(), grey_model), "dejpeg": (Dejpeg(), jpeg_model)}[task]
    restorer = Restorer.from_file(weights, device="cpu", precision="float32")
    alone = Settings(
        repair=repair, strengths={"": 1.0}, format="keep", max_pixels=MAX_PIXELS, overwrite=True, proved=True
    )
    settings = (alone, replace(alone, stack=True))
    path = tmp_path / "mutant"

    def run(seeds: list[bytes], count: int) -> None:
        kinds = set()
        for k, mutant in enumerate(mutants(seeds, count, with_right_checksums)):
            path.write_bytes(mutant)
            reset_peak()
            before, begun = peak(), time.perf_counter()
            (file,) = restore_files(restorer, [Pair(path, tmp_path / "out")], settings[k % 2], lambda path, share: None)
            assert time.perf_counter() - begun < LONGEST, k
            assert peak() - before < MOST, k
            assert json.dumps(record(file), allow_nan=False) + line(file)
            if isinstance(file, Failed) and file.failure.kind in ("INTERNAL", "RESOURCE"):
                raise AssertionError(f"mutant {k}") from file.failure.__cause__
            kinds.add(type(file))
        assert kinds == {Done, Failed}

    return run


def seeds_of(kind: str, seeds: dict[str, bytes]) -> list[bytes]:
    return [content for name, content in seeds.items() if any(word in name for word in FORMATS[kind].split("|"))]


ROUTES = [*((kind, "denoise") for kind in FORMATS), ("JPEG", "dejpeg")]


@pytest.mark.parametrize(("kind", "task"), ROUTES)
def test_mutants(kind: str, seeds: dict[str, bytes], survive: Callable[[list[bytes], int], None]) -> None:
    survive(seeds_of(kind, seeds), FEW)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "task"), ROUTES)
def test_a_thousand_mutants(kind: str, seeds: dict[str, bytes], survive: Callable[[list[bytes], int], None]) -> None:
    survive(seeds_of(kind, seeds), MANY)
