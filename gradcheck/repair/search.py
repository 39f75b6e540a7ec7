"""The search for one change that makes a wrong claim right: the likeliest first, each tried before it is believed.

Every edit of the functions that run when the claim is asked is compiled and put in place. It has to make the answer to
one question right at the first point where the claim was wrong; then the whole claim there; then at points of other
sizes, and where changes before it failed; and at last in a whole check at points that nobody has seen yet. The first
that passes is the repair.
"""

from __future__ import annotations

import ast
import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import CodeType

import numpy as np

from gradcheck.branches.recompile import in_place
from gradcheck.errors import TimeLimit
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.guarded import in_time
from gradcheck.problem import Method, Subject
from gradcheck.record import Wrong
from gradcheck.repair.edits import edits
from gradcheck.repair.edits.donors import slopes
from gradcheck.repair.observe import Observed
from gradcheck.repair.pieces import binding
from gradcheck.repair.ran import Ran, ran
from gradcheck.repair.scene import Donor, Edit, Material, Scene, is_number
from gradcheck.repair.source import Unit, reading
from gradcheck.repair.trial import ENTRIES, Trial
from gradcheck.repair.whole import RIGHT, Check, Claim, Outcome, only, outcome
from gradcheck.results import ComponentResult
from gradcheck.sampling import Point, points
from gradcheck.sampling.similar import similar

# Seconds of computing after which the search gives up, and edits after which it does.
SECONDS, TRIALS = 3.0, 20_000

# A change of a function that forward runs, too, is less likely; one whose factor is what is missing is likelier.
SHARED, FITTING, UNFITTING = 3.0, -2.0, 2.0

# Points at which an edit is tried after the first.
ELSEWHERE = 2

# Expressions that are lent to other places, and their longest source.
DONORS, LONGEST = 40, 60


# Functions that write into their first argument.
WRITING = ("at", "copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis")


@dataclass
class Found:
    """What a search came to: the edit, if any; how many were tried; and whether there were more to try."""

    edit: Edit | None = None
    tried: int = 0
    limited: bool = False


@dataclass
class Search:
    """The search for one claim. `others`: the claims that were right; `broken`: what was broken of the contract.

    `seconds`: what it may compute; `left`: how long it may take. `known`: edits that have repaired other claims, which
    are tried first; unless `anew`, no others are. `mended`: all that may be repaired; `checked`: what checks of them
    all came to, by edit and seed.
    """

    subject: Subject
    wrong: Wrong
    name: str
    check: Check
    others: Collection[Claim] = ()
    broken: Collection[str] = ()
    seed: int = 0
    seconds: float = SECONDS
    left: float = math.inf
    known: Sequence[Edit] = ()
    anew: bool = True
    mended: Collection[Claim] = ()
    checked: dict[tuple[Edit, int], ComponentResult | None] = field(default_factory=dict)

    def run(self) -> Found:
        """Look for the edit."""
        start, begun = time.process_time(), time.monotonic()
        found = Found()
        first = trial(self.wrong.point, self.wrong.method, self.name, self.wrong.dtype, self.seed, self.together)
        if first is None:
            return found
        where = ran(first)
        others = ordered(where, _ratio(first)) if self.anew else []
        for edit in (*self.known, *others):
            late = time.process_time() - start > self.seconds or time.monotonic() - begun > self.left
            if late or found.tried >= TRIALS:
                return replace(found, limited=True)
            found.tried += 1
            code = edit.unit.changed(edit.start, edit.end, edit.text)
            if code is None or not self._is_right_at(first, edit, code, where):
                continue
            if all(self._is_right_at(one, edit, code, where) for one in self.elsewhere):
                whole = self._outcome(edit, code)
                if whole.passes:
                    return replace(found, edit=edit)
                self._learn(whole)
        return found

    def _is_right_at(self, one: Trial, edit: Edit, code: CodeType, where: Ran) -> bool:
        """Whether an edit makes the claim right at a point, and forward stays what it is."""
        try:
            with in_place(edit.unit.with_code(code)), in_time():
                if not one.may_be_right():
                    return False
                unchanged = edit.unit not in where.shared or one.forward_is_unchanged()
                return unchanged and one.is_right()
        except (Exception, TimeLimit):  # what an edit makes of somebody's code may raise anything
            return False

    def _outcome(self, edit: Edit, code: CodeType) -> Outcome:
        """Whether an edit makes the claim right at points that are drawn anew, and leaves right what was right."""
        claim, file = (self.wrong.method.name, self.name), edit.unit.file
        text = file.text[: edit.start] + edit.text + file.text[edit.end :]
        with in_place(edit.unit.with_code(code)), reading(file.name, text):
            for seed in (self.seed + 1, self.seed + 2):
                result = self._of_all(edit, seed) or self.check(only(self.subject, {claim, *self.others}), seed)
                found = outcome(result, claim, self.others, self.broken)
                if not found.passes:
                    break
            return replace(found, seed=seed)

    def _of_all(self, edit: Edit, seed: int) -> ComponentResult | None:
        """One check of all wrong claims, of an edit that has repaired one of them; None where it leaves some wrong."""
        if edit not in self.known:
            return None
        if (edit, seed) not in self.checked:
            result = self.check(only(self.subject, {*self.mended, *self.others}), seed)
            right = all(one.verdict in RIGHT for one in result.claims)
            self.checked[edit, seed] = result if right else None
        return self.checked[edit, seed]

    def _learn(self, whole: Outcome) -> None:
        """Ask from now on where a whole check failed, too: what fails there needs no whole check."""
        at = whole.at
        for point in points(self.subject, whole.seed) if at is not None else ():
            if at is not None and point.label == at.point:
                self.elsewhere.extend(self._at(point, at.dtype))
                return

    @property
    def together(self) -> bool:
        """Whether what is wrong is what several kinked entries claim together."""
        return bool(self.wrong.together)

    @cached_property
    def elsewhere(self) -> list[Trial]:
        """The claim at points of other sizes, or where values are given, at values near them."""
        found: list[Trial] = []
        for point in similar(self.subject, self.wrong.point, self.seed + 1):
            found += self._at(point, self.wrong.dtype)
            if len(found) == ELSEWHERE:
                break
        return found

    def _at(self, point: Point, dtype: str) -> list[Trial]:
        """The claim at a point, if it can be asked there."""
        method = next((one for one in point.problem.methods if _is(one, self.wrong.method, self.name)), None)
        one = None if method is None else trial(point, method, self.name, dtype, self.seed + 1, self.together)
        return [] if one is None else [one]


