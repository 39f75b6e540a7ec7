"""Which functions run when a claim is asked: those that can be changed, and what in them has a say in the answer."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from gradcheck.branches.recompile import called, functions_of, inside
from gradcheck.errors import TimeLimit, is_checked
from gradcheck.guarded import in_time
from gradcheck.repair.observe import Observed, moves, tells
from gradcheck.repair.source import Unit, unit
from gradcheck.repair.trial import Trial


@dataclass(frozen=True)
class Ran:
    """The functions that run when a claim is asked, and what they computed.

    `suspects`: the nodes that ran and may have a say in the claim, each with whether forward runs its statement, too.
    `shared`: functions that forward runs, too, so that a change of them may change it.
    """

    units: tuple[Unit, ...]
    seen: Observed
    suspects: tuple[tuple[bool, Unit, ast.AST], ...]
    shared: frozenset[Unit]


def ran(trial: Trial) -> Ran:
    """Run forward and ask the claim, and see which functions run and what they compute."""
    problem, values = trial.here.problem, trial.here.point.values

    def forward() -> Any:
        return [np.array(one, dtype=float) for one in problem.forward(values)]

    asked, in_forward = _codes(trial.raw), _codes(forward)
    every = _units([*dict.fromkeys([*asked, *in_forward])])
    units = [one for one in every if _has_any(one.code, asked)]
    seen = Observed(every)
    question, again = _Question(trial.raw, seen), _Question(forward, seen)
    mine, theirs = question.ran, again.ran
    found: list[tuple[bool, Unit, ast.AST]] = []
    for one in units:
        parents = {child: parent for parent in ast.walk(one.node) for child in ast.iter_child_nodes(parent)}
        has_a_say: dict[ast.AST, bool] = {}
        for node in ast.walk(one.node):
            around = list(_around(node, parents))
            statement = next((up for up in around if isinstance(up, ast.stmt) and up is not one.node), None)
            if statement not in mine if statement is not None else node not in mine:
                continue
            if tells(node) and node not in mine and question.answer is not None:
                continue  # where the question raises, what was being computed then may have done it
            shared = (statement if statement is not None else node) in theirs
            part = _part(around)
            if part is not None:
                if part not in has_a_say:
                    has_a_say[part] = question.hears(part) and not (shared and again.hears(part, surely=True))
                if not has_a_say[part]:
                    continue
            found.append((shared, one, node))
    shared_units = frozenset(one for one in units if _has_any(one.code, in_forward))
    return Ran(tuple(units), seen, tuple(found), shared_units)


class _Question:
    """Something that is asked of the checked code, and whether values in it have a say in the answer."""

    def __init__(self, run: Callable[[], Any], seen: Observed) -> None:
        self.run = run
        self.seen = seen
        self.answer = _quietly(lambda: seen.during(run))
        self.ran = seen.take()

    def hears(self, node: ast.AST, surely: bool = False) -> bool:
        """Whether the answer is another one where the value of a node is; where nobody knows, unless `surely`."""
        if self.answer is None or not moves(self.seen.values.get(node)):
            return not surely
        moved = _quietly(lambda: self.seen.during(self.run, move=node))
        self.seen.take()
        return moved is None or not same(moved, self.answer)


def same(one: Any, other: Any) -> bool:
    """Whether two answers are the same to the last bit."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    try:
        return bool(np.array_equal(np.asarray(one, dtype=float), np.asarray(other, dtype=float), equal_nan=True))
    except (TypeError, ValueError):  # no numbers: what they say cannot be told
        return False


def _around(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    yield node
    while node in parents:
        node = parents[node]
        yield node


def _part(around: Sequence[ast.AST]) -> ast.AST | None:
    """What a node belongs to of the values that its statement assigns or hands back; None where it is no such value."""
    for inner, outer in itertools.pairwise(around):
        if isinstance(outer, ast.stmt) and not isinstance(
            outer, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return)
        ):
            return None
        if isinstance(outer, ast.stmt) or (isinstance(outer, ast.Lambda) and inner is outer.body):
            return inner if getattr(outer, "value", inner) is inner and tells(inner) else None
        if isinstance(outer, (ast.Tuple, ast.List, ast.Dict)) and tells(inner):
            holder = around[around.index(outer) + 1] if around.index(outer) + 1 < len(around) else None
            if isinstance(holder, (ast.stmt, ast.Lambda)):
                return inner
    return None


def _codes(run: Callable[[], Any]) -> list[CodeType]:
    """The codes of the checked code that run."""
    found: dict[CodeType, None] = {}

    def tell(code: CodeType, by: CodeType | None) -> None:
        if code not in found and is_checked(code.co_filename):
            found[code] = None

    _quietly(lambda: called(run, tell))
    return list(found)


def _quietly(run: Callable[[], Any]) -> Any:
    """Run something of the checked code, which may fail or never end: then there is no answer."""
    try:
        with in_time():
            return run()
    except (Exception, TimeLimit):
        return None


def _units(codes: Sequence[CodeType]) -> list[Unit]:
    """The functions that are not defined inside of another that ran: changing that one changes them."""
    within = {one for code in codes for one in inside(code)}
    found = [code for code in codes if code not in within]
    living = functions_of(found)
    made = [unit(code, living[code]) for code in found if living[code]]
    return [one for one in made if one is not None]


def _has_any(code: CodeType, codes: Sequence[CodeType]) -> bool:
    return code in codes or any(one in codes for one in inside(code))
