"""Random functions whose bounds once failed to hold, against derivatives known to 50 digits."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.gradcheck.elementwise import needs_long_double

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
# Without long double, these are what float64 cannot see.
pytestmark = needs_long_double


@pytest.fixture
def soundness(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, which is no package and imports its neighbours by their names."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("soundness")


@pytest.mark.parametrize(
    ("seed", "number", "why"),
    [
        (0, 1249, "all coarse steps are whole periods of a wave"),
        (7, 1782, "softplus stands still in long double, too"),
        (7, 1787, "the tail of a bell next to the point"),
        (9, 2296, "one entry moves the output, another one's tail hides"),
        (9, 4428, "the tail of a tanh behind a cancellation"),
        (10, 2646, "a sigmoid that is flat in long double, too"),
        (11, 782, "a wave as low as the noise"),
        (11, 1794, "an affine function whose slope is rounded inside"),
        (11, 1814, "a tail that is flat up to steps of the size of x"),
        (11, 2082, "a tail on the grid of a cancellation"),
        (11, 4613, "short ladders alone step over a wave"),
        (12, 953, "a bell that is almost over"),
        (16, 4197, "fine steps stay on one stair of long double's grid"),
        (19, 1977, "a cancellation that is noisier than seven points say"),
        (23, 143, "a wave that only a colour alone is quiet enough to show"),
    ],
)
def test_a_bound_that_once_failed_holds(soundness: Any, seed: int, number: int, why: str) -> None:
    outcome = soundness.run(("generator", seed, number))
    assert not outcome.wrong.any(), why
    assert outcome.resolved.any()


@pytest.mark.parametrize(
    ("seed", "number", "why"),
    [
        (12, 1916, "a wave in the tail of a sigmoid, on a grid"),
        (12, 3904, "a wave in the tail of a sigmoid, on a grid"),
    ],
)
@pytest.mark.xfail(
    strict=True, reason="one or two entries, 1e-10 and less of |f|/|x|, are off by more than their bound"
)
def test_a_bound_that_fails(soundness: Any, seed: int, number: int, why: str) -> None:
    outcome = soundness.run(("generator", seed, number))
    assert not outcome.wrong.any(), why
