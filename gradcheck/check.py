"""The story of a check, top to bottom: points, estimates, claims, comparison, contract, diagnosis, result."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gradcheck import __version__, sampling
from gradcheck.asking.claims import Answer
from gradcheck.asking.cotangents import Cotangents
from gradcheck.contract import check_contract
from gradcheck.diagnose.explain import explain
from gradcheck.errors import CannotBuild, told
from gradcheck.problem import Array, Method, Subject, Values
from gradcheck.results import (
    AtPoint,
    Cause,
    ClaimResult,
    ComponentResult,
    ContractResult,
    Curve,
    Entry,
    Heat,
    Kink,
    Verdict,
    overall,
)
from gradcheck.sampling import Point
from gradcheck.visit import Ledger, Visit

# A claim lists so many kinks.
KINKS = 24

DTYPES = ("float64", "float32")
FORMS = "gradients have the shape and dtype of what they differentiate"
FLOATS = ("float16", "float32", "float64", "longdouble")


@dataclass(frozen=True)
class Options:
    """How to check: `seed` fixes every point; `dtypes` are those of the claims (None: those of a function's arguments,
    float64 and float32 for a class).

    `budget`: the most entries that a Jacobian may have; past it, random projections are compared.
    `executor` takes the columns of an estimate; `progress` is told each point's label. `fail_fast` stops at the first
    point where a claim is wrong or unresolved, and leaves out what comes after it, the contract included; without
    `evidence`, nothing is gathered that only people look at: causes, counterexample, pictures.
    """

    seed: int = 0
    dtypes: tuple[str, ...] | None = None
    budget: int = 10_000_000
    executor: Executor | None = None
    progress: Callable[[str], None] | None = None
    fail_fast: bool = False
    evidence: bool = True


# Whether a subject's floating-point warnings are right is a matter of the contract; here they only interrupt.
@np.errstate(all="ignore")
def check_subject(subject: Subject, options: Options | None = None) -> ComponentResult:
    """Check every claim of `subject` at every point and return what was found."""
    options = options or Options()
    session = _Session(subject, options)
    try:
        points = list(sampling.points(subject, options.seed))
        _probe(points[0])
    except CannotBuild as error:
        return session.result(reason=str(error))
    for point in points:
        if options.progress:
            options.progress(point.label)
        session.check_point(point)
        if options.fail_fast and session.has_failed():
            return session.result(session.claims())
    return session.result(session.claims(), [*session.contract(points), session.forms()])


def _probe(point: Point) -> None:
    """Run forward once at a generic point: what fails here cannot be checked at all."""
    if not point.problem.methods:
        raise CannotBuild("it has no derivative method")
    try:
        outputs = point.problem.forward(point.values)
    except Exception as error:  # other people's code may raise anything, and it is the reason why nothing is checked
        raise CannotBuild(f"forward raised {told(error)}") from error
    for output in outputs:
        if np.asarray(output).dtype.kind not in "fiub":
            raise CannotBuild(f"forward returned an array of dtype {np.asarray(output).dtype}, expected numbers")


@dataclass
class _Record:
    """What is known so far about one claim."""

    points: list[AtPoint] = field(default_factory=list)
    kinks: list[Kink] = field(default_factory=list)
    worst: Entry | None = None
    worst_ratio: float = -1.0
    worst_point: str = ""
    curve: Curve | None = None
    heat: Heat | None = None
    first_wrong: tuple[Point, str, Method, str, Values | None] | None = None
    constant: bool = False
    silent: str = ""


class _Session:
    """One subject's check: the records of its claims, filled point by point."""

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject = subject
        self.options = options
        self.records: dict[tuple[str, str], _Record] = {}
        self.malformed: dict[str, str] = {}
        self.lossy = False
        self.ledger = Ledger()
        self.previous: Values | None = None

    def check_point(self, point: Point) -> None:
        """Estimate once, in float64, and hold every method's claims in every dtype against it."""
        try:
            options = self.options
            visit = Visit(point, self.ledger, seed=options.seed, executor=options.executor, budget=options.budget)
        except Exception as error:  # a layer may refuse huge numbers, say; the point is listed as skipped
            self._pass_over(point, "skipped", f"forward raised {told(error)}")
            return
        if visit.random:
            self._pass_over(
                point, "unresolved", "forward is random (two calls on the same values differ): pin its seed"
            )
            return
        if not np.isfinite(visit.flat).all():
            self._pass_over(point, "skipped", "forward itself is not finite here, so that it has no derivative")
            return
        for dtype in self.options.dtypes or DTYPES:
            if dtype not in point.dtypes:
                continue
            if refusal := visit.refusal(dtype):
                self._pass_over(point, "skipped", refusal, dtype)
                continue
            for method in point.problem.methods:
                asked = visit.cotangents(method)
                answers = visit.ask(method, dtype, asked)
                for name in method.wrt:
                    self._judge(visit, dtype, method, answers[name], asked[name])
        self.previous = point.values

    def _pass_over(self, point: Point, verdict: Verdict, message: str, dtype: str = "float64") -> None:
        for method in point.problem.methods:
            for name in method.wrt:
                if not point.problem.variable(name).constant:  # of data, nothing has to be claimed
                    self._record(method, name).points.append(_no_numbers(point, dtype, verdict, message))

    def _record(self, method: Method, name: str) -> _Record:
        return self.records.setdefault((method.name, name), _Record())

    def _judge(self, visit: Visit, dtype: str, method: Method, answer: Answer, asked: Cotangents) -> None:
        """Compare one answer and write down what came out."""
        record, point, name = self._record(method, answer.wrt), visit.point, answer.wrt
        if visit.problem.variable(name).constant and _says_nothing(answer):
            record.constant = True
            return
        if answer.status == "silent":
            record.silent = record.silent or answer.message or "it returns None"
            return
        if answer.rows is None:
            record.points.append(_no_numbers(point, dtype, "wrong", answer.message))
        else:
            self._note_form(visit, dtype, method, answer)
            projected = visit.is_projected(name)
            found = visit.project(method, name, dtype) if projected else visit.compare(name, answer.rows, asked, dtype)
            record.points.append(found.at)
            if dtype == "float64":
                record.kinks.extend(found.kinks)
            if found.worst is not None and found.at.ratio > record.worst_ratio:
                record.worst, record.worst_ratio = found.worst, found.at.ratio
                record.worst_point = f"{point.label}, {dtype}"
            if self.options.evidence and record.heat is None and not projected:
                record.heat = Heat(point.label, _shown(found.ratios))
                record.curve = visit.curve(name, found.worst)
        if record.points[-1].verdict == "wrong" and record.first_wrong is None:
            record.first_wrong = (point, dtype, method, answer.message, self.previous)

    def _note_form(self, visit: Visit, dtype: str, method: Method, answer: Answer) -> None:
        """Remember the first gradient whose shape or dtype is not that of what it differentiates."""
        given = visit.given(dtype)[answer.wrt]
        claim = f"{method.name}[{answer.wrt}]"
        complaint = ""
        if method.kind != "local" and answer.shape != given.shape:
            complaint = f"{claim} has shape {answer.shape}, but {answer.wrt} has shape {given.shape}"
        elif given.dtype.kind == "f" and answer.dtype != given.dtype.name:
            complaint = f"{claim} has dtype {answer.dtype}, but {answer.wrt} has dtype {given.dtype}"
        elif given.dtype.kind in "iu" and not answer.dtype.startswith("float"):
            complaint = f"{claim} has dtype {answer.dtype}, but needs a floating one for an integer {answer.wrt}"
        if complaint:
            self.malformed.setdefault(claim, complaint)
            # A gradient in more digits than asked for loses nothing, nor does a local one that holds integer inputs:
            # it is noted, and makes nobody's code wrong.
            wider = answer.dtype in FLOATS and given.dtype.name in FLOATS[: FLOATS.index(answer.dtype)]
            exact = method.kind == "local" and (wider or answer.dtype.startswith("int"))
            self.lossy |= not (exact or (wider and answer.shape == given.shape))

    def contract(self, points: Sequence[Point]) -> list[ContractResult]:
        """The contract at every typical point; of each item, what is worst."""
        rng = np.random.default_rng([self.options.seed, 5])
        typical = [point for point in points if point.typical]
        tried = [check_contract(self.subject, point.problem, point.values, rng) for point in typical]
        worst = ("broken", "noted", "kept", "not tried")
        return [min(items, key=lambda item: worst.index(item.verdict)) for items in zip(*tried, strict=True)]

    def forms(self) -> ContractResult:
        """Whether every gradient had the shape and dtype of what it differentiates."""
        tried = any(record.points for record in self.records.values())
        if not tried:
            return ContractResult(FORMS, "not tried")
        verdict: Literal["kept", "broken", "noted"] = "noted" if self.malformed else "kept"
        return ContractResult(FORMS, "broken" if self.lossy else verdict, "; ".join(self.malformed.values()))

    def has_failed(self) -> bool:
        """Whether any claim was wrong or unresolved at any point so far."""
        return any(at.verdict in ("wrong", "unresolved") for record in self.records.values() for at in record.points)

    def claims(self) -> list[ClaimResult]:
        """What was found about every claim."""
        return [self._claim(method, name) for method, name in self.records]

    def _claim(self, method: str, name: str) -> ClaimResult:
        """Put together what was found about one claim over all points."""
        record = self.records[method, name]
        title = f"{method}[{name}]"
        verdict, reason = overall(at.verdict for at in record.points), ""
        if verdict == "skipped" and record.silent:
            verdict, reason = "not implemented", record.silent
        elif not record.points and record.constant:
            verdict, reason = "correct", f"{name} is data and held constant"
        elif verdict in ("unresolved", "skipped"):
            reason = next((at.message for at in record.points if at.verdict == verdict), "")
            verdict = "unresolved"  # a claim that no point could judge does not pass quietly
        causes: tuple[Cause, ...] = ()
        example = test = ""
        if self.options.evidence and verdict == "wrong" and record.first_wrong is not None:
            point, dtype, asked, message, previous = record.first_wrong
            causes, example, test = explain(
                self.subject, point, dtype, asked, name, message, previous, self.options.seed, self.options.budget
            )
        if title in self.subject.waivers and verdict in ("wrong", "unresolved", "not implemented"):
            verdict, reason = "waived", self.subject.waivers[title]
        return ClaimResult(
            name=title,
            method=method,
            wrt=name,
            verdict=verdict,
            points=tuple(record.points),
            worst=record.worst,
            worst_point=record.worst_point,
            kinks=tuple(record.kinks[:KINKS]),
            causes=causes,
            counterexample=example,
            test=test,
            reason=reason,
            curve=record.curve,
            heat=record.heat,
        )

    def result(
        self, claims: list[ClaimResult] | None = None, contract: list[ContractResult] | None = None, reason: str = ""
    ) -> ComponentResult:
        """The component's result: the worst verdict of its claims, "wrong" where the contract is broken."""
        claims, contract = claims or [], contract or []
        broken = ["wrong" for item in contract if item.verdict == "broken"]
        return ComponentResult(
            name=self.subject.name,
            source=self.subject.source,
            verdict=overall([*broken, *(claim.verdict for claim in claims)]),
            doc=self.subject.doc,
            reason=reason,
            seed=self.options.seed,
            claims=tuple(claims),
            contract=tuple(contract),
            calls=tuple(sorted(self.ledger.calls.items())),
            rows=tuple(sorted(self.ledger.rows.items())),
            structures=tuple(sorted(self.ledger.structures.items())),
            versions=(("gradcheck", __version__), ("numpy", np.__version__), ("python", platform.python_version())),
        )


def _no_numbers(point: Point, dtype: str, verdict: Verdict, message: str) -> AtPoint:
    """A point at which there was nothing to compare."""
    nan = float("nan")
    return AtPoint(point.label, dtype, verdict, 0, nan, nan, nan, nan, nan, nan, nan, nan, message)


def _says_nothing(answer: Answer) -> bool:
    return answer.status == "silent" or (answer.rows is not None and not answer.rows.any())


def _shown(ratio: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{x:.2g}") for x in row) for row in ratio)
