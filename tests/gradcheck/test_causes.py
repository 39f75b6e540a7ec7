"""The first cause is the mistake that was made, and nothing else: of code that is wrong, and of its right twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import Options, check
from gradcheck.results import ComponentResult
from tests.gradcheck import caused as c

EVIDENT, REPAIRED = Options(dtypes=("float64",)), Options(dtypes=("float64",), hints="repair")
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0], [0.5, 2.5, -1.0]])
V = np.array([0.3, -1.2, 0.7, 2.1])


def first(result: ComponentResult) -> tuple[str, str]:
    """The name and sentence of the first cause of the one claim."""
    (claim,) = result.claims
    return (claim.causes[0].name, claim.causes[0].sentence) if claim.causes else ("", "")


@pytest.mark.parametrize(
    ("forward", "x", "kind", "right", "wrong", "cause"),
    [
        (c.biased, c.THETA, "grad", c.biased_grad, c.biased_of_all, "term too many for some entries"),
        (c.biased, c.THETA, "grad", c.biased_grad, c.biased_with_ones, "number added to some entries"),
        (c.biased, c.THETA, "grad", c.biased_grad, c.biased_overwritten, "writes into its arguments"),
        (c.decayed, c.THETA, "grad", c.decayed_grad, c.decayed_of_all, ""),  # two entries fit any story
        (c.bent, V, "vjp", c.bent_vjp, c.bent_rounded, "constant mistyped"),
        (c.highest, TIED, "vjp", c.highest_vjp, c.highest_twice, "extra factor 2"),
    ],
)
def test_a_mistake_is_told_from_the_numbers(
    forward: Callable[..., Any], x: np.ndarray[Any, Any], kind: str, right: Any, wrong: Any, cause: str
) -> None:
    assert check(forward, x, options=EVIDENT, **{kind: right}).verdict in ("correct", "convention")
    found = check(forward, x, options=EVIDENT, **{kind: wrong})
    assert found.verdict == "wrong"
    assert first(found)[0] == cause


@pytest.mark.parametrize(
    ("forward", "x", "kind", "right", "wrong", "cause", "said"),
    [
        (
            c.network,
            c.W1,
            "grad",
            c.network_grad,
            c.network_through_itself,
            "mask of the gradient itself",
            "hidden > 0",
        ),
        (c.filtered, c.SIGNAL, "vjp", c.filtered_vjp, c.filtered_without_stride, "stride forgotten", "j * STRIDE"),
        (c.filtered, c.SIGNAL, "vjp", c.filtered_vjp, c.first_only, "returns inside a loop", "line"),
    ],
)
def test_a_repair_tells_the_cause(
    forward: Callable[..., Any], x: np.ndarray[Any, Any], kind: str, right: Any, wrong: Any, cause: str, said: str
) -> None:
    assert check(forward, x, options=EVIDENT, **{kind: right}).verdict == "correct"
    name, sentence = first(check(forward, x, options=REPAIRED, **{kind: wrong}))
    assert name == cause
    assert said in sentence


def test_writing_that_changes_nothing_is_no_cause() -> None:
    result = check(c.biased, c.THETA, options=EVIDENT, grad=c.biased_in_place)
    assert first(result)[0] != "writes into its arguments"


def test_a_slope_beyond_a_clip_is_neither_stale_nor_one_everywhere() -> None:
    assert check(c.Clipped, options=EVIDENT).verdict == "correct"
    assert first(check(c.ClippedLater, options=EVIDENT))[0] == "wrong where clipped"


def test_a_factor_on_one_side_is_no_factor_of_all() -> None:
    assert check(c.OneSided, options=EVIDENT).verdict in ("correct", "convention")
    assert first(check(c.OneSidedWrong, options=EVIDENT))[0] in ("", "wrong for positive inputs")


@pytest.mark.parametrize(
    ("right", "wrong", "cause"),
    [
        (c.Filter, c.FilterCutAtTheEnd, "shifted by one"),
        (c.PairMax, c.PairMaxOfBoth, "wrong where clipped"),
        (c.Gained, c.GainedWithoutVariance, "missing term"),
        (c.Gained, c.GainedTwice, "doubled term"),
    ],
)
def test_a_layer_s_mistake_is_told_from_the_numbers(right: Any, wrong: Any, cause: str) -> None:
    assert check(right, options=EVIDENT).verdict in ("correct", "convention")
    found = next(one for one in check(wrong, options=EVIDENT).claims if one.verdict == "wrong")
    assert [one.name for one in found.causes][:1] == [cause]


def test_a_slope_where_forward_never_looks_is_no_flat_place() -> None:
    (found,) = check(c.PairMaxOfNeither, options=EVIDENT).claims
    assert found.verdict == "wrong"
    assert "wrong where clipped" not in [one.name for one in found.causes]
