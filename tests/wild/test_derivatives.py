"""Packages of each generation and variation: right ones raise no alarm, every mistake is called wrong and named."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.adapters import is_subject, subject_of
from gradcheck.adapters.convention import AVERAGED
from gradcheck.check import Options, check_subject
from gradcheck.results import ComponentResult
from tests.wild.copies import PACKAGES, Change, importable, load, module
from tests.wild.variations import MISTAKES, RIGHT, Mistake

PARTS = ("layers", "activations", "losses", "gradient_tape", "core", "model")
FAST = Options(dtypes=("float64",))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield from (tmp_path for _ in importable(tmp_path))


def subjects(name: str) -> dict[str, type]:
    """All finished classes of a package that make claims."""
    found = {}
    for part in PARTS:
        if importlib.util.find_spec(f"{name}.{part}") is None:
            continue
        for attribute, thing in vars(module(name, part)).items():
            mine = isinstance(thing, type) and thing.__module__ == f"{name}.{part}"
            if mine and is_subject(thing) and not getattr(thing, "__abstractmethods__", ()):
                found[f"{part}.{attribute}"] = thing
    return found


def complaints(result: ComponentResult, convention: str = "") -> list[str]:
    """Everything in a result that is not "correct", nor the one `convention` that is known."""
    claims = [
        f"{c.name}: {c.verdict} at {c.worst_point} {c.reason}"
        for c in result.claims
        if c.verdict != "correct" and (c.verdict != "convention" or c.reason != convention)
    ]
    contract = [f"{c.name}: {c.detail}" for c in result.contract if c.verdict == "broken"]
    return claims + contract + ([result.reason] if result.reason else [])


@pytest.mark.parametrize(("generation", "what", "changes"), RIGHT, ids=[f"{g}: {w}" for g, w, _ in RIGHT])
def test_right_packages_raise_no_alarm(generation: str, what: str, changes: tuple[Change, ...], folder: Path) -> None:
    name = load(generation, folder, changes)
    found = subjects(name)
    assert len(found) >= 3
    originals = "".join(file.read_text() for file in (PACKAGES / generation).rglob("*.py"))
    written = {path: cls for path, cls in found.items() if not changes or inspect.getsource(cls) not in originals}
    assert written, "nothing is different"
    for path, cls in written.items():
        known = AVERAGED if generation == "oldest" else ""
        assert complaints(check_subject(subject_of(cls), FAST), known) == [], path


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m.name for m in MISTAKES])
def test_mistakes_are_called_wrong_and_named(mistake: Mistake, folder: Path) -> None:
    name = load("modern", folder, mistake.changes)
    part, cls = mistake.where.split(".")
    result = check_subject(subject_of(getattr(module(name, part), cls)), FAST)
    wrong = [claim for claim in result.claims if claim.verdict == "wrong"]
    assert wrong, complaints(result)
    causes = [claim.causes[0].name for claim in wrong if claim.causes]
    assert mistake.cause in causes, [(claim.name, [cause.name for cause in claim.causes]) for claim in wrong]


def test_a_loss_that_divides_in_a_package_that_averages_is_wrong_and_told_why(folder: Path) -> None:
    name = load("oldest", folder, (Change("losses.py", "self.inputs.shape[1]", "self.inputs.size"),))
    result = check_subject(subject_of(module(name, "losses").MeanSquaredError), FAST)
    (claim,) = (claim for claim in result.claims if claim.verdict == "wrong")
    assert claim.causes[0].name == "extra 1/batch"
    assert "its package averages weight gradients" in claim.causes[0].sentence
