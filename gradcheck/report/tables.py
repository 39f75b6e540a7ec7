"""Small matrices as text: claim, measured and difference side by side, the wrong entries marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcheck.report.words import count, number
from gradcheck.results import Matrices, Matrix

WIDE = 112
"""Characters of a line; where three tables do not fit side by side, they stand one below the other."""

MARK = "*"


def side_by_side(shown: Matrices, most: int = 6) -> list[str]:
    """Return the lines of the three tables, of at most so many rows and columns.

    >>> print("\\n".join(side_by_side(Matrices(("",), ("[0]", "[1]"), ((1.0, 4.0),), ((1.0, 2.0),), ((False, True),)))))
    claim        measured     difference
     [0]  [1]     [0]  [1]     [0]  [1]
       1    4*      1    2       0    2*
    """
    shown = cut(shown, most)
    tables = [
        _table("claim", shown, shown.claim),
        _table("measured", shown, shown.measured),
        _table("difference", shown, shown.difference),
    ]
    wide = [max(map(len, table)) for table in tables]
    if sum(wide) + 6 <= WIDE:
        rows = zip(*tables, strict=True)
        lines = ["   ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    else:
        lines = [line.rstrip() for table in tables for line in table]
    left_out = [count(n, noun) for n, noun in zip(shown.cut, ("more row", "more column"), strict=True) if n]
    return [*lines, f"({' and '.join(left_out)} not shown)"] if left_out else lines


def cut(shown: Matrices, most: int) -> Matrices:
    """The same with fewer rows and columns: those with wrong entries first."""
    down = _first(most, [any(row) for row in shown.wrong])
    across = _first(most, [any(column) for column in zip(*shown.wrong, strict=True)])

    def part(table: Sequence[Sequence[Any]]) -> Any:
        return tuple(tuple(table[i][j] for j in across) for i in down)

    left_out = shown.cut[0] + len(shown.rows) - len(down), shown.cut[1] + len(shown.columns) - len(across)
    rows, columns = tuple(shown.rows[i] for i in down), tuple(shown.columns[j] for j in across)
    return Matrices(rows, columns, part(shown.claim), part(shown.measured), part(shown.wrong), left_out)


def _first(most: int, wrong: Sequence[bool]) -> list[int]:
    order = sorted(range(len(wrong)), key=lambda i: not wrong[i])
    return sorted(order[:most])


def _table(title: str, shown: Matrices, values: Matrix) -> list[str]:
    marked = title != "measured"
    cells = [
        [f"{number(value, 4)}{MARK if wrong and marked else ' '}" for value, wrong in zip(row, flags, strict=True)]
        for row, flags in zip(values, shown.wrong, strict=True)
    ]
    heads = [f"{name} " for name in shown.columns]
    wide = [max(map(len, column)) for column in zip(heads, *cells, strict=True)] if heads else []
    label = max(map(len, shown.rows), default=0)

    def line(name: str, row: Sequence[str]) -> str:
        return " ".join([f"{name:<{label}}", *(f"{cell:>{w}}" for cell, w in zip(row, wide, strict=True))])

    return [title, line("", heads), *(line(name, row) for name, row in zip(shown.rows, cells, strict=True))]
