"""Marks that a reader can recompute, and Gradescope's file that says the same."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from gradcheck.errors import UsageError
from gradcheck.report.gradescope import results_json
from gradcheck.report.marks import VISIBILITIES, Marking, marking, marks, marks_csv
from gradcheck.results import ComponentResult
from tests.gradcheck import report_cases as cases

TABLE: dict[str, Any] = {
    "weights": {"far.at ties": 4, "beras.layers.Dense": 3, "beras.layers.Gone": 2.5, "beras.layers.Stub": 1},
    "worth": {"an edge": 0.75, "not implemented": 0.1},
    "visibility": "after_published",
}
RESULTS = [
    cases.wrong_at("an edge", "at ties"),
    cases.plain(),
    cases.stub(),
    cases.unasked(),
    ComponentResult("beras", "beras.py", "could not be asked", reason="it cannot be imported: no such luck"),
]


def test_a_mark_is_weight_times_worth_and_0_for_what_is_missing() -> None:
    given = marks(RESULTS, marking(TABLE))
    assert [(mark.name, mark.points, mark.weight, mark.said) for mark in given] == [
        ("far.at ties", 3.0, 4.0, "wrong at ties"),
        ("beras.layers.Dense", 3.0, 3.0, "correct"),
        ("beras.layers.Gone", 0.0, 2.5, "missing"),
        ("beras.layers.Stub", 0.1, 1.0, "not implemented"),
    ]
    assert given[2].why == "it cannot be imported: no such luck"


@pytest.mark.parametrize(
    ("result", "worth"),
    [
        (cases.plain("b.F"), 1.0),
        (ComponentResult("b.F", "", "convention"), 1.0),
        (ComponentResult("b.F", "", "waived", reason="says the submission itself"), 0.0),
        (ComponentResult("b.F", "", "skipped", reason="says the submission itself"), 0.0),
        (ComponentResult("b.F", "", "wrong", reach="ε", where="by an ε"), 0.0),
        (ComponentResult("b.F", "", "wrong"), 0.0),
    ],
)
def test_without_a_word_only_what_is_right_is_worth_something(result: ComponentResult, worth: float) -> None:
    [mark] = marks([result], marking({}, ["b.F"]))
    assert (mark.points, mark.weight) == (worth, 1.0)


def test_a_name_that_is_expected_keeps_its_weight() -> None:
    how = marking({"weights": {"b.F": 3}}, ["b.G", "b.F"])
    assert dict(how.weights) == {"b.G": 1.0, "b.F": 3.0}
    assert how.most == 4.0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"wieghts": {}}, "marks has no key 'wieghts': expected weights, worth, visibility"),
        ({"weights": 3}, "expected marks.weights to be a table, but got 3"),
        ({"weights": {"b.F": "3"}}, "expected marks.weights.'b.F' to be a number from 0 to 1e+06, but got '3'"),
        ({"weights": {"b.F": -1}}, "expected marks.weights.'b.F' to be a number"),
        ({"weights": {"b.F": float("nan")}}, "expected marks.weights.'b.F' to be a number"),
        ({"weights": {"b.F": True}}, "expected marks.weights.'b.F' to be a number"),
        ({"worth": {"correct": 1.5}}, "expected marks.worth.'correct' to be a number from 0 to 1, but got 1.5"),
        ({"worth": {"at ties": 1}}, "marks.worth has no key 'at ties': expected some of unresolved, "),
        ({"worth": {"wrong": 1}}, "marks.worth has no key 'wrong'"),
        ({"visibility": "never"}, "expected marks.visibility to be one of visible, hidden, after_due_date, "),
        ({"visibility": []}, "expected marks.visibility to be one of"),
    ],
)
def test_what_is_not_understood_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        marking(table)
    assert str(caught.value).startswith(said)


def test_the_table_opens_in_a_spreadsheet_and_adds_up() -> None:
    how = marking(TABLE)
    content = marks_csv([("=Ada Größe", RESULTS), ("bob", [])], how)
    assert content.startswith("\N{BYTE ORDER MARK}".encode())
    head, most, ada, bob = csv.reader(content.decode("utf-8-sig").splitlines())
    names = list(how.weights)
    assert head == ["who", "mark", "of", *names, *(f"{name}: verdict" for name in names)]
    assert most[:7] == ["(most)", "10.5", "10.5", "4", "3", "2.5", "1"]
    assert ada[:7] == ["'=Ada Größe", "6.1", "10.5", "3", "3", "0", "0.1"]
    missing = "missing: it cannot be imported: no such luck"
    assert ada[7:] == ["wrong at ties", "correct", missing, "not implemented"]
    assert bob == ["bob", "0", "10.5", "0", "0", "0", "0", "missing", "missing", "missing", "missing"]
    for row in (ada, bob):
        assert float(row[1]) == pytest.approx(sum(map(float, row[3:7])))


# Gradescope's specification of results.json: the fields of a test, and the words that some of them may have.
FIELDS = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
          "visibility", "extra_data"}  # fmt: skip
WORDS = {"status": {"passed", "failed"}, "output_format": {"text", "html", "simple_format", "md", "ansi"},
         "visibility": set(VISIBILITIES)}  # fmt: skip


def gradescope(results: list[ComponentResult], how: Marking) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(results_json(results, how, 2.6))
    assert read.keys() <= {"score", "execution_time", "output", "visibility", "tests"}
    assert read["execution_time"] == 3
    assert read["score"] == pytest.approx(sum(test.get("score", 0) for test in read["tests"]))
    for test in read["tests"]:
        assert test.keys() <= FIELDS
        assert ("score" in test) == ("max_score" in test)
        assert all(test[key] in words for key, words in WORDS.items())
    return read


def test_gradescope_shows_marks_at_once_and_claims_when_it_may() -> None:
    read = gradescope(RESULTS, marking(TABLE))
    assert read["score"] == 6.1
    assert [(test["number"], test["name"], test["status"], test["visibility"]) for test in read["tests"]] == [
        ("1", "far.at ties", "failed", "visible"),
        ("1.1", "backward[x]", "failed", "after_published"),
        ("2", "beras.layers.Dense", "passed", "visible"),
        ("2.1", "get_input_gradients[x]", "passed", "after_published"),
        ("3", "beras.layers.Gone", "failed", "visible"),
        ("4", "beras.layers.Stub", "failed", "visible"),
        ("4.1", "get_input_gradients[x]", "failed", "after_published"),
        ("4.2", "tape[x]", "passed", "after_published"),
    ]
    outputs = {test["number"]: test["output"] for test in read["tests"]}
    assert outputs["1"] == "wrong at ties"
    assert "backward[x] at ties" in outputs["1.1"]
    assert outputs["3"] == "missing: it cannot be imported: no such luck"
    assert outputs["4.2"] == "waived: straight-through estimator"
    assert read["output"].splitlines() == [
        "without a mark: beras.layers.Odd is could not be asked: Odd needs 'depth': say --init depth=2",
        "without a mark: beras is could not be asked: it cannot be imported: no such luck",
    ]


@pytest.mark.parametrize("text", cases.HOSTILE)
def test_any_text_can_be_read_again(text: str) -> None:
    how = marking({}, [text])
    assert gradescope([cases.hostile(text)], how)["score"] == 0
    rows = list(csv.reader(marks_csv([(text, [cases.hostile(text)])], how).decode("utf-8-sig").splitlines()))
    assert [len(row) for row in rows] == [5, 4, 5]
