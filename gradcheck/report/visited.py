"""Variants in words: what was tried beside the usual setting, shape and data, by what came out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from gradcheck.report.printer import Line
from gradcheck.report.tables import WIDE
from gradcheck.report.words import count, one_line
from gradcheck.results import Variant


def beside(variants: Sequence[Variant]) -> str:
    """How many variants were judged, as a line goes on with it.

    >>> beside([Variant("setting", "with padding=1", "right")]), beside([])
    (', 1 variant', '')
    """
    judged = sum(one.outcome in ("right", "wrong") for one in variants)
    return f", {count(judged, 'variant')}" if judged else ""


def lines_of(variants: Sequence[Variant], width: int) -> Iterator[Line]:
    """Lines that list them all; outcomes are padded to `width`."""
    for outcome in dict.fromkeys(one.outcome for one in variants):
        kinds: dict[str, list[str]] = {}
        for one in variants:
            if one.outcome == outcome:
                kinds.setdefault(one.kind, []).append(one.where)
        untried = outcome == "not tried"
        text = "; ".join((f"{kind}: " if untried else "") + ", ".join(found) for kind, found in kinds.items())
        for i, row in enumerate(textwrap.wrap(one_line(text), WIDE)):
            head = ("  variants  ", outcome) if i == 0 else ("            ", "")
            yield [(head[0], "quiet"), (f"{head[1]:<{width}} ", "quiet"), (row, "")]
