"""The page of rules, and the run that switches each of them off, are about the same rules and about the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "theory" / "rules.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([a-z][^|]*) \|.*`(\S+)\.py`: (.+) \| (\w+) \|$", PAGE, re.M)
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_numerical_*.py"))


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rules that the script switches off: it is no package, and imports its neighbours by their names."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("ablation").RULES


def test_every_rule_has_a_row_and_every_row_a_rule(rules: Any) -> None:
    assert sorted(name for name, *_ in ROWS) == sorted(rules)


def test_every_rule_stands_where_it_is_said_to(rules: Any) -> None:
    for name, module, constants, _ in ROWS:
        where = importlib.import_module(f"gradcheck.numerical.{module.replace('/', '.')}")
        assert [one for one in constants.split(", ") if one != "–" and not hasattr(where, one)] == [], name
        off = importlib.import_module(f"gradcheck.numerical.{rules[name].module}")
        assert callable(rules[name].off(getattr(off, rules[name].name))) or rules[name].name.isupper()


def test_what_is_said_to_fail_without_a_rule_is_a_test() -> None:
    """That it does is for the script to say, which switches the rule off."""
    assert [test for *_, test in ROWS if f"def {test}(" not in TESTS] == []
