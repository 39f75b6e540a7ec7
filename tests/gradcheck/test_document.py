"""The JSON of a run comes back as the results that went in, and says so when it cannot."""

from __future__ import annotations

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
    # As text, since NaN (a step that was not recorded) differs from itself.
    assert str(components_of(text)) == str(list(results))


def test_fields_are_those_of_the_documentation() -> None:
    data = json.loads(made(component(wrong())).to_json())
    assert (data["schema"], data["seed"], data["exit_status"], data["verdict"]) == (SCHEMA, 3, 1, "wrong")
    assert data["counts"] == {"wrong": 1}
    assert data["seconds"] == {"layers.Dense": 0.123}
    described = document.__doc__ or ""
    for field in data:
        assert field in described, f"{field} is not documented"


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 99, "components": []}', '{"schema": 1}', "not json"])
def test_another_schema_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"schema|Expecting value"):
        components_of(text)
