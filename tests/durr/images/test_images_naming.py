"""Which output belongs to which input: a table of command lines in one folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backbone.errors import Failure, InputError, OutputError, UsageError
from durr.images.naming import plan

FILES = [
    "a.jpg",
    "b.PNG",
    "notes.txt",
    ".hidden.png",
    "photos/c.tif",
    "photos/d.png",
    "photos/d_denoised.png",
    "photos/.cache/e.png",
    "photos/deep/c.tif",
    "photos/deep/f.jpeg",
    "twins/g.jpg",
    "twins/g.png",
    "texts/readme.md",
    "texts/more/x.csv",
    "nested/inner/h.png",
    "out/old.png",
    "done/i_denoised.png",
    "scan.2024",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pairs(*inputs: str, **options: object) -> dict[str, str]:
    return {str(pair.source): str(pair.target) for pair in plan(inputs, **options)}


def under(old: str, new: str, *names: str) -> dict[str, str]:
    """The same names in another folder."""
    return {f"{old}/{name}": f"{new}/{name}" for name in names}


@pytest.mark.parametrize(
    ("inputs", "options", "expected"),
    [
        (["a.jpg"], {}, {"a.jpg": "a_denoised.jpg"}),
        (["b.PNG"], {}, {"b.PNG": "b_denoised.PNG"}),
        (["a.jpg"], {"format": "png"}, {"a.jpg": "a_denoised.png"}),
        (["photos/deep/f.jpeg"], {"format": "jpeg"}, {"photos/deep/f.jpeg": "photos/deep/f_denoised.jpeg"}),
        (["b.PNG"], {"format": "tiff"}, {"b.PNG": "b_denoised.tif"}),
        (["scan.2024"], {}, {"scan.2024": "scan_denoised.2024"}),
        (["a.jpg"], {"suffix": "-clean"}, {"a.jpg": "a-clean.jpg"}),
        (["a.jpg"], {"output": "new.png"}, {"a.jpg": "new.png"}),
        (["a.jpg"], {"output": "new.png", "format": "png"}, {"a.jpg": "new.png"}),
        (["a.jpg"], {"output": "out"}, {"a.jpg": "out/a.jpg"}),
        (["a.jpg"], {"output": "out/"}, {"a.jpg": "out/a.jpg"}),
        (["a.jpg"], {"output": "new/"}, {"a.jpg": "new/a.jpg"}),
        (["a.jpg"], {"output": "new"}, {"a.jpg": "new/a.jpg"}),
        (["a.jpg"], {"output": "out", "suffix": "_x", "format": "webp"}, {"a.jpg": "out/a_x.webp"}),
        (["a.jpg", "b.PNG"], {"output": "new.d"}, {"a.jpg": "new.d/a.jpg", "b.PNG": "new.d/b.PNG"}),
        (["a.jpg"], {"output": "-"}, {"a.jpg": "-"}),
        (["-"], {}, {"-": "-"}),
        (["-"], {"output": "-"}, {"-": "-"}),
        (["-"], {"output": "new.tif"}, {"-": "new.tif"}),
        (["photos"], {}, {"photos/c.tif": "photos/c_denoised.tif", "photos/d.png": "photos/d_denoised.png"}),
        (
            ["photos/"],
            {"output": "out", "suffix": ""},
            under("photos", "out", "c.tif", "d.png", "d_denoised.png"),
        ),
        (
            ["photos"],
            {"output": "new", "recursive": True},
            under("photos", "new", "c.tif", "d.png", "d_denoised.png", "deep/c.tif", "deep/f.jpeg"),
        ),
        (
            ["photos/*.png"],
            {"output": "new"},
            under("photos", "new", "d.png", "d_denoised.png"),
        ),
        (["photos/*.tif"], {"output": "new.d"}, {"photos/c.tif": "new.d/c.tif"}),
        (["photos/*.tif"], {}, {"photos/c.tif": "photos/c_denoised.tif"}),
        (["photos/*_denoised.png"], {}, {"photos/d_denoised.png": "photos/d_denoised_denoised.png"}),
        (["photos/**/*.tif"], {"output": "new"}, under("photos", "new", "c.tif", "deep/c.tif")),
        (["*.png"], {"output": "new.png"}, None),
        (["a.jpg", "a.jpg", "./a.jpg"], {}, {"a.jpg": "a_denoised.jpg"}),
        (
            ["photos/deep", "photos/deep/f.jpeg"],
            {"output": "new"},
            under("photos/deep", "new", "c.tif", "f.jpeg"),
        ),
        (["photos/d_denoised.png"], {}, {"photos/d_denoised.png": "photos/d_denoised_denoised.png"}),
        (["twins"], {}, {"twins/g.jpg": "twins/g_denoised.jpg", "twins/g.png": "twins/g_denoised.png"}),
    ],
    ids=str,
)
def test_names(inputs: list[str], options: dict[str, object], expected: dict[str, str] | None) -> None:
    if expected is None:  # hidden files are no matches
        with pytest.raises(InputError, match="no file is called like"):
            plan(inputs, **options)
        return
    assert pairs(*inputs, existing="overwrite", **options) == expected


@pytest.mark.parametrize(
    ("inputs", "options", "error", "words"),
    [
        ([], {}, UsageError, "no picture is named"),
        (["-", "a.jpg"], {}, UsageError, "among 2 inputs"),
        (["-"], {"output": "out"}, UsageError, "stdin has no name"),
        (["a.jpg"], {"format": "gif"}, UsageError, "'gif' is not a format"),
        (["a.jpg"], {"suffix": "x/y"}, UsageError, "no part of a file name"),
        (["a.jpg"], {"output": "new.gif"}, UsageError, "'.gif' is not written"),
        (["a.jpg"], {"output": "new.png", "format": "tiff"}, UsageError, "says PNG, --format says TIFF"),
        (["a.jpg", "b.PNG"], {"output": "new.png"}, UsageError, "2 inputs and one output 'new.png'"),
        (["a.jpg", "b.PNG"], {"output": "-"}, UsageError, "2 inputs and one output '-'"),
        (
            ["twins"],
            {"format": "png"},
            UsageError,
            "g.jpg' and 'twins/g.png' would both be written to 'twins/g_den",
        ),
        (
            ["photos/c.tif", "photos/deep"],
            {"output": "new"},
            UsageError,
            "'photos/c.tif' and 'photos/deep/c.tif' would",
        ),
        (["a.jpeg"], {}, InputError, "cannot find 'a.jpeg'"),
        (["nowhere/a.jpeg"], {}, InputError, "cannot find"),
        (["*.webp"], {}, InputError, "no file is called like"),
        (["empty"], {}, InputError, "no picture .* in 'empty'"),
        (["texts"], {}, InputError, "no picture .* in 'texts'"),
        (["nested"], {}, InputError, "no picture .* in 'nested'"),
        (["done"], {}, InputError, "no picture .* in 'done'"),
        (["a.jpg"], {"output": "nowhere/new.png"}, OutputError, "there is no folder 'nowhere'"),
        (["a.jpg"], {"suffix": ""}, OutputError, "would overwrite the input 'a.jpg'"),
        (["a.jpg"], {"output": "."}, OutputError, "would overwrite the input 'a.jpg'"),
        (["a.jpg"], {"output": "a.jpg"}, OutputError, "would overwrite the input 'a.jpg'"),
        (
            ["photos/d.png", "photos/d_denoised.png"],
            {},
            OutputError,
            "would overwrite the input 'photos/d_den",
        ),
        (["a.jpg"], {"output": "notes.txt/x"}, OutputError, "'.*notes.txt' is a file, not a folder"),
        (["photos"], {}, OutputError, "'photos/d_denoised.png' exists"),
        (["a.jpg"], {"output": "b.PNG"}, OutputError, "'b.PNG' exists"),
    ],
    ids=str,
)
def test_refusals(inputs: list[str], options: dict[str, object], error: type[Failure], words: str) -> None:
    with pytest.raises(error, match=words):
        plan(inputs, **options)


@pytest.mark.parametrize(
    ("word", "there", "cure"),
    [
        ("empty", "in it: nothing", "name a folder with pictures"),
        ("texts", "in it: more/, readme.md", "name a folder with pictures"),
        ("nested", "in it: sub-folders with pictures", "--recursive 'nested'"),
        ("done", "in it: 1 outputs of earlier runs", "name one of them to take it as an input"),
    ],
)
def test_a_folder_without_pictures_tells_what_it_has(word: str, there: str, cure: str) -> None:
    with pytest.raises(InputError) as caught:
        plan([word])
    assert (caught.value.where, caught.value.cure) == (there, cure)


def test_the_input_is_never_overwritten_whatever_the_policy() -> None:
    os.link("a.jpg", "same.jpg")
    Path("link.jpg").symlink_to("a.jpg")
    for existing in ("refuse", "skip", "overwrite"):
        with pytest.raises(OutputError, match="would overwrite the input"):
            plan(["a.jpg"], output="a.jpg", existing=existing)
    for name in ("same.jpg", "link.jpg"):
        with pytest.raises(OutputError, match=r"would overwrite the input 'a\.jpg'"):
            plan(["a.jpg"], output=name, existing="overwrite")


def test_existing_outputs_are_skipped_and_told() -> None:
    batch = plan(["photos"], existing="skip")
    assert [tuple(map(str, pair[:2])) for pair in batch] == [("photos/c.tif", "photos/c_denoised.tif")]
    assert [tuple(map(str, pair[:2])) for pair in batch.skipped] == [("photos/d.png", "photos/d_denoised.png")]
    assert len(batch) == 1
    # the shell's own *.png names the output too: with --skip-existing it may stand there
    assert pairs("photos/d.png", "photos/d_denoised.png", existing="skip") == {
        "photos/d_denoised.png": "photos/d_denoised_denoised.png"
    }


def test_marks_tell_the_outputs_of_one_input_apart(folder: Path) -> None:
    batch = plan(["photos"], output="new", marks=("_s1", "_s2"))
    assert [(pair.source.name, str(pair.target), pair.mark) for pair in batch] == [
        (name, f"new/{Path(name).stem}{mark}{Path(name).suffix}", mark)
        for name in ("c.tif", "d.png", "d_denoised.png")
        for mark in ("_s1", "_s2")
    ]
    with pytest.raises(UsageError, match=r"2 outputs of each input and one output 'new\.png'"):
        plan(["a.jpg"], output="new.png", marks=("_s1", "_s2"))


def test_several_existing_outputs_are_counted(folder: Path) -> None:
    (folder / "photos" / "c_denoised.tif").write_bytes(b"")
    with pytest.raises(OutputError, match=r"2 of 2 outputs exist, the first is 'photos/c_denoised\.tif'") as caught:
        plan(["photos"])
    assert caught.value.cure == "--skip-existing or --overwrite"


def test_an_output_folder_inside_the_input_is_no_input() -> None:
    assert set(pairs(".", output="out", recursive=True)) == {
        *("a.jpg", "b.PNG", "photos/c.tif", "photos/d.png", "photos/d_denoised.png", "photos/deep/c.tif"),
        *("photos/deep/f.jpeg", "twins/g.jpg", "twins/g.png", "nested/inner/h.png", "done/i_denoised.png"),
    }
    assert pairs("out", output="out", suffix="_x") == {"out/old.png": "out/old_x.png"}


def test_a_folder_in_the_place_of_an_output(folder: Path) -> None:
    (folder / "a_denoised.jpg").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        plan(["a.jpg"], existing="overwrite")
