"""The story of a check, top to bottom: points, estimates, claims, comparison, contract, diagnosis, result."""

from __future__ import annotations

import builtins
import copy
import itertools
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gradcheck import __version__, sampling
from gradcheck.adapters.source import location_of_method
from gradcheck.asking.claims import Answer
from gradcheck.asking.cotangents import Cotangents
from gradcheck.branches.aim import aimed
from gradcheck.branches.coverage import Coverage, Visit, describe
from gradcheck.branches.coverage import result as covered
from gradcheck.branches.decisions import Seen, Site
from gradcheck.comparing.compare import Comparison
from gradcheck.comparing.judge import judge, judge_projected
from gradcheck.comparing.shared import shared_kinks
from gradcheck.comparing.stand_ins import StandIns
from gradcheck.comparing.stopping import STOPS, Stopping
from gradcheck.contract import check_contract
from gradcheck.diagnose.explain import Explained, explain
from gradcheck.diagnose.small_constants import functions_of
from gradcheck.errors import CannotBuild, NotWritten, TimeLimit, told
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.forms import Forms, loses
from gradcheck.guarded import Watch, guarded
from gradcheck.hints import Hints, allows, limited
from gradcheck.in_dtype import ENDLESS, InDtype
from gradcheck.problem import Array, Method, Problem, Subject, Values
from gradcheck.proving.prover import Prover
from gradcheck.record import Record, Wrong
from gradcheck.repair.repairs import Repairs
from gradcheck.replaced import precision_of_numpy
from gradcheck.results import ClaimResult, ComponentResult, ContractResult, Heat, Note, Unjudged
from gradcheck.sampling import Point
from gradcheck.sampling.arrange import LAYOUTS
from gradcheck.variants import Search
from gradcheck.verdicts import Reach, Verdict, farthest, overall

# The most kinks that a claim lists.
KINKS = 24

# How many ordinary and special points are measured, whatever is shown exactly.
WITNESSES = {False: 2, True: 1}
FEWEST = {False: 1, True: 0}  # for a check that only has to say whether a change repairs what was measured

DTYPES = ("float64", "float32")

# The most seconds for the whole check of a repair.
WHOLE = 30.0


@dataclass(frozen=True)
class Options:
    """How to check: `seed` fixes every point; `dtypes` are those of the claims (None: those of a function's arguments,
    float64 and float32 for a class).

    `budget`: the most entries that a Jacobian may have; past it, random projections are compared. `time_limit`: the
    most seconds for the whole check; what is not judged by then is unresolved.
    `executor` takes the columns of an estimate; `progress` is told each point's label. `fail_fast` stops at the first
    point where a claim is wrong, and leaves out what comes after it, the contract included; without `evidence`,
    nothing is gathered that only people look at: causes, repairs, counterexample, pictures. `hints`: how much is said
    about what is wrong ("none", "where", "cause", "repair"). A repair is looked for by running changed versions of the
    checked code, so that it has to be asked for. `exact`: claims are run exactly as well, where
    python-flint is installed; with `scan`, those that act entry by entry over a whole interval, too, for the picture
    of a report (None: in a notebook). `first`: points that are asked before all others.
    """

    seed: int = 0
    dtypes: tuple[str, ...] | None = None
    budget: int = 10_000_000
    time_limit: float = float("inf")
    executor: Executor | None = None
    progress: Callable[[str], None] | None = None
    fail_fast: bool = False
    evidence: bool = True
    hints: Hints = "cause"
    exact: bool = True
    scan: bool | None = None
    first: tuple[Point, ...] = ()


