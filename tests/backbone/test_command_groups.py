"""Commands in groups: two rooms fill the same group, and a wrong word is answered with the list."""

from __future__ import annotations

import pytest
import typer

from backbone.commands.shell import new_app, register, run


def grouped_app() -> typer.Typer:
    app = new_app()
    register(app, {"alone": lambda: 3, "bench one": lambda: 1})
    register(app, {"bench two": lambda: 4})
    return app


def test_rooms_share_a_group() -> None:
    app = grouped_app()
    assert [group.name for group in app.registered_groups] == ["bench"]
    assert [run(app, words) for words in (["alone"], ["bench", "one"], ["bench", "two"])] == [3, 1, 4]


@pytest.mark.parametrize("words", [["bench"], ["bench", "three"], ["bench", "--wrong"]], ids=" ".join)
def test_a_wrong_or_missing_word_is_answered_with_the_list(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(grouped_app(), words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("  where: pdenet-durr bench\n  try: pdenet-durr bench one or pdenet-durr bench two\n")


def test_a_wrong_word_elsewhere_is_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(grouped_app(), ["bench", "one", "more"]) == 2
    assert capsys.readouterr().err.endswith("  try: pdenet-durr bench one --help\n")
    assert run(grouped_app(), ["nothing"]) == 2
    assert capsys.readouterr().err.endswith("  try: pdenet-durr --help\n")


def test_an_unnamed_group_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match="dance"):
        register(new_app(), {"dance waltz": lambda: 0})
