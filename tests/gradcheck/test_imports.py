"""Architecture: who may import whom, and what an import loads. Each rule has a test that it can fail."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

from tests.gradcheck.foreign import ROOT, python

HEAVY = ("tensorflow", "jinja2", "matplotlib", "rich", "hypothesis", "flint", "distributed")

# Where something may be imported that is not NumPy or the standard library.
ALLOWED = {
    "jinja2": ("gradcheck/report/",),
    "markupsafe": ("gradcheck/report/",),
    "matplotlib": ("gradcheck/report/",),
    "rich": ("gradcheck/report/printer.py",),
    "hypothesis": ("gradcheck/strategies.py", "gradcheck/fuzz/search.py"),
    "flint": ("gradcheck/exact/",),
    "distributed": ("gradcheck/command/cluster.py",),
    "pytest": ("gradcheck/pytest_plugin.py",),
    "numpy": ("",),
    "beras": ("beras/",),
    "gradcheck": ("gradcheck/",),
}


def imported(text: str) -> Iterator[str]:
    """Yield the top-level names that a source file imports, inside functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
            yield from (arg.value.partition(".")[0] for arg in node.args if _is_text(arg))


def _called(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def violations(path: str, text: str) -> list[str]:
    """Return the imports of one file that the rules forbid."""
    outside = [name for name in imported(text) if name not in sys.stdlib_module_names]
    return [name for name in outside if not path.startswith(ALLOWED.get(name, ("nowhere",)))]


def sources() -> list[Path]:
    return [path for package in ("beras", "gradcheck") for path in sorted((ROOT / package).rglob("*.py"))]


def test_packages_import_only_what_they_may() -> None:
    assert len(sources()) > 40
    found = {
        path.relative_to(ROOT).as_posix(): violations(path.relative_to(ROOT).as_posix(), path.read_text())
        for path in sources()
    }
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("beras/layers.py", "import gradcheck"),
        ("beras/layers.py", "def f():\n    from gradcheck.check import Options"),
        ("gradcheck/check.py", "from beras.core import Tensor"),
        ("gradcheck/adapters/interfaces/local_gradients.py", "import importlib\nimportlib.import_module('beras.core')"),
        ("gradcheck/adapters/interfaces/local_gradients.py", "__import__('beras')"),
        ("gradcheck/differential.py", "import tensorflow as tf"),
        ("gradcheck/check.py", "import scipy.optimize"),
        ("gradcheck/check.py", "from flint import arb"),
        ("gradcheck/check.py", "from rich.console import Console"),
        ("gradcheck/cli.py", "import hypothesis"),
    ],
)
def test_rule_notices_what_it_forbids(path: str, text: str) -> None:
    assert violations(path, text)


def test_rule_allows_what_it_should() -> None:
    assert violations("gradcheck/strategies.py", "import hypothesis\nimport numpy\nimport json") == []
    assert violations("gradcheck/report/html.py", "import jinja2") == []


LOADED = "import sys; print(sorted(name for name in {heavy} if name in sys.modules))"


def test_packages_load_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import beras, gradcheck; gradcheck.check, gradcheck.numerical_jacobian, gradcheck.register; "
        + LOADED.format(heavy=HEAVY)
    )
    done = python("-c", program, folder=tmp_path)
    assert done.stdout == "[]\n", done.stderr


def test_loading_something_heavy_would_be_noticed(tmp_path: Path) -> None:
    done = python("-c", "import gradcheck.strategies; " + LOADED.format(heavy=HEAVY), folder=tmp_path)
    assert done.stdout == "['hypothesis']\n", done.stderr
