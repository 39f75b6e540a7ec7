"""Every planted mistake is called wrong and named; every corrected twin is called correct."""

from __future__ import annotations

import pytest

from gradcheck.check import Options
from tests.faults.base import Fault
from tests.faults.contract import BROKEN, Broken
from tests.faults.dense import Dense
from tests.faults.registry import FAULTS
from tests.faults.running import broken, first_causes, run
from tests.faults.seeds import RIGHT
from tests.faults.unusual import UNUSUAL

ONE_DTYPE = Options(dtypes=("float64",))
MANNERS = Options(exact=False)  # of the derivatives, which are right, other tests ask more
TWINS = {fault.right if isinstance(fault.right, type) else fault.name: fault for fault in FAULTS}

# The bug kinds that the design lists: each of them is planted at least once.
KINDS = {
    "sign flipped",
    "times a constant",
    "1/batch missing",
    "1/features missing",
    "extra 1/features",
    "factor 2 missing",
    "transposed",
    "permuted",
    "averaged instead of summed",
    "missing term",
    "doubled term",
    "missing epsilon",
    "evaluated at the output",
    "wrong only at zeros",
    "wrong where clipped",
    "wrong in saturation",
    "one row wrong",
    "one column wrong",
    "one sample wrong",
    "one entry wrong",
    "stale",
    "constant",
    "zero",
    "accumulated",
    "lost precision",
    "not finite",
    "slope −α",
    "slope 1 everywhere",
    "wrong sign off the diagonal",
}


def test_every_kind_of_mistake_is_planted() -> None:
    assert len(FAULTS) >= 40
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert KINDS - {fault.cause for fault in FAULTS} == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_mistake_is_wrong_and_named(fault: Fault) -> None:
    result = run(fault.wrong, ONE_DTYPE)
    assert result.verdict == "wrong"
    found = {name: cause for name, cause in first_causes(result).items() if fault.claim in name}
    found |= {item: item for item in broken(result) if item == fault.cause}
    assert found
    assert set(found.values()) == {fault.cause}, found


@pytest.mark.parametrize("fault", TWINS.values(), ids=lambda fault: fault.name)
def test_the_corrected_twin_is_correct(fault: Fault) -> None:
    result = run(fault.right)
    unclear = {
        claim.name: claim.reason for claim in result.claims if claim.verdict not in ("correct", "not implemented")
    }
    assert unclear == {}
    assert broken(result) == {}


@pytest.mark.parametrize("subject", RIGHT)
def test_the_older_code_that_is_right_is_correct(subject: object) -> None:
    result = run(subject)
    assert {claim.name: claim.verdict for claim in result.claims if claim.verdict != "correct"} == {}
    assert broken(result) == {}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_correct_layer_of_unusual_build_is_correct(name: str) -> None:
    result = run(UNUSUAL[name])
    verdicts = {claim.name: claim.verdict for claim in result.claims}
    assert "correct" in verdicts.values()
    assert set(verdicts.values()) <= {"correct", "not implemented"}, verdicts
    assert broken(result) == {}


@pytest.mark.parametrize("size", [1, 4, 5, 7])
def test_a_square_layer_that_was_built_by_hand_is_correct(size: int) -> None:
    result = run(lambda: Dense(size, size))
    assert {claim.name: claim.verdict for claim in result.claims if claim.verdict != "correct"} == {}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.subject.__name__)
def test_broken_manners_are_named(case: Broken) -> None:
    result = run(case.subject, MANNERS)
    assert case.item in broken(result, case.verdict)
    assert result.verdict == ("wrong" if case.verdict == "broken" else "correct")


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.subject.__name__)
def test_good_manners_are_kept(case: Broken) -> None:
    result = run(case.right, MANNERS)
    assert broken(result) == {}
    assert case.item not in broken(result, "noted")