# Whether a subject's floating-point warnings are right is a matter of the contract; here they only interrupt.
@np.errstate(all="ignore")
def check_subject(subject: Subject, options: Options | None = None, only: Point | None = None) -> ComponentResult:
    """Check every claim of `subject` at every point (at `only` one) and return what was found."""
    options = options or Options()
    session = _Session(subject, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with session.watch.interrupting():
                return session.run() if only is None else session.run_at(only)
        except TimeLimit:
            return session.out_of_time()


def check_at(subject: Subject, point: Point, time_limit: float = WHOLE) -> ComponentResult:
    """Check every claim at one point, in float64, and say nothing about why."""
    options = Options(dtypes=("float64",), evidence=False, exact=False, time_limit=time_limit)
    return check_subject(subject, options, point)


def whole_check(subject: Subject, seed: int) -> ComponentResult:
    """Check at the points of a seed until something is wrong, and say nothing about why: what a repair has to pass."""
    return check_subject(subject, Options(seed=seed, evidence=False, fail_fast=True, time_limit=WHOLE))


class _Session:
    """One subject's check: the records of its claims, filled point by point."""

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject = subject
        self.options = options
        self.watch = Watch(time.monotonic() + options.time_limit)
        self.guarded: dict[int, tuple[Problem, Problem]] = {}
        self.records: dict[tuple[str, str], Record] = {}
        self.forms = Forms()
        self.ledger = Ledger()
        self.coverage = Coverage(subject.code)
        self.stand_ins = StandIns(self.coverage.recorder.living)
        self.stopping = Stopping(partial(functions_of, subject.code))
        self.ordinary = Seen()
        self.own: set[Site] = set()
        self.visits: dict[str, Visit] = {}
        self.search: Search | None = None
        self.builders: dict[str, Subject] = {}
        self.notes: list[Note] = []
        self.prover = Prover(options.exact, _is_painted(options), options.seed)
        self.previous: Values | None = None
        self.first: Point | None = None
        self.label = ""
        self.witnesses = {False: 0, True: 0}
        self.here: Evaluated | None = None
        self.endless: dict[str, str] = {}

    def run(self) -> ComponentResult:
        """Check at every point, then try the contract, then explain what is wrong."""
        try:
            points = [self._guarded(point) for point in sampling.points(self.subject, self.options.seed)]
            self.first = points[0]
            _probe(points[0])
        except CannotBuild as error:
            stub = isinstance(error, NotWritten)
            return self.result(reason=str(error), otherwise="not implemented" if stub else "could not be asked")
        before = [self._guarded(point) for point in self.options.first]
        for point in itertools.chain(before, points, self.aimed(points[0])):
            self.label = point.label
            if self.options.progress:
                self.options.progress(point.label)
            self.check_point(point)
            if self.options.fail_fast and any(record.was_wrong for record in self.records.values()):
                return self.result(self.claims())
            self.visit(point)
        self.label = ""
        self.try_variants(points[0])
        contract = self.contract(points)
        return self.result(self.repaired(self.claims(), contract), [*contract, self.forms.result()])

    def run_at(self, point: Point) -> ComponentResult:
        """Check at one point alone."""
        self.first = self._guarded(point)
        self.check_point(self.first)
        return self.result(self.claims(explained=False))

    def visit(self, point: Point) -> None:
        """Note what is decided at a point; what is decided at edges only is aimed at once more."""
        if point.arrange in LAYOUTS and self.first is not None:  # the first point's numbers
            self.visits[point.label] = self.visits[self.first.label]
            return
        # In another size the same functions run; where it decides otherwise than known, they are looked for again.
        visit = self.coverage.visit(point.problem, point.values, alike=bool(self.visits) and not point.case)
        self.visits[point.label] = visit
        if visit.seen is None:
            return
        if point is self.first or point.special:
            self.own |= visit.seen.decisions.keys()
        if not point.edge:
            self.ordinary.add(visit.seen)

    def aimed(self, first: Point) -> Iterator[Point]:
        """Points at which code decides as it did at no other: not where somebody asks about given ones."""
        if self.subject.fixed and not self.subject.examples:
            return
        problem, seen = first.problem, copy.deepcopy(self.ordinary)
        run, inside = partial(self.coverage.at, problem), self.subject.examples
        for outcomes, values in aimed(run, first.values, problem.variables, seen, self.own, inside=inside):
            ties = all(site.kind == "winner" and word == "equal" for site, word in outcomes)
            yield Point(describe(outcomes[0]), problem, values, special=True, edge="at ties" if ties else "")

    def try_variants(self, first: Point) -> None:
        """Other settings, shapes and data: not where somebody asks about given points, or all is wrong already."""
        if (self.subject.fixed and not self.subject.examples) or any(one.is_wrong for one in self.records.values()):
            return
        self.search = Search(self.subject, first, self.options.seed, self.watch, self.coverage.visit)
        for variant in self.search.suspicious(self.coverage.seen.thresholds):
            self.builders[variant.where] = variant.subject
            self.check_point(variant.point())
            self.search.judged(variant, any(one.is_wrong_at(variant.where) for one in self.records.values()))

    def out_of_time(self) -> ComponentResult:
        """What was found until the time was over."""
        at = f", at “{self.label}”" if self.label else ""
        message = f"it did not finish within {self.options.time_limit:g} s (time limit){at}"
        self.prover.scans = False
        for record in self.records.values():
            if self.first is not None and not record.has_failed:
                record.passed_over(self.first, "float64", "unresolved", message)
        return self.result(self.claims(explained=False), reason=message, otherwise="unresolved")

    def _guarded(self, point: Point) -> Point:
        """The point with its problem guarded: one object for all points of a problem."""
        key = id(point.problem)
        if key not in self.guarded:
            self.guarded[key] = point.problem, guarded(point.problem, self.watch)  # the first keeps its id for itself
        return replace(point, problem=self.guarded[key][1])

    def check_point(self, point: Point) -> None:
        """Estimate once, in float64, and hold every method's claims in every dtype against it."""
        options = self.options
        try:
            same = self.here.at(point) if self.here is not None else None
            here = same or Evaluated(
                point, self.ledger, seed=options.seed, executor=options.executor, budget=options.budget
            )
        except Exception as error:  # a layer may refuse huge numbers, say; the point is listed as skipped
            self._pass_over(point, "skipped", f"forward raised {told(error)}")
            return
        if here.random:
            self._pass_over(
                point, "unresolved", "forward is random (two calls on the same values differ): pin its seed"
            )
            return
        if not here.flat.size:
            self._pass_over(point, "skipped", "forward returns an empty array here")
            return
        if not np.isfinite(here.flat).all():
            self._note_forward(point, here.flat)
            self._pass_over(point, "skipped", "forward itself is not finite here, so it has no derivative")
            return
        self.witnesses[point.special] += 1
        for dtype in options.dtypes or DTYPES:
            if dtype not in point.dtypes:
                continue
            if dtype in self.endless:
                self._pass_over(point, "skipped", self.endless[dtype], dtype)
                continue
            known = here.in_dtype(dtype)
            if known.refusal:
                self._pass_over(point, "skipped", known.refusal, known.name)
                if known.refusal.startswith(ENDLESS):  # it is not waited for at every point
                    self.endless[dtype] = known.refusal
                    self.notes.append(Note("forward", f"{known.refusal}, where nothing was judged"))
                continue
            for method in point.problem.methods:
                self._judge_method(here, known, method)
        self.previous = point.values
        self.here = here

    def _note_forward(self, point: Point, outputs: Array) -> None:
        """Forward is not finite for finite inputs: its fault, said beside the verdict, and not the derivative's."""
        kind = "NaN" if np.isnan(outputs).any() else "infinite"
        where = point.edge or f"at “{point.label}”"
        self.notes.append(Note("forward", f"forward is {kind} {where}"))

    def _pass_over(self, point: Point, verdict: Verdict, message: str, dtype: str = "float64") -> None:
        for method in point.problem.methods:
            for name in method.wrt:
                if not point.problem.variable(name).constant:  # of data, nothing has to be claimed
                    self._record(method, name).passed_over(point, dtype, verdict, message)

    def _record(self, method: Method, name: str) -> Record:
        fresh = Record(method.name, name, method.certain, convention=method.convention)
        return self.records.setdefault((method.name, name), fresh)

    def _judge_method(self, here: Evaluated, known: InDtype, method: Method) -> None:
        """Compare what one method says about each of its variables, and then about several entries together.

        Some points are measured, ordinary and special ones; of the others what is not settled.
        """
        names: Sequence[str] = method.wrt
        witnesses = WITNESSES if self.options.evidence else FEWEST
        if self.witnesses[here.point.special] > witnesses[here.point.special]:
            settled = self.prover.settled(here, known, method, self._measured_wrong(method))
            for answer, found in settled.values():
                self._keep(here, known, method, answer, found)
            names = [name for name in method.wrt if name not in settled]
            if settled and all(here.problem.variable(name).constant for name in names):
                return
        asked = here.cotangents(method, names)
        answers = here.ask(method, known, asked)
        if any(one.rows is not None and loses(one.dtype, known.dtype) for one in answers.values()):
            own = here.in_own_types(known.dtype)
            if own.precision != known.precision and not own.refusal:
                known, answers = own, here.ask(method, own, asked)
        for name in names:
            self._judge(here, known, method, answers[name], asked[name])
        if known.short or method.kind not in ("vjp", "sum"):
            return
        for finding in shared_kinks(here, method, answers, asked):
            point = here.point if here.point.edge else replace(here.point, edge="at ties")
            for name in finding.names:
                record = self._record(method, name)
                record.passed_over(point, known.name, finding.verdict, finding.message)
                self._remember(record, here, known, method, together=finding.message)

    def _judge(self, here: Evaluated, known: InDtype, method: Method, answer: Answer, asked: Cotangents) -> None:
        """Compare one answer and write down what came out."""
        record, point, name = self._record(method, answer.wrt), here.point, answer.wrt
        if here.problem.variable(name).constant and (answer.rows is None or not answer.rows.any()):
            record.constant = True
            return
        if answer.status == "silent":
            record.silent = record.silent or answer.message or "it returns None"
            return
        if answer.rows is None:
            record.refuse(point, known.name, answer)
        else:
            projected = here.is_projected(name)
            found = (
                judge_projected(here, method, name, known)
                if projected
                else judge(here, method, name, answer.rows, asked, known)
            )
            if found.at.verdict == "wrong" and self.forms.is_truncated(known, answer):
                found = replace(found, at=replace(found.at, verdict="skipped"))
            if not projected:
                found = self.prover.weigh(here, known, method, name, found)
            if not self._keep(here, known, method, answer, found):
                return
            if self.options.evidence and record.heat is None and not projected:
                record.heat = Heat(point.label, _shown(found.ratios))
                record.curve = here.curve(name, found.worst)
            first_wrong = found.at.verdict == "wrong" and record.first_wrong is None
            if (
                self.options.evidence
                and known.dtype == "float64"
                and not projected
                and (not record.taylor or first_wrong)
            ):
                record.taylor = here.taylor(name, answer.rows[-1], asked.rows[-1])
            if found.proved:
                self._remember(record, here, known, method, message=found.at.message, proved=True)
                return
        self._remember(record, here, known, method, message=answer.message)

    def _keep(self, here: Evaluated, known: InDtype, method: Method, answer: Answer, found: Comparison) -> bool:
        """Write down how an answer compares; return whether it counts."""
        record, point = self._record(method, answer.wrt), here.point
        if found.at.verdict == "wrong" and (why := self.stand_ins.why(here, method, answer.wrt, known)):
            record.passed_over(point, known.name, "skipped", why)
            self.notes.append(Note("mask", f"{point.edge or f'at “{point.label}”'}, {why}"))
            return False
        if found.at.verdict in ("wrong", "unresolved"):
            later = self.stopping.later(here, method, answer.wrt, known)
            if later is not None and later.at.verdict != "wrong":
                self.notes.append(Note("forward", STOPS))
                found = later
        self.forms.note(known, method, answer, found)
        record.compared(here, known, found)
        return True

    def _measured_wrong(self, method: Method) -> list[str]:
        """The variables by which a method's claims have been measured to be wrong, and are explained by that."""
        known = ((name, self.records.get((method.name, name))) for name in method.wrt)
        return [name for name, one in known if one is not None and one.first_wrong and one.first_wrong.is_measured]

    def _remember(
        self, record: Record, here: Evaluated, known: InDtype, method: Method, proved: bool = False, **why: str
    ) -> None:
        """Keep the first point that tells most of how a claim is wrong (or that it raises), for whoever explains it."""
        last, first = record.points[-1].verdict, record.first_wrong
        if last not in ("wrong", "could not be asked"):
            return
        refused = last == "could not be asked"
        found = Wrong(here, known.dtype, method, self.previous, refused=refused, proved=proved, **why)
        if first is None or found.tells > first.tells:
            record.first_wrong = found

    def contract(self, points: Sequence[Point]) -> list[ContractResult]:
        """The contract at every typical point where forward is finite; of each item, what is worst.

        What it makes the code decide is noted at the first.
        """
        rng = np.random.default_rng([self.options.seed, 5])
        tries = [partial(check_contract, self.subject, p.problem, p.values, rng, p.case) for p in _typical(points)]
        tried = [self.coverage.during(one) if number == 0 else one() for number, one in enumerate(tries)]
        worst = ("broken", "noted", "kept", "not tried")
        return [min(items, key=lambda item: worst.index(item.verdict)) for items in zip(*tried, strict=True)]

    def claims(self, explained: bool = True) -> list[ClaimResult]:
        """What was found about every claim."""
        answered = {record.method for record in self.records.values() if record.is_right}
        for record in self.records.values():
            record.settle(record.method in answered)
        return [self._claim(record, explained) for record in self.records.values()]

    def repaired(self, claims: list[ClaimResult], contract: Sequence[ContractResult]) -> list[ClaimResult]:
        """The claims, the wrong ones with one change that makes them right, where that is wanted and one is found."""
        if not (self.options.evidence and allows(self.options.hints, "repair")):
            return claims
        broken = [item.name for item in contract if item.verdict == "broken"]
        repairs = Repairs(self.subject, whole_check, self.options.seed, deadline=self.watch.deadline)
        return repairs.filled(claims, self.records, broken)

    def _claim(self, record: Record, explained: bool) -> ClaimResult:
        """Put together what was found about one claim over all points."""
        verdict, reason = record.verdict()
        reach: Reach | None = None
        where, why = "", Explained()
        if verdict == "wrong":
            reach, where = record.reach(self.visits)
            waived = record.name in self.subject.waivers
            wanted = explained and self.options.evidence and allows(self.options.hints, "where")
            if wanted and record.first_wrong is not None and not waived:
                subject = self.builders.get(record.first_wrong.point.label, self.subject)
                why = explain(subject, record, self.options.seed)
                reach, where = why.reach or reach, why.where or where
        refused = next(iter(record.refused.values()), None)
        basis, proof = self.prover.basis(record.name, verdict)
        if record.name in self.subject.waivers and verdict in ("wrong", "unresolved", "not implemented"):
            verdict, reason, reach, where = "waived", self.subject.waivers[record.name], None, ""
        claim = ClaimResult(
            name=record.name,
            method=record.method,
            wrt=record.wrt,
            verdict=verdict,
            reach=reach,
            where=where,
            points=tuple(record.points),
            worst=record.worst,
            worst_point=record.worst_point,
            wrong=record.wrong,
            wrong_count=record.wrong_count,
            kinks=tuple(record.kinks[:KINKS]),
            causes=why.causes,
            counterexample=why.example,
            matrices=why.matrices,
            test=why.test,
            reason=reason,
            source=location_of_method(record.first_wrong.method, self.subject.code) if record.first_wrong else "",
            traceback=refused.traceback if refused is not None and verdict in ("wrong", "could not be asked") else "",
            curve=record.curve,
            heat=record.heat,
            taylor=record.taylor,
            basis=basis,
            proof=proof,
        )
        return limited(claim, self.options.hints)

    def result(
        self,
        claims: list[ClaimResult] | None = None,
        contract: list[ContractResult] | None = None,
        reason: str = "",
        otherwise: Verdict = "could not be asked",
    ) -> ComponentResult:
        """The component's result: the worst verdict of its claims, "wrong" where the contract is broken."""
        claims, contract = claims or [], contract or []
        broken = [item for item in contract if item.verdict == "broken"]
        verdicts: list[Verdict] = [claim.verdict for claim in claims]
        verdict = overall(["wrong", *verdicts] if broken else verdicts) if claims or contract else otherwise
        reach = farthest([claim.reach for claim in claims] + (["everywhere"] if broken else []))
        where = next((claim.where for claim in claims if claim.reach == reach), reach or "")
        unjudged = self.first.problem.unjudged if self.first is not None else ()
        return ComponentResult(
            name=self.subject.name,
            source=self.subject.source,
            verdict=verdict,
            reach=reach,
            where=where,
            doc=self.subject.doc,
            reason=reason,
            reading=self.first.problem.reading if self.first is not None else "",
            seed=self.options.seed,
            claims=tuple(claims),
            contract=tuple(contract),
            notes=tuple(self._all_notes(contract)),
            unjudged=tuple(Unjudged(name, why) for name, why in unjudged),
            calls=tuple(sorted(self.ledger.calls.items())),
            rows=tuple(sorted(self.ledger.rows.items())),
            structures=tuple(sorted(self.ledger.structures.items())),
            coverage=covered(self.coverage, self.search.log.result() if self.search else ()),
            versions=(("gradcheck", __version__), ("numpy", np.__version__), ("python", platform.python_version())),
        )

    def _all_notes(self, contract: Sequence[ContractResult]) -> Iterator[Note]:
        """Notes about forward first, then about claims, then what the contract notes."""
        yield from dict.fromkeys([*self.notes, *self.prover.notes])
        if (short := precision_of_numpy()) != "float64":
            text = (
                f"{short} inside: what was put in the place of NumPy's functions answers in it; claims are held to that"
            )
            yield Note("claims", text)
        if self.search is not None:
            yield from (Note("variants", text) for text in self.search.log.notes.values())
        yield from self.forms.notes()
        for about, text in self.first.problem.notes if self.first is not None else ():
            yield Note(about, text)
        for record in self.records.values():
            yield from record.as_notes()
        for item in contract:
            if item.verdict == "noted":
                yield Note("contract", f"{item.name}: {item.detail}")


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


def _typical(points: Sequence[Point]) -> Iterator[Point]:
    """Where the contract is tried: at the points that say so, if forward is finite there, else at one where it is."""
    typical = [point for point in points if point.typical]
    finite = [point for point in typical if _is_finite(point)]
    rest = (point for point in points if not point.typical and not point.size and _is_finite(point))
    yield from finite or [point for point in [next(rest, None)] if point is not None]


def _is_finite(point: Point) -> bool:
    try:
        outputs = point.problem.forward(point.values)
    except Exception:  # other people's code: the contract is not tried there
        return False
    return all(bool(np.isfinite(np.asarray(output, dtype=float)).all()) for output in outputs)


def _is_painted(options: Options) -> bool:
    """Whether somebody looks at pictures of intervals: IPython says that it runs by a builtin."""
    return options.evidence and (hasattr(builtins, "__IPYTHON__") if options.scan is None else options.scan)


def _shown(ratio: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{x:.2g}") for x in row) for row in ratio)
