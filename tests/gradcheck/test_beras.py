"""All of Beras through the command: every concrete Diffable is checked and correct, and a flipped sign is wrong."""

import ast
import importlib
import inspect
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import beras
from beras.core import Diffable
from gradcheck.report.branches import together
from gradcheck.results import Branch, Coverage, from_json
from tests.gradcheck.beras_branches import REASONS, unexplained

ROOT = Path(beras.__file__).parent.parent
MODULES = ("activations", "layers", "losses")


def command(folder, *arguments):
    """Run `python -m gradcheck` in a folder, and return its exit status and what it found, by name."""
    found = folder / "found.json"
    run = subprocess.run(
        [sys.executable, "-m", "gradcheck", *arguments, "--no-report", "--json", str(found)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert found.exists(), run.stdout + run.stderr
    results = json.loads(found.read_text())["components"]
    return run.returncode, {result["name"]: result for result in results}


def diffables():
    """The names of all concrete Diffables that Beras defines."""
    names = set()
    for module in pkgutil.walk_packages(beras.__path__, "beras."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(thing, Diffable) and not inspect.isabstract(thing) and thing.__module__ == module.name:
                names.add(f"{module.name}.{thing.__qualname__}")
    return names


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "beras", tmp_path / "beras", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_concrete_diffable_is_checked_and_correct_on_every_branch(copied):
    status, found = command(copied, "beras")
    assert diffables() <= set(found)
    assert {name: result["verdict"] for name, result in found.items() if result["verdict"] != "correct"} == {}
    for name in diffables():
        methods = {claim["method"] for claim in found[name]["claims"]}
        assert {"get_input_gradients", "compose_input_gradients", "tape.gradient"} <= methods, name
    assert status == 0
    coverage = together(from_json(json.dumps(result)) for result in found.values())
    assert unexplained(coverage) == (set(), set())
    assert len(coverage.branches) > 200


def test_a_branch_that_is_never_taken_needs_a_reason_and_a_reason_such_a_branch():
    listed = [outcome.split(": ", 1) for outcomes in REASONS.values() for outcome in outcomes]
    known = [Branch(file, 1, i, "", (), (outcome,)) for i, (file, outcome) in enumerate(listed)]
    assert unexplained(Coverage(tuple(known))) == (set(), set())
    new = Branch("beras/layers.py", 1, 0, "", (), ("`x > 9`",))
    assert unexplained(Coverage((*known[1:], new))) == ({"beras/layers.py: `x > 9`"}, {": ".join(listed[0])})


class Flip(ast.NodeTransformer):
    """Negate the first gradient that the method number `which` of each class returns."""

    def __init__(self, which):
        self.which = which
        self.flipped = []

    def visit_ClassDef(self, node):
        methods = [
            item
            for item in node.body
            if isinstance(item, ast.FunctionDef) and re.search(r"(input|weight)_gradients(_for)?$", item.name)
        ]
        if self.which < len(methods):
            method = methods[self.which]
            for inner in ast.walk(method):
                if isinstance(inner, ast.Return) and isinstance(inner.value, ast.List) and inner.value.elts:
                    inner.value.elts[0] = ast.UnaryOp(ast.USub(), inner.value.elts[0])
                    if (node.name, method.name) not in self.flipped:
                        self.flipped.append((node.name, method.name))
        return node


@pytest.mark.parametrize("which", range(4))
def test_one_flipped_sign_makes_that_claim_wrong(copied, which):
    flipped = []
    for module in MODULES:
        path = copied / "beras" / f"{module}.py"
        flip = Flip(which)
        path.write_text(ast.unparse(ast.fix_missing_locations(flip.visit(ast.parse(path.read_text())))))
        flipped += [(f"beras.{module}.{owner}", method) for owner, method in flip.flipped]
    flipped = [(name, method) for name, method in flipped if name in diffables()]
    assert flipped, "nothing was flipped"
    named = dict.fromkeys(name for name, _ in flipped)
    status, found = command(copied, *named, "--dtype", "float64", "--hints", "none")
    passed = [
        (name, method)
        for name, method in flipped
        if not any(
            claim["verdict"] == "wrong"
            for claim in found[name]["claims"]
            if method in (claim["method"], "input_gradients_for", "weight_gradients_for")  # which others go by
        )
    ]
    assert passed == []
    assert status == 1
