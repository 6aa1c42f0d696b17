"""Nothing in the product can run code that came with data: no pickle, eval, exec or shell, found in the syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "cli.py", *(path for room in ("backbone", "pdenet", "durr") for path in (ROOT / room).rglob("*.py"))]

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
NAMES = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {("torch", "load"), ("os", "system"), ("os", "popen"), ("builtins", "eval"), ("builtins", "exec")}
KEYWORDS = {"allow_pickle", "shell"}


def dangers(source: str) -> list[str]:
    """Every construct of the source that could run foreign code, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                bad = [alias.name for alias in names if alias.name.split(".")[0] in MODULES]
            case ast.ImportFrom(module=str(module), names=names):
                from_bad = module.split(".")[0] in MODULES
                bad = [f"{module}.{a.name}" for a in names if from_bad or (module, a.name) in ATTRIBUTES]
            case ast.Name(id=name):
                bad = [name] if name in NAMES else []
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                bad = [f"{owner}.{name}"] if (owner, name) in ATTRIBUTES else []
            case ast.keyword(arg=str(name), value=ast.Constant(value=False)) if name in KEYWORDS:
                bad = []
            case ast.keyword(arg=str(name)) if name in KEYWORDS:
                bad = [f"{name}="]
            case _:
                bad = []
        found += [f"line {getattr(node, 'lineno', 0)}: {name}" for name in bad]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_construct_runs_foreign_code(path: Path) -> None:
    assert dangers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from joblib import load",
        "torch.load(path)",
        "from torch import load",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "eval(text)",
        "run = exec",
        "os.system(line)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_the_search_finds_what_it_should(source: str) -> None:
    assert len(dangers(source)) == 1


@pytest.mark.parametrize("source", ["model.eval()", "re.compile(text)", "np.load(path, allow_pickle=False)"])
def test_the_search_leaves_the_harmless_alone(source: str) -> None:
    assert dangers(source) == []
