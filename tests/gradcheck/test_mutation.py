"""The mutation run's own parts: the list of mutants, and the judges of optimizers and initializers."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import beras.initializers
import beras.optimizer

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

SOURCE = '''
class Dense:
    def get_input_gradients(self):
        """Return 2 * w."""
        self._require_call()
        if self.inputs is None:
            raise ValueError(f"expected {1 + 1} inputs")
        return [self.w.T, self.b.copy()]

    def compose_weight_gradients(self, J):
        g, x = J[0], self.inputs[0]
        return [x.T @ g, (g * x).sum(axis=0, keepdims=True) / 2]

    def forward(self, x):
        return x * 2
'''


def load(name: str) -> Any:
    """Import a script of `benchmarks`, which is no package."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


mutants = load("mutants")
forms = load("mutation_forms")
WANTED = re.compile(r"get_\w+|compose_\w+")


def test_every_mutant_changes_one_statement_and_compiles() -> None:
    found = mutants.mutants("m", SOURCE, WANTED)
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in found:
        changed = ast.unparse(mutants.apply(SOURCE, mutant)).splitlines()
        assert sum(a != b for a, b in zip(original, changed, strict=True)) == 1
        compile(mutants.apply(SOURCE, mutant), "m", "exec")
    assert len({mutant.key for mutant in found}) == len(found)


def test_the_list_is_the_same_every_time() -> None:
    first, second = (mutants.mutants("m", SOURCE, WANTED) for _ in range(2))
    assert [m.key for m in first] == [m.key for m in second]


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("transpose dropped", "return [self.w, self.b.copy()]"),
        ("copy dropped", "return [self.w.T, self.b]"),
        ("entries swapped", "return [self.b.copy(), self.w.T]"),
        ("outputs for inputs", "g, x = (J[0], self.outputs[0])"),
        ("operands swapped", "return [g @ x.T, (g * x).sum(axis=0, keepdims=True) / 2]"),
        ("axis", "return [x.T @ g, (g * x).sum(axis=1, keepdims=True) / 2]"),
        ("keepdims", "return [x.T @ g, (g * x).sum(axis=0, keepdims=False) / 2]"),
        ("mean for sum", "return [x.T @ g, (g * x).mean(axis=0, keepdims=True) / 2]"),
        ("operator", "return [x.T @ g, (g / x).sum(axis=0, keepdims=True) / 2]"),
        ("operand dropped", "return [x.T @ g, g.sum(axis=0, keepdims=True) / 2]"),
        ("constant", "return [x.T @ g, (g * x).sum(axis=0, keepdims=True) / 2.000002]"),
        ("factor 1 + 1e-6", "return [x.T @ g * 1.000001, (g * x).sum(axis=0, keepdims=True) / 2]"),
        ("sign", "return [x.T @ g * -1.0, (g * x).sum(axis=0, keepdims=True) / 2]"),
    ],
)
def test_the_slips_that_derivatives_suffer_from_are_there(kind: str, after: str) -> None:
    found = mutants.mutants("m", SOURCE, WANTED)
    assert [m for m in found if m.change.startswith(kind) and m.after == after], [m.after for m in found]


def test_messages_checks_docstrings_and_other_functions_are_left_alone() -> None:
    found = mutants.mutants("m", SOURCE, WANTED)
    assert {m.function for m in found} == {"Dense.get_input_gradients", "Dense.compose_weight_gradients"}
    assert not [m for m in found if "raise" in m.before or "_require_call" in m.before or "is None" in m.before]


def test_the_run_starts() -> None:
    # In a process of its own: the run loads Beras anew. What it needs of gradcheck has moved away unnoticed before.
    code = """
import mutation, mutation_judges
mutation.fresh(None)
judges = [judge.name for judge in mutation_judges.judges()]
assert len(judges) == len(set(judges)) > 200, len(judges)
assert {"beras.convolution.Conv2D", "beras.lstm.LSTM", "lost gradients"} <= set(judges)
assert not mutation_judges.look(next(judge for judge in mutation_judges.judges() if judge.name == "lost gradients"))
assert len(mutation.all_mutants("beras.stable")) > 20
mutant = next(m for m in mutation.all_mutants("beras.diffable") if m.after == "return local")
found = mutation.judge_mutant(("beras.diffable", mutant.index, ("Scalar",)))
assert found.by == "Scalar" and "linear" in found.said, found  # seen only where gradcheck reads the source that runs
listed = [key for key in mutation.equivalents() if key.partition(":")[0] not in mutation.TARGETS]
print(listed)
"""
    path = os.pathsep.join([str(BENCHMARKS), str(BENCHMARKS.parent)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=BENCHMARKS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_closed_forms_accept_beras() -> None:
    forms.optimizers()
    forms.initializers()


@pytest.mark.parametrize("name", ["BasicOptimizer", "RMSProp", "Adam"])
def test_a_step_that_is_one_millionth_too_long_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = getattr(beras.optimizer, name)
    step = kind.step
    monkeypatch.setattr(kind, "step", lambda self, *given: step(self, *given) * (1 + 1e-6))
    with pytest.raises(AssertionError):
        forms.optimizers()


@pytest.mark.parametrize("name", sorted(set(beras.initializers.INITIALIZERS) - {"zero"}))
def test_a_scale_that_is_one_millionth_too_large_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = beras.initializers.INITIALIZERS[name]

    def larger(fan_in: int, fan_out: int, random: np.random.Generator) -> Any:
        return draw(fan_in, fan_out, random) * (1 + 1e-6)

    monkeypatch.setitem(beras.initializers.INITIALIZERS, name, larger)
    with pytest.raises(AssertionError, match=name):
        forms.initializers()
