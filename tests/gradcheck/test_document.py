"""The JSON of a run comes back as the results that went in, and says so when it cannot."""

from __future__ import annotations

import dataclasses
import json

import pytest

from gradcheck.report import document
from gradcheck.report.document import SCHEMA, Document, components_of
from gradcheck.results import ClaimResult, ComponentResult, Entry
from tests.gradcheck.test_terminal import component, right, wrong


def made(*components: ComponentResult) -> Document:
    return Document(("beras",), ("beras/__init__.py",), 3, ("float64",), 1, components, {"layers.Dense": 0.12345})


def test_results_come_back_as_they_went_in() -> None:
    infinite = ClaimResult(
        "f[x]", "f", "x", "wrong", worst=Entry((0,), (1,), float("inf"), 1.0, 0.5, 0.25, 1.0, 2.0, 3.0)
    )
    results = (component(wrong(), right()), component(infinite, reason="<&>\x00é"))
    text = made(*results).to_json()
    assert components_of(text) == list(results)
    changed = (results[0], dataclasses.replace(results[1], reason="another"))
    assert components_of(text) != list(changed)


def test_fields_are_those_of_the_documentation() -> None:
    data = json.loads(made(component(wrong())).to_json())
    assert (data["schema"], data["seed"], data["exit_status"], data["verdict"]) == (SCHEMA, 3, 1, "wrong")
    assert data["counts"] == {"wrong": 1}
    assert data["reaches"] == {"everywhere": 1}
    assert data["branches"] == {"taken": 0, "outcomes": 0}
    assert data["seconds"] == {"layers.Dense": 0.123}
    described = document.__doc__ or ""
    for field in data:
        assert field in described, f"{field} is not documented"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", "None"),
        ("{}", "None"),
        ('{"schema": 99, "components": []}', "99"),
        ('{"schema": 1, "components": []}', "1"),
        ('{"schema": 2}', "2"),
    ],
)
def test_another_schema_is_refused_in_a_line(text: str, found: str) -> None:
    said = f"^expected the JSON of a gradcheck run, schema 2, but found {found}: run it again$"
    with pytest.raises(ValueError, match=said):
        components_of(text)


def test_a_document_of_version_1_is_refused_and_what_is_no_json_at_all() -> None:
    old = made(component(right())).to_json().replace('"schema": 2', '"schema": 1')
    with pytest.raises(ValueError, match="but found 1"):
        components_of(old)
    with pytest.raises(ValueError, match="Expecting value"):
        components_of("not json")
