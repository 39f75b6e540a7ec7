"""Right code in the styles of many courses, checked from end to end: no alarm."""

from __future__ import annotations

from typing import Any

import pytest

from gradcheck.adapters import subject_of
from gradcheck.check import Options, check_subject
from tests.gradcheck.test_adapters import NAMES, RIGHT
from tests.wild.test_derivatives import complaints


@pytest.mark.parametrize("thing", [thing for thing, _ in RIGHT], ids=NAMES)
def test_right_code_of_any_style_raises_no_alarm(thing: Any) -> None:
    result = check_subject(subject_of(thing), Options(dtypes=("float64",)))
    noted = "gradients have the shape and dtype of what they differentiate"
    alarms = [line for line in complaints(result) if result.verdict != "correct" or not line.startswith(noted)]
    assert alarms == []
    assert result.claims
