"""The exit status: what the verdicts mean for whoever started the command.

0   everything that claims a derivative was judged, and passes: correct, waived, a convention, notes
1   something wrong, unresolved, not implemented, or that could not be asked and is not left out by name
2   bad usage; nothing to check; a target named outright that is seen and not understood
3   an error in gradcheck itself
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcheck.results import ComponentResult
from gradcheck.verdicts import FAILING


def fails(result: ComponentResult, strict: bool = False) -> bool:
    """Whether one result makes the exit status 1; a `strict` command takes more than verdicts amiss."""
    return result.verdict in FAILING or (strict and is_remarkable(result))


def is_remarkable(result: ComponentResult) -> bool:
    """Whether there is anything but a plain "correct": a convention, a waiver, a note, something not judged."""
    return result.verdict in ("convention", "waived", "not understood") or bool(result.notes or result.unjudged)


def exit_status(results: Iterable[ComponentResult], *, internal: bool = False, strict: bool = False) -> int:
    """Return the status of a whole run; `internal`: gradcheck itself failed somewhere."""
    found = list(results)
    if internal:
        return 3
    if any(fails(result, strict) for result in found):
        return 1
    return 0 if any(result.verdict not in ("skipped", "not understood") for result in found) else 2
