"""What the documents say holds: commands, printed results and every piece of Python in them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pdenet.equations.terms import Term

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def documented_python() -> list[tuple[str, str]]:
    pages = ["README.md", "CONTRIBUTING.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
    return [(page, code) for page in pages for code in blocks((ROOT / page).read_text(), "python")]


def run_python(code: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def terms(equation: str) -> set[str]:
    """The terms on the right-hand side of a printed equation, in the canonical spelling of `Term`."""
    right = equation.split(" = ")[1].replace(" - ", " + ").removeprefix("-")
    return {str(Term.parse(re.sub(r"^[0-9.e-]+\*", "", term))) for term in right.split(" + ")}


def test_the_two_commands_are_those_of_continuous_integration() -> None:
    shown = [block.strip() for block in blocks(README, "sh")[:2]]
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^\w+_command='(.*)'$", script, flags=re.MULTILINE) == shown
    assert all("\n" not in command for command in shown)


@pytest.mark.parametrize(("page", "code"), documented_python(), ids=lambda value: value[:24].split("\n")[0])
def test_documented_python_runs(page: str, code: str) -> None:
    printed = run_python(code, ROOT)
    if (page, code) != documented_python()[0]:  # the README's first piece is the one whose result is shown
        return
    found, promised = printed.splitlines()[:2], blocks(README, "text")[0].splitlines()
    assert [line.split(" = ")[0] for line in found] == [line.split(" = ")[0] for line in promised]
    assert [terms(line) for line in found] == [terms(line) for line in promised]


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("*/*.md")):
        if page.parent.name.startswith("."):
            continue
        links = re.findall(r"\]\(((?!https?:)[^)#]+)\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == [], page
