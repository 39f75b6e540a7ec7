"""Small matrices: claim, measured and difference side by side, as text for the terminal and as cells for a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcheck.report.words import apart, count, exact
from gradcheck.results import Matrices

WIDE = 112
"""Characters of a line; as many columns are shown as fit."""

MARK = "*"

UNKNOWN = "?"
"""Where the measurement says nothing."""

AROUND = 2
"""Rows, and columns, without a wrong entry that are shown where not all can be."""

Cells = list[list[str]]


def side_by_side(shown: Matrices, most: int = 6) -> list[str]:
    """Return the lines of the three tables, of at most `most` rows and columns.

    >>> one = Matrices(("",), ("[0]", "[1]"), ((1.0, 4.0),), ((1.0, 2.0),), ((0.0, 2.0),), ((False, True),))
    >>> print("\\n".join(side_by_side(one)))
     claim        measured     difference
     [0]  [1]     [0]  [1]     [0]  [1]
       1    4*      1    2       0    2*
    """
    for columns in range(min(most, len(shown.columns)), 0, -1):
        part = cut(shown, most, columns)
        lines = _lines(part)
        if max(map(len, lines)) <= WIDE:
            break
    return [*lines, f"({remark(part)})"] if remark(part) else lines


def remark(shown: Matrices) -> str:
    """Return what has to be said below the tables: how many rows and columns are not shown, what is not known.

    >>> remark(Matrices((), (), (), (), (), (), (1, 20))), remark(Matrices((), (), (), (), (), ()))
    ('1 row and 20 columns not shown', '')
    """
    said = []
    if any(shown.cut):
        amounts = zip(shown.cut, ("row", "column"), strict=True)
        said.append(f"{' and '.join(count(n, noun) for n, noun in amounts if n)} not shown")
    if any(math.isnan(value) for row in shown.measured for value in row):
        said.append(f"{UNKNOWN}: not known there")
    return "; ".join(said)


def cut(shown: Matrices, rows: int, columns: int) -> Matrices:
    """Return the same with fewer rows and columns where it has more: those with wrong entries first."""
    across = _first(columns, [any(column) for column in zip(*shown.wrong, strict=True)])
    down = _first(rows, [any(row[j] for j in across) for row in shown.wrong])

    def part(table: Sequence[Sequence[Any]]) -> Any:
        return tuple(tuple(table[i][j] for j in across) for i in down)

    left_out = shown.cut[0] + len(shown.rows) - len(down), shown.cut[1] + len(shown.columns) - len(across)
    return Matrices(
        tuple(shown.rows[i] for i in down),
        tuple(shown.columns[j] for j in across),
        part(shown.claim),
        part(shown.measured),
        part(shown.difference),
        part(shown.wrong),
        left_out,
    )


def cells(shown: Matrices) -> tuple[tuple[str, Cells], ...]:
    """Return the three tables' titles and texts; a wrong claim and what was measured there can be told apart."""
    claim, measured = [], []
    for line in zip(shown.claim, shown.measured, shown.wrong, strict=True):
        pairs = [apart(c, m) if wrong else (exact(c, 4), exact(m, 4)) for c, m, wrong in zip(*line, strict=True)]
        claim.append([one for one, _ in pairs])
        measured.append([other.replace("NaN", UNKNOWN) for _, other in pairs])
    pairs_of_rows = zip(shown.difference, shown.measured, strict=True)
    difference = [
        [UNKNOWN if math.isnan(m) else exact(d, 3) for d, m in zip(*row, strict=True)] for row in pairs_of_rows
    ]
    return ("claim", claim), ("measured", measured), ("difference", difference)


def _first(most: int, wrong: Sequence[bool]) -> list[int]:
    """All places where they are few; else the first wrong ones, and a few others."""
    if len(wrong) <= most:
        return list(range(len(wrong)))
    order = sorted(range(len(wrong)), key=lambda i: not wrong[i])
    return sorted(order[: min(most, sum(wrong) + AROUND)])


def _lines(shown: Matrices) -> list[str]:
    blocks = [_block(title, shown, texts) for title, texts in cells(shown)]
    label = max(map(len, shown.rows), default=0)
    labels = [f"{name:<{label}}" for name in ("", "", *shown.rows)]
    return [" ".join(line).rstrip() for line in zip(labels, *blocks, strict=True)]


def _block(title: str, shown: Matrices, texts: Cells) -> list[str]:
    """One table without its rows' labels: its title, the columns' labels, the numbers."""
    marks = [[MARK if wrong and title != "measured" else " " for wrong in row] for row in shown.wrong]
    table = [[f"{name} " for name in shown.columns]]
    table += [[f"{text}{mark}" for text, mark in zip(*row, strict=True)] for row in zip(texts, marks, strict=True)]
    wide = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [" ".join(f"{cell:>{w}}" for cell, w in zip(row, wide, strict=True)) for row in table]
    width = max(len(title), len(lines[0])) + 2
    return [f"{line:<{width}}" for line in (title, *lines)]
