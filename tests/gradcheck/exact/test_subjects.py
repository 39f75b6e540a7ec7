"""Beras, packages as people have them, and planted faults: what is right is proved, what is wrong is disjoint."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

import beras
from gradcheck import sampling
from gradcheck.adapters import function_subject, is_subject, subject_of
from gradcheck.errors import CannotBuild
from gradcheck.exact import ExactPoint, Formula
from gradcheck.problem import Subject
from tests.faults.base import Call, Fault
from tests.faults.registry import FAULTS
from tests.wild import copies

GOOD = ("identical", "constants rounded", "convention")

# Faults that are none of a formula in real numbers, each with what they are.
OTHERWISE = {
    "sigmoid′ of the call before": "stale: every exact run begins from the same state",
    "compose accumulates": "accumulates over calls: every exact run begins from the same state",
    "sine′ rounded to float32": "rounding, which is noted",
    "softplus′ overflows": "overflow, which balls do not have",
    "004's tanh beside a right forward": "0 / 0 in floats, by an overflow that balls do not have",
    "last axis summed away": "a shape, for more axes",
    "Dense's local gradient is wᵀ": "a shape",
    "db not summed": "a shape",
    "db of shape (out, 1)": "a shape",
    "db a number": "a shape",
    "a gradient too few": "a shape",
    "squared error: a number": "a shape",
    "cross-entropy: a bare array": "a shape",
    "003's bias for one sample only": "a shape",
    "004's selection without a tuple": "a shape",
    "004's power of a negative base": "the derivative is not defined, and the claim is NaN",
}


def components() -> Iterator[Any]:
    for found in pkgutil.walk_packages(beras.__path__, "beras."):
        module = importlib.import_module(found.name)
        yield from (
            pytest.param(thing, id=f"{found.name}.{name}")
            for name, thing in vars(module).items()
            if getattr(thing, "__module__", None) == found.name and is_subject(thing)
        )


# What is asked about as many entries as this is not asked again at points that differ in their numbers alone.
MANY = 10_000


def compared(subject: Subject, labels: tuple[str, ...]) -> Iterator[tuple[str, str, Formula]]:
    """Every claim at the points whose label has one of these words in it."""
    for point in sampling.points(subject, 0):
        again = point.label.startswith("near ") and max(map(np.size, point.values.values())) > MANY
        if any(label in point.label for label in labels) and not again:
            here = ExactPoint(point.problem, point.values, np.random.default_rng(1))
            for method in point.problem.methods:
                for name, found in here.compare(method).items():
                    yield point.label, f"{method.name}[{name}]", found


# The tape of a FunctionalModel does not run exactly; the formula of a determinant divides by 0 at a singular matrix,
# where floats leave it to the cofactors.
MEASURED = {"beras.functional.FunctionalModel", "beras.ops.linear_algebra.Det"}


@pytest.mark.parametrize("component", [one for one in components() if one.id not in MEASURED])
def test_beras_is_proved(component: Any) -> None:
    try:
        found = list(compared(subject_of(component), ("generic", "given", "case", "batch of one", "ties")))
    except CannotBuild:
        pytest.skip("a base class")
    assert found
    assert [
        (label, claim, one.left or one.comparison)
        for label, claim, one in found
        if one.comparison is None or one.comparison.relation not in GOOD
    ] == []


@pytest.mark.parametrize("generation", sorted(path.name for path in copies.PACKAGES.iterdir()))
def test_packages_as_people_have_them_are_proved(
    generation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = copies.load(generation, tmp_path)
    package = importlib.import_module(name)
    count = 0
    for found in pkgutil.walk_packages(package.__path__, f"{name}."):
        module = importlib.import_module(found.name)
        for thing in list(vars(module).values()):
            if getattr(thing, "__module__", None) == found.name and is_subject(thing):
                for label, claim, one in _compared_if_built(thing):
                    assert one.comparison is not None, (thing, label, claim, one.why)
                    assert one.comparison.relation in GOOD, (thing, label, claim, one.comparison)
                    count += 1
    assert count >= 10


def _compared_if_built(thing: Any) -> Iterator[tuple[str, str, Formula]]:
    try:
        yield from compared(subject_of(thing), ("generic",))
    except CannotBuild:
        return


def planted(make: Any) -> Subject:
    made = make if isinstance(make, type) else make()
    if isinstance(made, Call):
        return function_subject(made.function, made.args, **made.derivatives)
    return subject_of(made)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_disjoint(fault: Fault) -> None:
    caught = any(
        fault.claim in claim and one.comparison is not None and one.comparison.relation in ("disjoint", "not finite")
        for _, claim, one in compared(planted(fault.wrong), ("",))
    )
    assert caught != (fault.name in OTHERWISE)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_its_corrected_twin_never_is(fault: Fault) -> None:
    found = list(compared(planted(fault.right), ("generic", "given", "zeros", "ties")))
    assert [
        (label, claim) for label, claim, one in found if one.comparison and one.comparison.relation == "disjoint"
    ] == []
    ordinary = [(claim, one) for label, claim, one in found if "generic" in label or "given" in label]
    assert [(claim, str(one.why)) for claim, one in ordinary if one.comparison is None] == []