def _is(one: Method, method: Method, name: str) -> bool:
    return one.name == method.name and name in one.wrt


def trial(point: Point, method: Method, name: str, dtype: str, seed: int, together: bool = False) -> Trial | None:
    """The claim at a point, evaluated with the code as it is; None where it cannot be asked, or is too large."""
    try:
        with in_time(), np.errstate(all="ignore"):
            here = Evaluated(point, Ledger(), seed=seed)
            if here.random or not np.isfinite(here.flat).all() or here.flat.size * here.variable(name).size > ENTRIES:
                return None
            made = Trial(here, method, name, dtype, together)
            if made.known.refusal:
                return None
            made.is_right()  # everything that is computed once is computed before the code changes
            _ = made.right
    except (Exception, TimeLimit):  # forward refuses these values, or takes too long
        return None
    return made


def _ratio(first: Trial) -> float:
    """The number that the claim is times the derivative, if it is one number."""
    try:
        with in_time():
            return first.ratio(first.ask())
    except (Exception, TimeLimit):  # it raises instead
        return math.nan


def ordered(where: Ran, ratio: float) -> list[Edit]:
    """Every edit of what has a say in the claim, the likeliest first, and none twice."""
    material = _material(where.seen)
    scenes = {unit: Scene(unit, where.seen, material) for unit in where.units}
    found: dict[tuple[Unit, int, int, str], Edit] = {}
    for shared, unit, node in where.suspects:
        if _is_written_to(node, scenes[unit]):
            continue
        for edit in edits(node, scenes[unit]):
            if unit.file.text[edit.start : edit.end] == edit.text:
                continue
            key = unit, edit.start, edit.end, edit.text
            cost = edit.cost + SHARED * shared
            if math.isfinite(ratio) and math.isfinite(edit.scale):
                cost += FITTING if abs(edit.scale * ratio - 1) < 1e-6 else UNFITTING
            if key not in found or found[key].cost > cost:
                found[key] = replace(edit, cost=cost)
    return sorted(found.values(), key=lambda edit: (edit.cost, len(edit.text) - (edit.end - edit.start)))


def _is_written_to(node: ast.AST, scene: Scene) -> bool:
    """Whether an expression is the array that is written into: changed there, it is another than the one meant.

    In `for d in [dw, db]: np.clip(d, -5, 5, out=d)`, `-dw` and `out=-d` are right because nothing clips `dw` then.
    """
    parent = scene.parents.get(node)
    if isinstance(parent, ast.keyword):
        return parent.arg == "out"
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and node in parent.args[:1]:
        return parent.func.attr in WRITING
    loop = scene.parents.get(parent) if isinstance(parent, (ast.List, ast.Tuple)) else None
    return isinstance(loop, ast.For) and loop.iter is parent


def _material(seen: Observed) -> Material:
    """Numbers and expressions that ran."""
    constants: dict[float, None] = {}
    expressions: dict[str, Donor] = {}
    for node, value in seen.values.items():
        if isinstance(node, ast.Constant) and is_number(value) and not isinstance(value, bool):
            constants[abs(value)] = None
        elif isinstance(node, (ast.BinOp, ast.Call, ast.UnaryOp, ast.Compare)) and is_number(value):
            text = ast.unparse(node)
            names = frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
            if len(text) <= LONGEST and names:
                expressions.setdefault(text, Donor(text, binding(node), names, value))
                for slope in slopes(node, seen):
                    expressions.setdefault(slope.text, slope)
    shortest = sorted(expressions.values(), key=lambda one: len(one.text))
    return Material(tuple(constants), tuple(shortest[:DONORS]))
