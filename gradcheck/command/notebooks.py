"""Notebooks as modules: code cells run in order, what is no Python is left out, what fails hides only what needs it.

A notebook is JSON with a list of cells (nbformat 4; before that, in worksheets). Two lines read it, so that nothing has
to be installed for it. Magics and shell lines are found by what Python does not parse.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from gradcheck.command import statements
from gradcheck.command.statements import Failure
from gradcheck.errors import told

# Cell magics whose cell is Python all the same.
PYTHON = ("time", "timeit", "capture", "prun", "python", "python3", "memit", "matplotlib")
MAGIC = re.compile(r"^(\s*)([%!?]|.*\?\s*$)")
ASSIGNED = re.compile(r"^(\s*[\w, ]+=\s*)[%!]")


def load(name: str, file: str) -> ModuleType:
    """Run the code cells of a notebook as the module `name`. Raises ValueError where the file is no notebook.

    Statements that raise are passed over, and kept with their reasons.
    """
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == file:
        return known
    if known is not None:  # called random.ipynb, say
        return load(f"{name}_notebook", file)
    module = ModuleType(name)
    module.__file__ = file
    vars(module)["display"] = lambda *_: None
    failed: list[Failure] = []
    statements.keep(module, failed)
    sys.modules[name] = module
    os.environ.setdefault("MPLBACKEND", "agg")  # no windows
    lost: set[str] = set()
    for number, text in enumerate(_cells(file), start=1):
        failed += _run(module, number, f"{file}, cell {number}", text, lost)
    return module


def _cells(file: str) -> Iterator[str]:
    """The text of each code cell. Raises ValueError where there are none to be read."""
    try:
        whole = json.loads(Path(file).read_text(encoding="utf-8"))
        sheets = whole.get("worksheets", [whole])
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell.get("cell_type") == "code"]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"it is not a notebook: {told(error)}") from error
    yield from ("".join(source) for source in sources)


def _run(module: ModuleType, number: int, title: str, text: str, lost: set[str]) -> Iterator[Failure]:
    """Run one cell; names that are not bound because of what raises are `lost`."""
    text = python_only(text)
    linecache.cache[title] = (len(text), None, text.splitlines(keepends=True), title)
    try:
        tree = ast.parse(text, title)
    except SyntaxError as error:
        names = re.findall(r"^(?:def|class) +(\w+)", text, re.MULTILINE)
        yield Failure(f"cell {number}", tuple(names), statements.one_line(error))
        return
    yield from statements.run(module, tree, title, f"cell {number}", lost)


def python_only(text: str) -> str:
    """Return a cell without magics and shell lines, of as many lines; "" for a cell in another language.

    >>> python_only("%matplotlib inline\\nx = 3 %(\\n  2)\\nfiles = !ls")
    'pass\\nx = 3 %(\\n  2)\\nfiles = None'
    """
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first][2:].split(" ")[0].strip() not in PYTHON:
            return ""
        lines[first] = "pass"
    for _ in range(len(lines)):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            at = _magic(lines, error.lineno or 0)
            if at is None:
                break
            assigned = ASSIGNED.match(lines[at])
            indent = re.match(r"\s*", lines[at])
            lines[at] = f"{assigned[1]}None" if assigned else f"{indent[0] if indent else ''}pass"
        except ValueError:  # a null byte
            break
        else:
            break
    return "\n".join(lines)


def _magic(lines: list[str], line: int) -> int | None:
    """Where the magic stands because of which a line (counted from 1) does not parse: there, or just before."""
    for at in (line - 1, line - 2):
        if 0 <= at < len(lines) and (MAGIC.match(lines[at]) or ASSIGNED.match(lines[at])):
            return at
    return None
