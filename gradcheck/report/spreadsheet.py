"""CSV as spreadsheets read it: a byte-order mark, by which they know UTF-8, and no cell that looks like a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def csv_bytes(rows: Iterable[Iterable[str]]) -> bytes:
    """Return a table as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def _cell(value: str) -> str:
    """Return a text in one line, with an apostrophe before what would be a formula.

    >>> _cell("=1 + 1")
    "'=1 + 1"
    """
    flat = " ".join(value.split())
    return f"'{flat}" if flat.startswith(("=", "+", "-", "@")) else flat
