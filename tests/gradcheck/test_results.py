"""Results survive JSON, and old or broken JSON is refused."""

import dataclasses
import json
import math

import pytest

from gradcheck.results import (
    SCHEMA,
    AtPoint,
    Cause,
    ClaimResult,
    ComponentResult,
    ContractResult,
    Curve,
    Entry,
    Heat,
    Kink,
    from_json,
    overall,
    to_json,
)

AT = AtPoint("generic", "float64", "correct", 12, 1e-16, 1e-12, 1e-13, 1e-14, 1e-15, 1e-4, math.inf, 1.0, "fine")
RESULT = ComponentResult(
    name="beras.layers.Dense",
    source="beras/layers.py:12",
    verdict="correct",
    claims=(
        ClaimResult(
            name="get_input_gradients[x]",
            method="get_input_gradients",
            wrt="x",
            verdict="correct",
            points=(AT,),
            worst=Entry((0, 1), (2,), 1.0, 1.0, math.nan, 1e-12),
            kinks=(Kink("zeros", (1, 2), 0.3, 1.0, 0.0, "0"),),
            causes=(Cause("sign", "the sign is flipped", "claim = −estimate"),),
            curve=Curve("∂y/∂x", (1e-3, 1e-6), (1e-9, -math.inf), 1e-3, 1e-16),
            heat=Heat("generic", ((0.1, 0.2), (0.3, 0.4))),
        ),
    ),
    contract=(ContractResult("pure", "kept"),),
    calls=(("steps", 12),),
    structures=(("x", "rows"),),
)


def test_json_and_back_is_the_same_result():
    assert from_json(to_json(RESULT)).claims[0].points == RESULT.claims[0].points
    assert to_json(from_json(to_json(RESULT))) == to_json(RESULT)


def test_json_is_strict_json():
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    json.loads(to_json(RESULT), parse_constant=refuse)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"schema": 99, "name": "x"}', json.dumps({"schema": SCHEMA, "name": "x", "unknown": 1})]
)
def test_another_schema_is_refused_in_one_line(text):
    with pytest.raises(ValueError, match=f"expected a result of schema {SCHEMA}"):
        from_json(text)


def test_the_worst_verdict_counts():
    assert overall(["correct", "wrong", "unresolved"]) == "wrong"
    assert overall(["correct", "waived"]) == "waived"
    assert overall(["skipped", "correct"]) == "correct"
    assert overall([]) == "skipped"


def test_resolution_is_relative_and_of_the_median_correct_point():
    points = tuple(dataclasses.replace(AT, resolution=r, scale=2.0) for r in (2.0, 4.0, 6.0))
    claim = dataclasses.replace(RESULT.claims[0], points=points)
    assert claim.resolution == 2.0
