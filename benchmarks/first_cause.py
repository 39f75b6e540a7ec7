"""Is the first cause that is named for a planted mistake right? Judged by what was planted, and by fresh points.

A cause is *right* if it is true and speaks of this mistake, and *false* otherwise:

- what it says of the claim (2 × the derivative, transposed, one row wrong, …) must be so at points of seeds that the
  check did not use, of other sizes, wherever the claim is wrong there: the hypothesis is asked again at each of them;
- where it tells how that came about (a term is missing, something is stale, clipped, averaged), the planted edit must
  be of a kind that does this (`STORIES`);
- where it names a change of the code, that change must make the claim right at fresh seeds, and undo the edit, or
  stand in its statement, or be of its kind (`KINDRED`): a sign may be mended at several places.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np
from plants import Plant

from gradcheck.diagnose import PROBES, TABLE, UNREADABLE, agree
from gradcheck.diagnose.evidence import Evidence
from gradcheck.diagnose.explain import evidence_at
from gradcheck.diagnose.small_constants import forgotten
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.problem import Subject
from gradcheck.repair.scene import Edit
from gradcheck.results import Cause
from gradcheck.sampling import points

FRESH = (101, 102)
POINTS = 4

# Which edits do what a cause tells. Causes that are not listed say only how the claim and the derivative are related.
TERMS = (
    "term missing, statement missing, operator, sign, overwritten, duplicates, ε missing, sum missing, constant, "
    "constant off, factor missing, factor too many, function, name, attribute, power, wider, operand order, "
    "early break, return in the loop, compared with, comparison, sum and mean, mean too many, last element, slice, "
    "index"
)
PLACES = "name, attribute, statement missing, index, slice, wider, operand order, transpose"
STORIES = {
    r"missing term|doubled term|scaled term": TERMS,
    r"averaged|.*mean.*|extra 1/.*|.*1/.* missing|not summed.*|an axis summed away": (
        "sum and mean, mean too many, sum too many, sum missing, factor too many, factor missing, operator, name, "
        "attribute, axis, statement missing, keepdims, constant, term missing, index, wider, function"
    ),
    r"missing epsilon": "ε missing, constant, constant off, term missing, factor missing, name, attribute, operator",
    r"lost precision": "wider, constant, constant off",
    r"stale": "attribute, name, statement missing, index",
    r"accumulated|spoils its own cache": "statement missing, overwritten, name, attribute",
    r"wrong where clipped": (
        "factor missing, comparison, compared with, statement missing, function, wider, constant, constant off, power, "
        "term missing, name, attribute, operator, index, slice, last element"
    ),
    r"wrong in saturation": (
        "comparison, compared with, constant, constant off, wider, function, ε missing, term missing"
    ),
    r"evaluated at the output|evaluated at the input|swapped.*": PLACES,
    r"kernel flipped": PLACES,
    r"shifted by one": f"{PLACES}, last element, constant, constant off, ε missing, term missing",
    r"transposed|permuted": f"{PLACES}, axis, slice, comparison",
    r"applied twice": f"{PLACES}, power, factor too many, factor missing, function",
    r"upstream gradient ignored": (
        "factor missing, name, attribute, statement missing, function, wider, operator, power, sum and mean, "
        "sum too many, mean too many, term missing"
    ),
    r"one output ignored|samples left out": (
        f"{PLACES}, term missing, factor missing, overwritten, duplicates, early break, return in the loop, "
        "last element, function, constant, comparison, compared with"
    ),
    r"shared kink": (
        "comparison, compared with, function, constant, name, attribute, statement missing, wider, operator"
    ),
}

# The kinds of edits (`gradcheck.repair.edits`) that speak of a plant, wherever they stand.
KINDRED = {
    "sign": "signs, operators",
    "operand order": "signs, operators, transposes, functions",
    "operator": "operators, signs, factors",
    "power": "operators, constants, factors, donors",
    "factor missing": "factors, constants, operators, donors",
    "factor too many": "factors, operators, constants, donors",
    "mean too many": "axes, factors, constants",
    "sum and mean": "axes, factors",
    "constant": "constants, factors, operators",
    "constant off": "constants, factors, operators",
    "ε missing": "epsilons, constants",
    "transpose": "transposes, operators, axes",
    "comparison": "comparisons, signs, functions, constants",
    "axis": "axes",
    "keepdims": "axes",
    "sum missing": "axes",
    "sum too many": "axes",
    "name": "names, donors",
    "attribute": "names, donors",
}


def is_right(cause: Cause, plant: Plant, subject: Subject, claim: tuple[str, str], planted: str) -> str:
    """What is false about a cause of the tables; "" where it is right. Asked while the mistake is in place.

    `planted`: the line with the mistake.
    """
    transposes = re.search(r"swapaxes|transpose|moveaxis", planted)
    for names, kinds in STORIES.items():
        if cause.name == "transposed" and transposes:
            continue
        if re.fullmatch(names, cause.name.removeprefix("sign flipped, and ")) and plant.kind not in kinds.split(", "):
            return f"nothing that does this was planted ({plant.kind})"
    if cause.name in ("another formula", "shared kink"):
        return ""
    for label, evidence, here in _fresh(subject, *claim):
        if not any(agree(cause, one) for one in _said(subject, evidence, here, cause)):
            return f"not so at {label} of a fresh seed"
    return ""


def names_the_edit(edit: Edit, plant: Plant, file: str, planted: str) -> bool:
    """Whether a repair speaks of the planted mistake: of its statement, or of its kind."""
    if edit.unit.file.name == file:
        first, last = _statement(planted, plant)
        if first <= edit.unit.file.line(edit.start) <= last or first <= edit.unit.file.line(edit.end) <= last:
            return True
    return edit.kind in KINDRED.get(plant.kind, "").split(", ")


def _statement(text: str, plant: Plant) -> tuple[int, int]:
    """The lines of the statement in which a mistake was planted; of a compound one, its head."""
    line = text[: plant.start].count("\n") + 1
    end = line + plant.text.count("\n")
    best = (line, end)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            if body and line >= body[0].lineno:
                continue
            best = node.lineno, max(end, body[0].lineno - 1 if body else node.end_lineno or 0)
    return best


def _fresh(subject: Subject, name: str, wrt: str) -> Iterator[tuple[str, Evidence, Evaluated]]:
    """Points of fresh seeds at which the claim is wrong: ordinary ones, or if there are none, others."""
    ordinary, special = [], []
    for seed in FRESH:
        for point in points(subject, seed):
            # An axis of one entry makes two mistakes one.
            unusual = bool(point.special or point.edge) or any(1 in np.shape(one) for one in point.values.values())
            if len(ordinary) >= POINTS or (unusual and len(special) >= POINTS):
                continue
            method = next((one for one in point.problem.methods if one.name == name and wrt in one.wrt), None)
            if method is None:
                continue
            try:
                here = Evaluated(point, Ledger(), seed=seed)
                if here.random or not np.isfinite(here.flat).all() or here.is_large(wrt):
                    continue
                evidence = evidence_at(here, method, wrt)
            except Exception:  # forward refuses these values, or the method has no answer there
                continue
            if not evidence.readable or (evidence.wrong.any() and not evidence.fits(evidence.estimate)):
                (special if unusual else ordinary).append((point.label, evidence, here))
    yield from ordinary[:POINTS] or special[:POINTS]


def _said(subject: Subject, e: Evidence, here: Evaluated, cause: Cause) -> Iterator[Cause]:
    """Everything that any hypothesis says of a claim at one point."""
    for hypothesis in (*TABLE, *PROBES) if e.readable else UNREADABLE:
        yield from hypothesis(e)
        if e.kinked is not None:  # there either side may be claimed, whatever else is wrong
            yield from hypothesis(e.smooth())
    if cause.name == "missing epsilon":
        found = forgotten(subject, e, here)
        if found is not None:
            yield found.cause
