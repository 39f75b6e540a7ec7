"""Check what the registry holds: a class, an instance, or a call of a plain function."""

from __future__ import annotations

import inspect
from typing import Any

from gradcheck.check import Options
from gradcheck.functions import check
from gradcheck.results import ComponentResult
from tests.faults.base import Call


def run(thing: Any, options: Options | None = None) -> ComponentResult:
    """Check a class, an instance, or what a factory makes."""
    made = thing() if callable(thing) and not inspect.isclass(thing) else thing
    if isinstance(made, Call):
        return check(made.function, *made.args, **made.derivatives, options=options)
    return check(made, options=options)


def first_causes(result: ComponentResult) -> dict[str, str]:
    """Return the name of the first diagnosis of every wrong claim, "" where none fitted."""
    wrong = [claim for claim in result.claims if claim.verdict == "wrong"]
    return {claim.name: claim.causes[0].name if claim.causes else "" for claim in wrong}


def broken(result: ComponentResult, verdict: str = "broken") -> dict[str, str]:
    """Return the items of the contract that are broken (or noted, by `verdict`), with what was found."""
    return {item.name: item.detail for item in result.contract if item.verdict == verdict}
