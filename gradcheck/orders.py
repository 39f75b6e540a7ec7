"""First and second derivatives of one function: two checks, and one result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from gradcheck.adapters.handed.second_order import SecondOrder
from gradcheck.check import Options, check_subject
from gradcheck.problem import Subject
from gradcheck.results import ComponentResult, ContractResult, Note
from gradcheck.verdicts import farthest, overall

# The worst first.
KEPT = ("broken", "noted", "kept", "not tried")


def check_orders(first: Subject | None, second: SecondOrder | None, options: Options) -> ComponentResult:
    """Check the first derivatives, then the second ones: of the claimed gradient where that is right."""
    start = time.monotonic()
    found = None if first is None else check_subject(first, options)
    if found is not None and (second is None or (options.fail_fast and not found)):
        return found
    assert second is not None
    left = max(options.time_limit - (time.monotonic() - start), 1e-3)
    again = check_subject(second.subject(right=bool(found)), replace(options, time_limit=left))
    return again if found is None else together(found, again)


def together(first: ComponentResult, second: ComponentResult) -> ComponentResult:
    """Return what was found about both orders as one result; where a name is in both, the second one's says so."""
    verdict = overall([first.verdict, second.verdict])
    reach = farthest([first.reach, second.reach])
    return replace(
        first,
        verdict=verdict,
        reach=reach,
        where=first.where if first.reach == reach else second.where,
        reason="; ".join(filter(None, (first.reason, second.reason))),
        reading="; ".join(dict.fromkeys([*first.reading.split("; "), *second.reading.split("; ")])),
        claims=(*first.claims, *second.claims),
        contract=_contract(first.contract, second.contract),
        notes=tuple(dict.fromkeys((*first.notes, *map(_about_the_gradient, second.notes)))),
        unjudged=(*first.unjudged, *second.unjudged),
        calls=(*first.calls, *_of_second(second.calls)),
        rows=(*first.rows, *_of_second(second.rows)),
        structures=(*first.structures, *((f"{name}, second order", what) for name, what in second.structures)),
    )


def _about_the_gradient(note: Note) -> Note:
    """What is said of forward there is said of the gradient."""
    return replace(note, about="the gradient") if note.about == "forward" else note


def _of_second(counts: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The calls of the gradient, which is the forward of the second order."""
    return [(f"gradient, {stage}", count) for stage, count in counts]


def _contract(first: Sequence[ContractResult], second: Sequence[ContractResult]) -> tuple[ContractResult, ...]:
    """The worse of each item."""
    items: dict[str, ContractResult] = {}
    for item in (*first, *second):
        items[item.name] = min(items.get(item.name, item), item, key=lambda one: KEPT.index(one.verdict))
    return tuple(items.values())
