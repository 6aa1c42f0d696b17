"""Public names come on first use; errors and run folders come without torch."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest


def test_errors_and_runs_do_not_import_torch() -> None:
    modules = "backbone, backbone.schemes, backbone.train, backbone.errors, backbone.runs"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


@pytest.mark.parametrize("package", ["backbone", "backbone.schemes", "backbone.train"])
def test_every_public_name_is_there(package: str) -> None:
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = module.Nothing
