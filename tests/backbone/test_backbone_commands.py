"""`pdenet-durr backbone list | show | check`: what they print, their documents and their exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pdenet_durr_cli import app, rooms
from PIL import Image

from backbone.checks import report
from backbone.checks.examples import on_points, seeded
from backbone.checks.measured import Measured
from backbone.checks.report import Outcome, bounds, checkables, page
from backbone.checks.systems import SYSTEMS, System
from backbone.commands.shell import run
from backbone.nets.antisymmetric import antisymmetric_net

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(app, ["backbone", *words])
    streams = capsys.readouterr()
    return code, streams.out, streams.err


def test_list_names_every_system(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(["list"], capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(SYSTEMS)
    _, out, _ = told(["list", "--json"], capsys)
    assert {entry["name"]: entry["equation"] for entry in json.loads(out)["systems"]} == {
        name: entry.equation for name, entry in SYSTEMS.items()
    }


def test_show_prints_that_a_reversible_gradient_keeps_no_states(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(["show", "hamiltonian", "--batch", "3", "--json"], capsys)
    facts = json.loads(out)
    assert (code, facts["scheme"], facts["gradient"], facts["evaluations"]) == (
        0,
        "SymplecticEuler",
        "Reversible",
        2 * 32,
    )
    assert facts["bytes_kept_besides_weights"] == facts["bytes_kept_twice_as_deep"]
    _, out, _ = told(["show", "antisymmetric", "--batch", "3"], capsys)
    kept = [int(number.replace(",", "")) for number in re.findall(r"bytes kept.*: ([\d,]+)", out)]
    assert kept[1] > 1.8 * kept[0]


def test_check_prints_every_number_with_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(["check", "lean", "--quiet"], capsys)
    assert (code, err) == (0, "")
    assert re.search(r"numbers in a lean convolution, 16 channels +336 +exactly 336 +ok", out)
    code, out, _ = told(["check", "imex", "--json", "--quiet"], capsys)
    document = json.loads(out)
    assert document["passed"]
    assert [check["passed"] for check in document["systems"][0]["checks"]] == [True] * 4


def failing() -> System:
    return System(
        "x' = 0",
        "antisymmetric.py",
        on_points(lambda shape: antisymmetric_net(shape, generator=seeded())),
        (lambda example: [Measured("wrong", 3.0, 1.0, 2.0), Measured.above("free", 3.0, 2.0)],),
    )


def test_a_number_out_of_its_bounds_is_exit_6(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SYSTEMS, "failing", failing())
    code, out, err = told(["check", "failing", "--quiet"], capsys)
    assert code == 6
    assert re.search(r"wrong +3 +1 to 2 +FAILED", out)
    assert err.startswith("error[UNTRUSTED]: outside its bounds: failing\n")
    code, out, err = told(["check", "failing", "--json", "--quiet"], capsys)
    document = json.loads(out)
    assert (code, document["passed"]) == (6, False)
    assert [check["most"] for check in document["systems"][0]["checks"]][:2] == [2.0, None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check"], "name one system, or all of them"),
        (["check", "lean", "--all"], "name one system, or all of them"),
        (["check", "alexnet"], "there is no system 'alexnet'"),
        (["show", "alexnet"], "there is no system 'alexnet'"),
    ],
)
def test_wrong_words_are_refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(words, capsys)
    assert (code, out) == (2, "")
    assert message in err


def test_the_landscape_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "landscape.png"
    assert told(["landscape", "--out", str(picture), "--points", "9"], capsys)[:2] == (0, f"{picture}\n")
    with Image.open(picture) as drawn:
        assert drawn.size == (1200, 504)
    for wrong, code in (("landscape.txt", 2), ("no/landscape.png", 4)):
        assert told(["landscape", "--out", str(tmp_path / wrong)], capsys)[0] == code
    assert sorted(tmp_path.iterdir()) == [picture]


def test_all_is_everything_and_the_page_is_written_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report, "SYSTEMS", {})
    monkeypatch.setattr(report, "ALGORITHMS", {})
    monkeypatch.setattr(report, "check_orders", lambda: [Measured.order("order of |f|", [4.0, 1.0], 2)])
    code, _, _ = told(["check", "--all", "--quiet", "--page", str(tmp_path / "checks.md")], capsys)
    rows = [line for line in (tmp_path / "checks.md").read_text().splitlines() if line.startswith("| ")]
    assert code == 0
    assert rows[1] == "| schemes | `backbone/schemes/` | order of \\|f\\| | 2 | 1.85 to 2.15 |"
    named = list(dict.fromkeys(row.split(" | ")[0][2:] for row in rows[2:]))
    assert named == ["sum-rules", "pde-net", "perona-malik", "durr"]  # of the other rooms


def test_the_page_of_the_documentation_has_every_system_and_no_failure() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    assert list(dict.fromkeys(row[0] for row in rows)) == list(checkables(rooms))
    lean = Outcome("lean", "backbone/nets/lean_resnet.py", SYSTEMS["lean"].check(), 0.0)
    assert [row[2] for row in rows if row[0] == "lean"] == [entry.what for entry in lean.measured]
    assert page([lean]).count("\n| lean |") == len(lean.measured)
    assert bounds(Measured.below("small", 1.0, 2.0)) == "at most 2"
