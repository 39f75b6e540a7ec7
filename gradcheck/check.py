"""The story of a check, top to bottom: points, estimates, claims, comparison, contract, diagnosis, result."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck import numerical, sampling
from gradcheck.claims import Answer, ask, cotangents
from gradcheck.compare import Comparison, Expected, compare, expected
from gradcheck.contract import check_contract
from gradcheck.counterexample import counterexample
from gradcheck.diagnose import Evidence, diagnose
from gradcheck.errors import CannotBuild
from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array, Method, Subject, Values, Variable
from gradcheck.results import AtPoint, ClaimResult, ComponentResult, ContractResult, Curve, Entry, Heat, Kink, overall
from gradcheck.sampling import Point

# A heat map and a list of kinks show so many rows, columns and entries at most.
SHOWN = 24


@dataclass(frozen=True)
class Options:
    """How to check: `seed` fixes every point; `dtypes` are those of the claims.

    `budget`: the most entries that a Jacobian may have; past it, random projections are compared.
    `executor` takes the columns of an estimate; `progress` is told each point's label.
    """

    seed: int = 0
    dtypes: tuple[str, ...] = ("float64", "float32")
    budget: int = 10_000_000
    executor: Executor | None = None
    progress: Callable[[str], None] | None = None


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
    first_wrong: tuple[Point, str, str] | None = None
    constant: bool = False
    silent: str | None = None


def check_subject(subject: Subject, options: Options | None = None) -> ComponentResult:
    """Check every claim of `subject` at every point and return what was found."""
    options = options or Options()
    try:
        points = list(sampling.points(subject, options.seed))
        if not points[0].problem.methods:
            raise CannotBuild("it has no derivative method")
        _probe(points[0])
    except CannotBuild as error:
        return _result(subject, options, reason=str(error))
    session = _Session(subject, options)
    for point in points:
        if options.progress:
            options.progress(point.label)
        session.check_point(point)
    rng = np.random.default_rng([options.seed, 5])
    contract = [*check_contract(subject, points[0].problem, points[0].values, rng), *session.shape_contract()]
    claims = [session.claim_result(method, name) for method, name in session.order]
    return _result(subject, options, claims=claims, contract=contract, session=session)


def _probe(point: Point) -> None:
    """Run forward once at a generic point: what fails here cannot be checked at all."""
    try:
        outputs = point.problem.forward(point.values)
    except Exception as error:
        raise CannotBuild(f"forward raised {type(error).__name__}: {error}") from error
    for output in outputs:
        if np.asarray(output).dtype.kind not in "fiub":
            raise CannotBuild(f"forward returned an array of dtype {np.asarray(output).dtype}, expected numbers")


def _result(
    subject: Subject,
    options: Options,
    *,
    claims: list[ClaimResult] | None = None,
    contract: list[ContractResult] | None = None,
    reason: str = "",
    session: _Session | None = None,
) -> ComponentResult:
    claims, contract = claims or [], contract or []
    verdicts = [claim.verdict for claim in claims]
    if any(item.verdict == "broken" for item in contract):
        verdicts.append("wrong")
    calls, rows = (session.calls, session.rows) if session else (Counter[str](), Counter[str]())
    return ComponentResult(
        name=subject.name,
        source=subject.source,
        verdict=overall(verdicts),
        doc=subject.doc,
        reason=reason,
        seed=options.seed,
        claims=tuple(claims),
        contract=tuple(contract),
        calls=tuple(sorted(calls.items())),
        rows=tuple(sorted(rows.items())),
        structures=tuple(sorted(session.structures.items())) if session else (),
        versions=(("gradcheck", _version()), ("numpy", np.__version__), ("python", platform.python_version())),
    )


def _version() -> str:
    from gradcheck import __version__

    return __version__


class _Session:
    """One subject's check: the records of its claims, filled point by point."""

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject = subject
        self.options = options
        self.records: dict[tuple[str, str], _Record] = {}
        self.order: list[tuple[str, str]] = []
        self.calls: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.structures: dict[str, str] = {}
        self.shapes: dict[str, str] = {}
        self.previous: Values | None = None

    def check_point(self, point: Point) -> None:
        """Estimate once, in float64, and hold every method's claims in every dtype against it."""
        values = point.values
        try:
            outputs = [np.asarray(output, dtype=float) for output in point.problem.forward(values)]
        except Exception as error:
            self._skip(point, f"forward raised {type(error).__name__}: {error}")
            return
        estimates = _Estimates(point, self)
        for dtype in self.options.dtypes:
            if dtype in point.dtypes:
                self._check_dtype(point, dtype, outputs, estimates)
        self.previous = values

    def _skip(self, point: Point, message: str) -> None:
        for method in point.problem.methods:
            for name in method.wrt:
                record = self._record(method.name, name)
                nan = float("nan")
                record.points.append(
                    AtPoint(point.label, "float64", "skipped", 0, nan, nan, nan, nan, nan, nan, nan, nan, message)
                )

    def _record(self, method: str, name: str) -> _Record:
        if (method, name) not in self.records:
            self.order.append((method, name))
        return self.records.setdefault((method, name), _Record())

    def _check_dtype(self, point: Point, dtype: str, outputs: list[Array], estimates: _Estimates) -> None:
        given = {name: point.arrange(_cast(value, dtype)) for name, value in point.values.items()}
        shapes = [output.shape for output in outputs]
        flat = np.concatenate([output.ravel() for output in outputs])
        for method in point.problem.methods:
            asked = {
                name: cotangents(
                    flat.size,
                    None if point.problem.variable(name).constant else estimates.of(name),
                    method.kind,
                    np.random.default_rng([self.options.seed, 6]),
                )
                for name in method.wrt
            }
            answers = ask(point.problem, method, given, shapes, asked, dtype)
            for name in method.wrt:
                self._hold(point, dtype, method, answers[name], asked[name], flat, estimates)

    def _hold(
        self,
        point: Point,
        dtype: str,
        method: Method,
        answer: Answer,
        asked: Array,
        outputs: Array,
        estimates: _Estimates,
    ) -> None:
        """Compare one answer and write down what came out."""
        record = self._record(method.name, answer.wrt)
        variable = point.problem.variable(answer.wrt)
        if variable.constant and _says_constant(answer):
            record.constant = True
            return
        if answer.status == "silent":
            record.silent = record.silent or answer.message or "it returns None"
            return
        estimate = estimates.of(answer.wrt)
        x = np.asarray(point.values[answer.wrt], dtype=float).ravel()
        right = expected(estimate, asked, outputs, x, dtype)
        if answer.rows is None:
            nan = float("nan")
            at = AtPoint(
                point.label,
                dtype,
                "wrong",
                right.value.size,
                nan,
                nan,
                nan,
                nan,
                nan,
                nan,
                nan,
                right.scale,
                answer.message,
            )
            record.points.append(at)
        else:
            self._note_form(answer, method, variable, dtype, point)
            found = compare(answer.rows, right, estimate, x, point.label, dtype, point.special)
            record.points.append(found.at)
            record.kinks.extend(kink for kink in found.kinks if dtype == "float64")
            self._keep_worst(record, found, point, dtype)
            if record.heat is None and dtype == "float64":
                record.heat = Heat(point.label, _rounded(found.ratio))
                record.curve = estimates.curve(answer.wrt, found.worst)
            at = found.at
        if at.verdict == "wrong" and record.first_wrong is None:
            record.first_wrong = (point, dtype, answer.message)

    def _keep_worst(self, record: _Record, found: Comparison, point: Point, dtype: str) -> None:
        if found.worst is not None and found.at.ratio > record.worst_ratio:
            record.worst, record.worst_ratio = found.worst, found.at.ratio
            record.worst_point = f"{point.label}, {dtype}"

    def _note_form(self, answer: Answer, method: Method, variable: Variable, dtype: str, point: Point) -> None:
        """Remember the first gradient whose shape or dtype is not that of what it differentiates."""
        claim = f"{method.name}[{answer.wrt}]"
        if claim in self.shapes:
            return
        shape = np.shape(variable.example)
        if method.kind != "local" and answer.shape != shape:
            self.shapes[claim] = f"{claim} has shape {answer.shape}, but {answer.wrt} has shape {shape}"
        given = point.arrange(_cast(point.values[answer.wrt], dtype))
        if given.dtype.kind == "f" and answer.dtype != dtype:
            self.shapes[claim] = f"{claim} has dtype {answer.dtype}, but {answer.wrt} has dtype {dtype}"
        elif given.dtype.kind in "iu" and not answer.dtype.startswith("float"):
            self.shapes[claim] = (
                f"{claim} has dtype {answer.dtype} for an integer {answer.wrt}, expected a floating one"
            )

    def shape_contract(self) -> list[ContractResult]:
        """Whether every gradient had the shape and dtype of what it differentiates."""
        name = "gradients have the shape and dtype of what they differentiate"
        if not self.records:
            return [ContractResult(name, "not tried")]
        return [ContractResult(name, "broken" if self.shapes else "kept", "; ".join(self.shapes.values()))]

    def claim_result(self, method: str, name: str) -> ClaimResult:
        """Put together what was found about one claim over all points."""
        record = self.records[method, name]
        claim = f"{method}[{name}]"
        verdict = overall(at.verdict for at in record.points)
        reason = ""
        if not record.points or verdict == "skipped":
            verdict = "skipped"
            if record.silent is not None:
                verdict, reason = "not implemented", record.silent
            elif record.constant:
                verdict, reason = "correct", f"{name} is data and held constant"
        elif verdict == "unresolved":
            reason = next(at.message for at in record.points if at.verdict == "unresolved")
        causes, example, test = self._explain(method, name, record) if verdict == "wrong" else ((), "", "")
        if claim in self.subject.waivers and verdict in ("wrong", "unresolved", "not implemented"):
            verdict, reason = "waived", self.subject.waivers[claim]
        return ClaimResult(
            name=claim,
            method=method,
            wrt=name,
            verdict=verdict,
            points=tuple(record.points),
            worst=record.worst,
            worst_point=record.worst_point,
            kinks=tuple(record.kinks[:SHOWN]),
            causes=causes,
            counterexample=example,
            test=test,
            reason=reason,
            curve=record.curve,
            heat=record.heat,
        )

    def _explain(self, method_name: str, name: str, record: _Record) -> tuple[tuple[Any, ...], str, str]:
        """Diagnose the first wrong point, and shrink it to a counterexample."""
        if record.first_wrong is None:
            return (), "", ""
        point, dtype, message = record.first_wrong
        method = next(m for m in point.problem.methods if m.name == method_name and name in m.wrt)
        estimates = _Estimates(point, self)
        evidence = self._evidence(point, dtype, method, name, estimates, message)
        causes = diagnose(evidence) if evidence is not None else ()

        def still_wrong(values: Values) -> bool:
            return self.is_wrong(Point(point.label, point.problem, dict(values), point.arrange), dtype, method, name)

        example, test = counterexample(self.subject, method_name, name, point.values, still_wrong)
        return causes, example, test

    def _evidence(
        self, point: Point, dtype: str, method: Method, name: str, estimates: _Estimates, message: str
    ) -> Evidence | None:
        problem = point.problem
        outputs = [np.asarray(output, dtype=float) for output in problem.forward(point.values)]
        flat = np.concatenate([output.ravel() for output in outputs])
        rows = np.ones((1, flat.size)) if method.kind == "sum" else np.eye(flat.size)
        given = {key: point.arrange(_cast(value, dtype)) for key, value in point.values.items()}
        shapes = [output.shape for output in outputs]
        answer = ask(problem, method, given, shapes, dict.fromkeys(method.wrt, rows), dtype)[name]
        right = self._expected(point, name, rows, flat, dtype, estimates)

        def jacobian_at(values: Values) -> Array:
            return numerical.estimate(problem.forward, dict(values), name).dense()

        return Evidence(
            method=method,
            variable=problem.variable(name),
            problem=problem,
            values=point.values,
            outputs=outputs,
            claim=answer.rows if answer.rows is not None else np.full(right.value.shape, np.nan),
            estimate=right.value,
            tolerance=right.tolerance,
            jacobian_at=jacobian_at,
            previous=self.previous,
            message=answer.message or message,
            raw=answer.raw,
            cotangents=None,
        )

    def _expected(
        self, point: Point, name: str, rows: Array, outputs: Array, dtype: str, estimates: _Estimates
    ) -> Expected:
        x = np.asarray(point.values[name], dtype=float).ravel()
        return expected(estimates.of(name), rows, outputs, x, dtype)

    def is_wrong(self, point: Point, dtype: str, method: Method, name: str) -> bool:
        """Whether this claim is wrong at these values (used to shrink a counterexample)."""
        try:
            outputs = [np.asarray(output, dtype=float) for output in point.problem.forward(point.values)]
        except Exception:
            return False
        flat = np.concatenate([output.ravel() for output in outputs])
        estimates = _Estimates(point, self)
        rows = np.ones((1, flat.size)) if method.kind == "sum" else np.eye(flat.size)
        given = {key: point.arrange(_cast(value, dtype)) for key, value in point.values.items()}
        shapes = [output.shape for output in outputs]
        answer = ask(point.problem, method, given, shapes, dict.fromkeys(method.wrt, rows), dtype)[name]
        if answer.rows is None:
            return answer.status in ("raised", "unreadable")
        x = np.asarray(point.values[name], dtype=float).ravel()
        right = self._expected(point, name, rows, flat, dtype, estimates)
        return compare(answer.rows, right, estimates.of(name), x, point.label, dtype).at.verdict == "wrong"


