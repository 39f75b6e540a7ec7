"""GitHub's workflow commands: a line of output for each failure, which GitHub shows at the line of the code.

GitHub shows ten errors of a step, so the worst come first.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gradcheck.report.findings import Finding, inside
from gradcheck.report.words import one_line


def github(found: Iterable[Finding], root: Path) -> list[str]:
    """Return an `::error file=…,line=…,title=…::…` for everything that fails; files are named from `root`."""
    return [_line(one, root) for one in found if one.fails]


def _line(one: Finding, root: Path) -> str:
    name = inside(one.file, root)
    where = {"file": name, **({"line": str(one.line)} if one.line else {})} if name else {}
    properties = {**where, "title": f"{one.rule}: {one.component} {one.about}"}
    escaped = ",".join(f"{key}={_property(one_line(value))}" for key, value in properties.items())
    return f"::error {escaped}::{_data(one.message)}"


def _data(text: str) -> str:
    """Escape the text of a command.

    >>> _data("50 %\\nof it")
    '50 %25%0Aof it'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape the value of a property, in which colons and commas mean something.

    >>> _property("f[x, y]: wrong")
    'f[x%2C y]%3A wrong'
    """
    return _data(text).replace(":", "%3A").replace(",", "%2C")
