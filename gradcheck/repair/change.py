"""An edit as people read it: the lines that change, and a unified diff."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from gradcheck.errors import shown
from gradcheck.repair.scene import Edit
from gradcheck.repair.source import File
from gradcheck.results import Repair

# Lines around a change that a diff shows.
CONTEXT = 3


def described(edit: Edit) -> Repair:
    """What an edit changes in its file."""
    file = edit.unit.file
    new = _without_needless_parentheses(edit)
    text = file.text[: edit.start] + new + file.text[edit.end :]
    old_lines, new_lines = file.text.split("\n"), text.split("\n")
    first = 0
    while old_lines[first] == new_lines[first]:
        first += 1
    same = 0
    while same < min(len(old_lines) - 1, len(new_lines)) - first and old_lines[-1 - same] == new_lines[-1 - same]:
        same += 1
    old, changed = old_lines[first : len(old_lines) - same], new_lines[first : len(new_lines) - same]
    return Repair(
        file=shown(file.name),
        line=first + 1,
        old="\n".join(old),
        new="\n".join(changed),
        what=edit.what,
        diff=_diff(shown(file.name), old_lines, first, old, changed),
        checksum=_checksum(file),
    )


def _without_needless_parentheses(edit: Edit) -> str:
    """The new text without parentheses around all of it, where Python reads the same without them."""
    text, file = edit.text, edit.unit.file.text
    if not (text.startswith("(") and text.endswith(")")):
        return text
    whole, bare = (file[: edit.start] + one + file[edit.end :] for one in (text, text[1:-1]))
    try:
        same = ast.dump(ast.parse(whole)) == ast.dump(ast.parse(bare))
    except SyntaxError:
        return text
    return text[1:-1] if same else text


def _diff(name: str, lines: list[str], first: int, old: list[str], new: list[str]) -> str:
    before = lines[max(0, first - CONTEXT) : first]
    after = lines[first + len(old) : first + len(old) + CONTEXT]
    if after and first + len(old) + len(after) == len(lines) and not after[-1]:
        after = after[:-1]  # what follows the last newline is no line
    start, around = first - len(before) + 1, len(before) + len(after)
    body = [
        *(f" {one}" for one in before),
        *(f"-{one}" for one in old),
        *(f"+{one}" for one in new),
        *(f" {one}" for one in after),
    ]
    head = f"@@ -{start},{around + len(old)} +{start},{around + len(new)} @@"
    return "\n".join([f"--- {name}", f"+++ {name}", head, *body])


def _checksum(file: File) -> str:
    """The file's checksum where it still is what was loaded."""
    try:
        content = Path(file.name).read_bytes()
    except OSError:  # a cell of a notebook, a text that was compiled
        return ""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        same = lines.decode("utf-8-sig").rstrip("\n") == file.text.rstrip("\n")
    except UnicodeDecodeError:
        same = False
    return hashlib.sha256(content).hexdigest() if same else ""
