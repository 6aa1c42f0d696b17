"""The file of results: merged by row and method, whole at any time, and never someone else's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from backbone.errors import InputError, OutputError
from backbone.record import Record

PACKAGES = ("torch", "no-such-package")


def test_results_are_merged_and_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pde.json"
    Record(path, "pde", PACKAGES).keep("heat", {"bound": 1}, "ours", {"error": 0.1})
    later = Record(path, "pde", PACKAGES)
    later.keep("kdv", {}, "best", {"error": 0.2})
    later.keep("heat", {"bound": 2}, "default", {"error": 0.3})
    rows = json.loads(path.read_text())["rows"]
    assert list(rows) == ["heat", "kdv"]
    assert {method: entry["error"] for method, entry in rows["heat"]["methods"].items()} == {
        "ours": 0.1,
        "default": 0.3,
    }
    assert rows["heat"]["bound"] == 2  # as it stands now
    assert later.rows(["kdv"]) == {"kdv": rows["kdv"]}
    assert list(path.parent.iterdir()) == [path]


def test_two_runs_keep_the_rows_of_each_other(tmp_path: Path) -> None:
    first, second = (Record(tmp_path / "pde.json", "pde", PACKAGES) for _ in range(2))
    first.keep("heat", {}, "ours", {"error": 0.1})
    second.keep("kdv", {}, "ours", {"error": 0.2})
    first.keep("heat", {}, "best", {"error": 0.3})
    rows = json.loads(first.path.read_text())["rows"]
    assert {row: list(entry["methods"]) for row, entry in rows.items()} == {"heat": ["ours", "best"], "kdv": ["ours"]}


def test_a_method_measured_again_replaces_its_results_whole(tmp_path: Path) -> None:
    record = Record(tmp_path / "pde.json", "pde", PACKAGES)
    record.keep("heat", {}, "ours", {"error": 0.1, "note": "old"})
    record.keep("heat", {}, "ours", {"error": 0.2})
    entry = json.loads(record.path.read_text())["rows"]["heat"]["methods"]["ours"]
    assert (entry["error"], "note" in entry) == (0.2, False)
    assert entry["versions"]["torch"][0].isdigit()
    assert entry["versions"]["no-such-package"] == "not installed"
    assert "Python" in entry["machine"]


def test_a_row_is_skipped_only_while_it_has_no_results(tmp_path: Path) -> None:
    record = Record(tmp_path / "pde.json", "pde", PACKAGES)
    record.skip("heat", {"bound": 1}, "no data")
    assert record.document["rows"]["heat"] == {"methods": {}, "bound": 1, "skipped": "no data"}
    record.keep("heat", {"bound": 1}, "ours", {"error": 0.1})
    record.skip("heat", {"bound": 1}, "no data")
    assert "skipped" not in json.loads(record.path.read_text())["rows"]["heat"]


@pytest.mark.parametrize("content", ["{", "[]", '{"suite": "images", "rows": {}}', '{"suite": "pde", "rows": []}'])
def test_a_file_that_is_no_record_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pde.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"pde\.json"):
        Record(path, "pde", PACKAGES)
    assert path.read_text() == content


def test_a_place_where_nothing_can_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make"):
        Record(tmp_path / "file" / "pde.json", "pde", PACKAGES)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told_before_any_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        Record(tmp_path / "pde.json", "pde", PACKAGES)
