"""Why a claim is wrong: the facts for the diagnosis, the smallest counterexample, and what is claimed there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.comparing.judge import is_wrong, right_answer
from gradcheck.comparing.shared import not_together
from gradcheck.diagnose import Evidence, diagnose
from gradcheck.diagnose.approximate import approximation
from gradcheck.diagnose.counterexample import counterexample
from gradcheck.diagnose.matrices import matrices
from gradcheck.diagnose.small_constants import Forgotten, forgotten, mistyped
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.problem import Method, Subject, Values
from gradcheck.record import Record
from gradcheck.results import Cause, Matrices
from gradcheck.sampling import Point
from gradcheck.sampling.similar import similar
from gradcheck.verdicts import Reach

# Points at which a cause must fit besides the first.
OTHERS = 2

SHARED = (
    "Where several entries meet in one kink, each may claim either side, or between; but what they claim together must "
    "be a derivative along every direction."
)

ANOTHER = (
    "the claim is close to the derivative, but its formula is another one: is a constant mistyped, or an ε missing?"
)


@dataclass(frozen=True)
class Explained:
    """Causes that fit, best first; the smallest counterexample as text, with what is claimed and measured there; a
    test that reproduces it; and how far the mistake reaches, where the cause tells more than the points do."""

    causes: tuple[Cause, ...] = ()
    example: str = ""
    matrices: Matrices | None = None
    test: str = ""
    reach: Reach | None = None
    where: str = ""


def explain(subject: Subject, record: Record, seed: int) -> Explained:
    """Explain the first point at which a claim was wrong.

    Nothing is said of a Jacobian past the budget: what is wrong with it is the entry that was found by halving.
    """
    wrong = record.first_wrong
    assert wrong is not None
    if wrong.proved:
        return Explained((Cause("another formula", ANOTHER, wrong.message),))
    name, method, point = record.wrt, wrong.method, wrong.point
    # The gradient of a function at a given point is told by what was estimated, and by its smallest example: another
    # estimate is dear. A class may remember calls, and is asked as if for the first time.
    dear = subject.fixed and wrong.here.flat.size == 1
    here = wrong.here.again() if dear else Evaluated(point, Ledger(), seed=seed, budget=wrong.here.budget)
    if here.is_large(name):
        return Explained()
    simplest = here
    # Asked before all else: code that answers from the call before does so from the one that was judged.
    asked = evidence_at(here, method, name, wrong.dtype, wrong.previous, wrong.message)
    evidence = None if wrong.together else replace(asked, somewhere=_is_right_at_ordinary_points(record))

    def still_wrong(values: Values) -> bool:
        nonlocal simplest
        try:
            smaller = Evaluated(replace(point, values=dict(values)), Ledger(), seed=seed)
        except Exception:  # values at which forward itself fails show nothing about its derivative
            return False
        known = smaller.in_dtype(wrong.dtype)
        if not (not_together if wrong.together else is_wrong)(smaller, method, name, known):
            return False
        simplest = smaller
        return True

    def causes() -> tuple[tuple[Cause, ...], Forgotten | None]:
        if evidence is None:
            return (Cause("shared kink", SHARED, wrong.together),), None
        epsilon = forgotten(subject, evidence, here)
        if epsilon is not None:
            return (epsilon.cause,), epsilon
        likely = diagnose(evidence, *_elsewhere(subject, record, simplest, seed + 1))
        if likely or not evidence.readable:
            return likely, None
        other = approximation(subject, evidence) or mistyped(subject, evidence)
        return (() if other is None else (other,)), None

    found = None if dear else causes()
    example, test, values, problem = counterexample(subject, method.name, name, point.values, still_wrong)
    likely, epsilon = found or causes()
    exact = {key: value.astype(float) if value.dtype.kind == "f" else value for key, value in values.items()}
    there = replace(point, problem=problem or point.problem, values=exact)
    shown = matrices(there, method, name, wrong.dtype, simplest)
    if epsilon is not None:
        return Explained(likely, example, shown, test, "ε", epsilon.where)
    return Explained(likely, example, shown, test)


def _is_right_at_ordinary_points(record: Record) -> bool:
    """Whether a claim is first wrong at a special point, and right at those that are drawn at random."""
    wrong = record.first_wrong
    assert wrong is not None
    ordinary = [one for one in record.points if one.point.startswith("generic") and one.dtype == wrong.dtype]
    values = (wrong.point.special or bool(wrong.point.edge)) and not wrong.point.size
    return values and bool(ordinary) and all(one.verdict == "correct" for one in ordinary)


def _elsewhere(subject: Subject, record: Record, simplest: Evaluated, seed: int) -> list[Evidence]:
    """The same wrong claim at two other points: of other sizes, or of the same kind where the first one is special.

    Where there are none, or another estimate is dear, it is the smallest example.
    """
    wrong, name = record.first_wrong, record.wrt
    assert wrong is not None
    smallest = [] if simplest.point is wrong.point else [evidence_at(simplest, wrong.method, name, wrong.dtype)]
    if smallest and subject.fixed:
        return smallest
    others: list[Evidence] = []
    for point in sorted(similar(subject, wrong.point, seed), key=_has_small_axis):
        if others and _has_small_axis(point):
            break
        method = next((m for m in point.problem.methods if m.name == wrong.method.name and name in m.wrt), None)
        try:
            here = None if method is None else Evaluated(point, Ledger(), seed=seed)
        except Exception:  # forward refuses these values
            continue
        if method is None or here is None or here.random or not np.isfinite(here.flat).all() or here.is_large(name):
            continue
        found = evidence_at(here, method, name, wrong.dtype)
        if found.readable and found.wrong.any() and not wrong.message:
            others.append(found)
        if len(others) == OTHERS:
            break
    return others or smallest


def _has_small_axis(point: Point) -> bool:
    """Whether an axis is 1 or 2 long: numbers that stand for something else as well."""
    shapes = [np.shape(point.values[v.name]) for v in point.problem.variables if v.role == "input"]
    return any(0 < n < 3 for shape in shapes for n in shape)


def evidence_at(
    here: Evaluated,
    method: Method,
    name: str,
    dtype: str = "float64",
    previous: Values | None = None,
    message: str = "",
) -> Evidence:
    """The facts about one claim at one point, in one dtype; `message`: what is said of it where it raises nothing."""
    known = here.in_dtype(dtype)
    answer, asked = here.ask_entries(method, name, known)
    right, tolerance = right_answer(here, name, asked, known)
    estimate = here.estimate(name)
    kinked = None if estimate.kink is None else np.asarray(estimate.dense("kink"), dtype=bool)
    return Evidence(
        method=method,
        variable=here.problem.variable(name),
        problem=here.problem,
        values=here.point.values,
        outputs=here.outputs,
        claim=answer.rows if answer.rows is not None else np.full(right.shape, np.nan),
        estimate=right,
        tolerance=tolerance,
        previous=previous,
        message=answer.message or message,
        kinked=kinked if kinked is not None and kinked.shape == right.shape else None,
    )
