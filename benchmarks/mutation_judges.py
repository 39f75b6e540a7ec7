"""The judges of a mutant: every subject that `python -m gradcheck beras` finds, and those of `mutation_graphs`,
`mutation_odd_layers`, `mutation_second` and `mutation_subjects`; and conventions, refusals and promises of the tape.

Everything looks Beras up when it is asked, so that it meets the mutant that is loaded then.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import mutation_conventions
import mutation_graphs
import mutation_odd_layers
import mutation_refusals
import mutation_second
import mutation_subjects
import mutation_tapes

from gradcheck.adapters import belonging, function_subject, is_subject, subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command import discover, loading
from gradcheck.problem import Subject

ROOT = Path(__file__).resolve().parent.parent
# As the command checks, only that it ends with the first point that is not correct and gathers nothing to look at.
OPTIONS = Options(fail_fast=True, evidence=False)
SECONDS = 20


@dataclass(frozen=True)
class Judge:
    """A subject by name; `look` returns what is wrong about it, or nothing."""

    name: str
    look: Callable[[], str]


@cache
def modules() -> list[str]:
    """Every module of Beras, in the command's order."""
    return [module.name for module in discover.modules(discover.resolve("beras", str(ROOT)))]


@cache
def found() -> list[tuple[str, str]]:
    """What the command finds in Beras: module and name. Looked for once, in Beras as it is."""
    return [
        (module, member.attribute)
        for module in modules()
        for member in loading.members(sys.modules[module], is_subject, belonging)
        if member.verdict is None
    ]


def judges() -> Iterator[Judge]:
    """List the judges of the package that is loaded now."""
    for module, name in found():
        thing = getattr(sys.modules[module], name)
        yield Judge(f"{module}.{name}", lambda thing=thing: complaint(subject_of(thing)))
    for graph in (*mutation_graphs.graphs(), *mutation_odd_layers.graphs(), *mutation_second.graphs()):
        yield Judge(
            graph.name,
            lambda graph=graph: complaint(function_subject(graph.f, graph.args, grad=graph.grad, vjp=graph.vjp)),
        )
    for cls in mutation_subjects.classes():
        yield Judge(cls.__name__, lambda cls=cls: complaint(subject_of(cls)))
    # Not derivatives but conventions of the calls, so not gradcheck's to judge.
    yield Judge("nothing upstream", lambda: mutation_conventions.nothing_upstream() or "")
    yield Judge("wrong upstream", lambda: mutation_conventions.wrong_upstream() or "")
    yield Judge("lost gradients", lambda: mutation_refusals.lost_gradients() or "")
    yield Judge("types of gradients", lambda: mutation_conventions.types_of_gradients() or "")
    yield Judge("numbers have no type", lambda: mutation_conventions.numbers_have_no_type() or "")
    yield Judge("at kinks", lambda: mutation_conventions.at_kinks() or "")
    yield Judge("handed on", lambda: mutation_conventions.handed_on() or "")
    yield Judge("layouts", lambda: mutation_conventions.layouts() or "")
    yield Judge("computed once", lambda: mutation_conventions.computed_once() or "")
    yield Judge("recorded as not", lambda: mutation_tapes.recorded_as_not() or "")
    yield Judge("what tapes give", lambda: mutation_tapes.what_tapes_give() or "")
    yield Judge("what tapes notice", lambda: mutation_tapes.what_tapes_notice() or "")


def complaint(subject: Subject) -> str:
    """Return the first thing that gradcheck says: wrong, unresolved, not implemented; broken in the contract, or noted.

    Nothing is noted about Beras as it is, so that a note is about the mutant.
    """
    result = check_subject(subject, OPTIONS)
    for claim in result.claims:
        for at in claim.points:
            if at.verdict in ("wrong", "unresolved"):
                return f"{claim.name} is {at.verdict} at {at.point}, {at.dtype}: {at.message}"
    for item in result.contract:
        if item.verdict in ("broken", "noted"):
            return f"{item.verdict}: {item.name}: {item.detail}"
    return "" if result.verdict == "correct" else f"{result.verdict}: {result.reason}"


class Late(Exception):
    """A judge took too long."""


def _late(number: int, frame: FrameType | None) -> None:
    raise Late


def look(judge: Judge) -> str:
    """Ask one judge. What the mutant raises, or that it does not end, is what is wrong about it."""
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of this process' own time, however busy the machine is
    try:
        return judge.look()
    except Late:
        return f"does not end within {SECONDS} s"
    except Exception as error:  # a mutant may raise anything
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@dataclass(frozen=True)
class Known:
    """What a judge says about Beras as it is, in how many seconds, and which functions it runs: (file, name)."""

    name: str
    said: str
    seconds: float
    runs: frozenset[tuple[str, str]]


def acquaint(judge: Judge) -> Known:
    """Ask a judge about Beras as it is, and note the functions of Beras that it calls."""
    seen: set[tuple[str, str]] = set()
    root = str(ROOT / "beras")

    def profile(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(root):
            seen.add((code.co_filename, code.co_qualname))

    start = time.perf_counter()
    sys.setprofile(profile)
    try:
        said = look(judge)
    finally:
        sys.setprofile(None)
    return Known(judge.name, said, time.perf_counter() - start, frozenset(seen))
