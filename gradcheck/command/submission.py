"""One folder of `--each`: its copy is checked, in a sandbox where there is one, and what its code changed is named."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gradcheck.command import discover
from gradcheck.command.arguments import Arguments
from gradcheck.command.copies import Copy, changes, states_of
from gradcheck.command.discover import Place
from gradcheck.command.outcome import Outcome
from gradcheck.command.processes import sandbox
from gradcheck.command.processes.parent import Apart
from gradcheck.command.run import Found, Run
from gradcheck.command.status import fails, unread
from gradcheck.data import to_json
from gradcheck.errors import UsageError, shown
from gradcheck.results import ComponentResult, from_json

NAMED = 8
"""Changed files that are named; of the others it is said how many."""


@dataclass(frozen=True)
class Graded:
    """What was found in one folder, in how many `seconds`; `unread`: the target, if nothing of it was understood.

    `notes`: where in the folder the target was found, and which files its code changed.
    """

    who: str
    folder: str
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def results(self) -> list[ComponentResult]:
        """The results alone."""
        return [outcome.result for outcome in self.outcomes]

    @property
    def under_its_name(self) -> list[Outcome]:
        """The outcomes, each under the folder's name, with its files as they are named from here."""
        return [replace(one, result=_from_here(one.result, self.who, self.folder)) for one in self.outcomes]


def _from_here(result: ComponentResult, who: str, folder: str) -> ComponentResult:
    def there(source: str) -> str:
        path = os.path.join(folder, source)
        return shown(path) if source and os.path.exists(path.rpartition(":")[0] or path) else source

    claims = tuple(replace(claim, source=there(claim.source)) for claim in result.claims)
    return replace(result, name=f"{who}: {result.name}", source=there(result.source), claims=claims)


def grade(
    who: str,
    copy: Copy,
    given: Sequence[str],
    arguments: Arguments,
    begin: Callable[[Run], None],
    progress: Callable[[str], None],
) -> Graded:
    """Check a copy; whatever goes wrong there is its row, and nobody else's. `given`: the folders of all."""
    target = arguments.targets[0]
    start = time.perf_counter()
    found: list[Found] = []
    here = copy.folder
    is_alone = not sandbox.why_not()
    before = {} if is_alone else states_of(given)
    try:
        place, here = _placed(target, copy)
        # Not the folder that the command was started in: what a submission lacks must not be found there.
        path = [entry for entry in sys.path if entry not in ("", os.getcwd())]
        apart = Apart(copy.environment, "none" if arguments.distrust else "shown", copy.root if is_alone else "")
        with Run([place], replace(arguments.settings, jobs=1), here, path, apart) as run:
            begin(run)
            found = run.find(arguments.wants, arguments.exclude, progress)
            outcomes = tuple(_until_first_failure(run.check(found, progress), arguments))
    except UsageError as error:
        outcomes = (_nothing(target, str(error)),)
    except OSError as error:  # a folder that cannot be read, no room for another process
        outcomes = (Outcome(ComponentResult(target, "", "unresolved", reason=str(error))),)
    except Exception:
        lines = traceback.format_exc().rstrip()
        reason = f"gradcheck itself failed: {lines.splitlines()[-1]}"
        outcomes = (Outcome(ComponentResult(target, "", "unresolved", reason=reason), internal=lines),)
    outcomes = outcomes or (_nothing(target, "there is nothing to check"),)
    inside = os.path.relpath(here, copy.folder)
    notes = [] if inside == "." else [f"it lies one folder deeper, in {inside}"]
    notes += _named("its code changed, in its own copy,", copy.changes)
    after = states_of(before)
    outside = [os.path.join(folder, one) for folder in before for one in changes(before[folder], after[folder])]
    notes += _named("while it ran, changed outside of its copy:", outside)
    return Graded(
        who,
        os.path.join(copy.original, "" if inside == "." else inside),
        tuple(replace(one, result=_as_given(one.result, copy)) for one in outcomes),
        tuple(notes),
        tuple(unread(found)),
        time.perf_counter() - start,
    )


def _placed(target: str, copy: Copy) -> tuple[Place, str]:
    """The target, and the folder it stands in: the copy itself, or the only folder in there that has it."""
    if copy.refused:
        raise OSError(copy.refused)
    if changed := copy.changes:
        [why] = _named("the code of another folder changed its copy before it was checked:", changed)
        raise UsageError(why)
    try:
        return discover.resolve(target, copy.folder, path=[]), copy.folder
    except UsageError:
        with os.scandir(copy.folder) as entries:
            inside = sorted(one.path for one in entries if one.is_dir() and not one.name.startswith((".", "__")))
        deeper = [(place, folder) for folder in inside for place in _resolved(target, folder)]
        if len(deeper) != 1:
            raise
        return deeper[0]


def _resolved(target: str, folder: str) -> Iterator[Place]:
    try:
        yield discover.resolve(target, folder, path=[])
    except UsageError:
        return


def _until_first_failure(outcomes: Iterator[Outcome], arguments: Arguments) -> Iterator[Outcome]:
    for outcome in outcomes:
        yield outcome
        if arguments.exit_first and fails(outcome.result, arguments.strict):
            return


def _nothing(target: str, reason: str) -> Outcome:
    return Outcome(ComponentResult(target, "", "could not be asked", reason=reason))


def _named(what: str, files: Sequence[str]) -> list[str]:
    more = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return [f"{what} {', '.join(files[:NAMED])}{more}"] if files else []


def _as_given(result: ComponentResult, copy: Copy) -> ComponentResult:
    """The result, with the folder that was given wherever it names the copy."""
    ours, theirs = (json.dumps(path, ensure_ascii=False)[1:-1] for path in (copy.folder, copy.original))
    return from_json(to_json(result).replace(ours, theirs))
