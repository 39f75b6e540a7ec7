"""The exit status: what the verdicts mean for whoever started the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gradcheck.results import ComponentResult
from gradcheck.verdicts import FAILING

if TYPE_CHECKING:
    from gradcheck.command.run import Found

STATUS = """\
0    everything that claims a derivative was judged and passes (correct, waived, a convention,
     notes), or is left out by its name (--exclude, gradcheck_skip); what is seen inside a
     module and not understood is counted in the last line
1    something is wrong, unresolved, not implemented or could not be asked; with --strict also
     notes, conventions, waivers and what is not understood; with --fail-under-branches also
     too few outcomes of decisions seen
2    bad usage; nothing to check; a target of which nothing is understood
3    an error in gradcheck itself
130  Ctrl-C (143: SIGTERM): what was found so far is printed and written"""


def exit_status(
    results: Iterable[ComponentResult],
    *,
    internal: bool = False,
    strict: bool = False,
    unread: bool = False,
    short: bool = False,
    interrupted: int = 0,
) -> int:
    """Return the status of a whole run.

    `internal`: gradcheck itself failed somewhere; `unread`: of some target, nothing was understood; `short`: too few
    branches were taken; `interrupted`: by the signal of this number.
    """
    if interrupted:
        return 128 + interrupted
    if internal:
        return 3
    if short or any(fails(result, strict) for result in results):
        return 1
    return 2 if unread else 0


def fails(result: ComponentResult, strict: bool = False) -> bool:
    """Whether one result makes the exit status 1; a `strict` command takes more than verdicts amiss."""
    return result.verdict in FAILING or (strict and is_remarkable(result))


def is_remarkable(result: ComponentResult) -> bool:
    """Whether there is anything but a plain "correct": a convention, a waiver, a note, something not judged."""
    return result.verdict in ("convention", "waived", "not understood") or bool(result.notes or result.unjudged)


def unread(found: Sequence[Found]) -> list[str]:
    """Return the targets of which nothing is understood: a name that makes no claim, or a module of such names."""
    by_target: dict[str, list[Found]] = {}
    for one in found:
        by_target.setdefault(one.place.target, []).append(one)
    return [target for target, some in by_target.items() if all(one.verdict == "not understood" for one in some)]
