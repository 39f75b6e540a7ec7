"""Results survive JSON, compare by what they hold, and show themselves; old or broken JSON is refused."""

import copy
import dataclasses
import json
import math
import pickle
import re
import typing
from html.parser import HTMLParser
from importlib.util import find_spec

import numpy as np
import pytest

import gradcheck
from gradcheck import results
from gradcheck.data import Data, to_json
from gradcheck.report import notebook
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
    Matrices,
    Note,
    Unjudged,
    from_json,
)
from gradcheck.verdicts import FAILING, ORDER, PASSING

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
            heat=Heat("generic", ((0.1, 0.2), (0.3, math.nan))),
            wrong=(Entry((0, 1), (2,), math.nan, 1.0, 1e-13, 1e-12),),
            wrong_count=7,
            matrices=Matrices(("[0]",), ("[1]",), ((math.nan,),), ((1.0,),), ((math.nan,),), ((True,),), (1, 2)),
            traceback="layers.py, line 3, in backward",
        ),
    ),
    contract=(ContractResult("pure", "kept"),),
    calls=(("steps", 12),),
    structures=(("x", "rows"),),
    notes=(Note("forward", "forward is NaN at 0"),),
    unjudged=(Unjudged("grad_b", "its weight was not found"),),
    reading="forward(x), then get_input_gradients()",
)


def test_json_and_back_is_the_same_result():
    assert from_json(to_json(RESULT)) == RESULT
    assert to_json(from_json(to_json(RESULT))) == to_json(RESULT)


def test_json_is_strict_json():
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    json.loads(to_json(RESULT), parse_constant=refuse)


@pytest.mark.parametrize(
    ("text", "found"), [("[]", "None"), ("{}", "None"), ('{"schema": 99, "name": "x"}', "99"), ('{"schema": 1}', "1")]
)
def test_another_schema_is_refused_in_one_line(text, found):
    with pytest.raises(ValueError, match=f"^expected a result of schema 2, but found {found}: run the check again$"):
        from_json(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"wrong_count"', '"wrong_amount"'),
        ('"verdict": "correct"', '"verdict": "all right"'),
        ('"wrong_count": 7', '"wrong_count": "seven"'),
        ('"points": [', '"points": 3, "more": ['),
        ('"source": "beras/layers.py:12",', ""),
    ],
)
def test_a_malformed_field_is_refused_in_one_line(old, new):
    text = to_json(RESULT)
    assert old in text
    with pytest.raises(ValueError, match=r"^expected a result of schema 2, but a field is malformed: [^\n]+$"):
        from_json(text.replace(old, new, 1))


def test_the_json_is_what_the_classes_say():
    data = json.loads(to_json(RESULT))
    assert data["schema"] == SCHEMA == 2
    assert "schema of the JSON, version 2" in " ".join(results.__doc__.split())

    def compare(value, item):
        if isinstance(value, Data):
            assert list(item) == [field.name for field in dataclasses.fields(value)]
            for name, inner in item.items():
                compare(getattr(value, name), inner)
        elif isinstance(value, tuple):
            assert isinstance(item, list)
            for one, inner in zip(value, item, strict=True):
                compare(one, inner)
        elif isinstance(value, float) and not math.isfinite(value):
            assert item == str(value)
        else:
            assert item == value

    compare(RESULT, data)


NAN = float("nan")


def test_equal_runs_are_equal_and_others_are_not():
    def check(factor):
        return gradcheck.check(lambda x: np.abs(x), np.array([0.0, 1.0]), jac=lambda x: factor * np.diag(np.sign(x)))

    assert check(1.0) == check(1.0)
    assert check(2.0) == check(2.0)
    assert check(1.0) != check(2.0)
    assert len({check(2.0), check(2.0), check(1.0)}) == 2
    assert "nan" in to_json(check(2.0))  # which is not equal to itself


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Entry((), (), float("nan"), 0.0, 1.0, 1.0), Entry((), (), float("nan"), 0.0, 1.0, 1.0), True),
        (Entry((), (), NAN, 0.0, 1.0, 1.0), Entry((), (), 1.0, 0.0, 1.0, 1.0), False),
        (Entry((), (), 0.0, 0.0, 1.0, 1.0), Entry((), (), -0.0, 0.0, 1.0, 1.0), True),
        (Entry((0,), (), 0.0, 0.0, 1.0, 1.0), Entry((), (), 0.0, 0.0, 1.0, 1.0), False),
        (Heat("p", ((NAN, 1.0),)), Heat("p", ((float("nan"), 1.0),)), True),
        (Heat("p", ((NAN, 1.0),)), Heat("p", ((1.0, NAN),)), False),
        (Note("a", "b"), Unjudged("a", "b"), False),
        (Note("a", "b"), ("a", "b"), False),
    ],
)
def test_data_compares_by_what_it_holds(one, other, same):
    assert (one == other) is same
    assert (one != other) is not same
    assert (hash(one) == hash(other)) or not same