class _Estimates:
    """The estimates at one point, made when first asked for."""

    def __init__(self, point: Point, session: _Session) -> None:
        self.point = point
        self.session = session
        self.made: dict[str, Estimate] = {}

    def of(self, name: str) -> Estimate:
        """The Jacobian of all outputs by the variable `name`, with its bounds."""
        if name not in self.made:
            point, session = self.point, self.session
            estimate = numerical.estimate(
                point.problem.forward,
                point.values,
                name,
                domain=None if point.boundary else point.problem.variable(name).domain,
                seed=session.options.seed,
                executor=session.options.executor,
            )
            self.made[name] = estimate
            session.calls.update(estimate.cost.calls)
            session.rows.update(estimate.cost.rows)
            session.structures.setdefault(name, estimate.structure)
        return self.made[name]

    def curve(self, name: str, worst: Entry | None) -> Curve | None:
        """Error against step size for one entry, for the picture."""
        if worst is None or (not worst.output and len(self.of(name).output_shapes[0])):
            return None
        estimate = self.of(name)
        size = int(np.prod(estimate.variable_shape))
        index = int(np.ravel_multi_index(worst.index, estimate.variable_shape)) if worst.index else 0
        output = _flat_output(worst.output, estimate.output_shapes)
        if not size:
            return None
        steps, quotients, chosen, noise = numerical.curve(
            self.point.problem.forward, self.point.values, name, index, output
        )
        errors = np.abs(np.asarray(quotients) - worst.estimate)
        return Curve(
            entry=f"∂output{list(worst.output)}/∂{name}{list(worst.index)}",
            steps=tuple(float(f"{h:.3g}") for h in steps),
            errors=tuple(float(f"{e:.3g}") for e in errors),
            chosen=float(chosen),
            noise=float(noise),
        )


def _flat_output(place: tuple[int, ...], shapes: tuple[tuple[int, ...], ...]) -> int:
    number, inner = (place[0], place[1:]) if len(shapes) > 1 else (0, place)
    before = sum(int(np.prod(shape)) for shape in shapes[:number])
    return before + (int(np.ravel_multi_index(inner, shapes[number])) if inner else 0)


def _cast(value: Array, dtype: str) -> Array:
    return value.astype(dtype) if value.dtype.kind == "f" else value


def _says_constant(answer: Answer) -> bool:
    return answer.status == "silent" or (answer.rows is not None and not answer.rows.any())


def _rounded(ratio: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{x:.2g}") for x in row[:SHOWN]) for row in ratio[:SHOWN])