def test_a_result_survives_copies_and_pickles():
    assert copy.deepcopy(RESULT) == RESULT
    assert pickle.loads(pickle.dumps(RESULT)) == RESULT
    assert dataclasses.replace(RESULT, seed=1) != RESULT


@pytest.mark.parametrize("verdict", ORDER)
def test_a_result_is_true_where_it_passes(verdict):
    result = dataclasses.replace(RESULT, verdict=verdict)
    assert bool(result) is (verdict in ("correct", "waived", "convention"))
    assert bool(result) is (verdict in PASSING)
    assert not (result and verdict in FAILING)


def test_a_repr_is_one_short_line_and_says_how_far_it_reaches():
    assert repr(RESULT) == "<gradcheck: beras.layers.Dense is correct>"
    far = dataclasses.replace(RESULT, verdict="wrong", reach="an edge", where="at ties")
    assert repr(far) == "<gradcheck: beras.layers.Dense is wrong at ties>"
    claim = dataclasses.replace(RESULT.claims[0], verdict="wrong", reach="everywhere", where="everywhere")
    assert repr(claim) == "<get_input_gradients[x]: wrong everywhere>"
    nasty = dataclasses.replace(far, name="a\nb" + "c" * 1000, where="d\n" * 1000)
    assert "\n" not in repr(nasty)
    assert len(repr(nasty)) < 400


def test_a_result_prints_as_the_command_prints_it(capsys):
    print(RESULT)
    assert capsys.readouterr().out == (
        "correct    beras.layers.Dense  1 claim, 1 point, measured, worst error 0.0001 of tolerance, would catch ≥ ∞; "
        "forward is NaN at 0\n  not judged  grad_b: its weight was not found\n"
    )


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


HOSTILE = dataclasses.replace(RESULT, name="</iframe><script>alert(1)</script>", reason='"><img src=x onerror=x()>')


@pytest.mark.skipif(not all(map(find_spec, ("jinja2", "matplotlib"))), reason="needs the extra `report`")
@pytest.mark.parametrize("result", [RESULT, HOSTILE])
def test_a_notebook_shows_the_report_s_page_in_a_frame_of_its_own(result):
    ((tag, attributes),) = Tags(result._repr_html_()).found
    assert tag == "iframe"
    page = attributes["srcdoc"]
    assert page.startswith("<!doctype html>")
    assert "Claims" in page
    assert "<script" not in page
    assert not any(name.startswith("on") for _, found in Tags(page).found for name in found)
    # It has no neighbours to lead to, and may do no more than be looked at.
    assert not [found["href"] for tag, found in Tags(page).found if tag == "a" and not found["href"].startswith("#")]
    assert attributes["sandbox"] == "allow-same-origin"
    assert len(result._repr_html_()) < 1_500_000


@pytest.mark.parametrize("result", [RESULT, HOSTILE])
def test_a_notebook_without_the_extra_shows_the_text(result, monkeypatch):
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)
    shown = result._repr_html_()
    assert Tags(shown).found == [("pre", {})]
    assert re.sub("<[^>]*>", "", shown).startswith("correct")


def test_all_public_types_are_named():
    assert {name for name in gradcheck.__all__ if isinstance(getattr(gradcheck, name), type)} >= {
        "ClaimResult", "ComponentResult", "Options", "UsageError",
    }  # fmt: skip
    assert typing.get_type_hints(ComponentResult)["claims"] == tuple[ClaimResult, ...]


def test_resolution_is_relative_and_of_the_median_correct_point():
    points = tuple(dataclasses.replace(AT, resolution=r, scale=2.0) for r in (2.0, 4.0, 6.0))
    claim = dataclasses.replace(RESULT.claims[0], points=points)
    assert claim.resolution == 2.0
