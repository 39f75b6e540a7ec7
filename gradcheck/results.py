"""What a check found: frozen dataclasses, JSON in and out.

The schema is these classes. `SCHEMA` counts up whenever a field changes its meaning or goes away.
Nothing in here depends on when or where the check ran, so that the same code gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA = 1

Verdict = Literal["correct", "wrong", "unresolved", "not implemented", "waived", "skipped"]

# With these `assert_correct` and the pytest fixture pass.
PASSING: tuple[Verdict, ...] = ("correct", "waived")

# Worst first: a component's verdict is the first of these that one of its claims has.
ORDER: tuple[Verdict, ...] = ("wrong", "unresolved", "not implemented", "waived", "correct", "skipped")


@dataclass(frozen=True)
class Entry:
    """One entry of a Jacobian: where it stands, what was claimed, what was measured.

    `output`, `index`: its place in the output (led by the output's number, if there are several; empty for a mixture
    of outputs) and in the variable. `estimate` ± `bound` was measured with `step`; `tolerance`: the bound, and what the
    claim may lose to rounding. `left`, `right`: the one-sided derivatives where they differ.
    """

    output: tuple[int, ...]
    index: tuple[int, ...]
    claim: float
    estimate: float
    bound: float
    tolerance: float
    step: float = math.nan
    left: float = math.nan
    right: float = math.nan

    @property
    def ratio(self) -> float:
        """Error ÷ tolerance."""
        error = abs(self.claim - self.estimate)
        return math.inf if not math.isfinite(error) else error / self.tolerance if self.tolerance else math.inf


@dataclass(frozen=True)
class Kink:
    """An entry at which left and right derivative differ, and the convention that the claim follows.

    `index`: its place in the variable. `convention`: in words ("0", "the left derivative", "between the two sides", …).
    """

    point: str
    index: tuple[int, ...]
    left: float
    right: float
    claim: float
    convention: str


@dataclass(frozen=True)
class AtPoint:
    """One claim at one point, in one dtype.

    `point`: its label. `entries`: how many numbers were compared. `error`: the largest |claim − estimate|; `ratio`: the
    largest error ÷ tolerance. `tolerance`: the largest one; `truncation` and `rounding` of the estimate, and
    `claim_rounding`, what the claim may lose, are its parts, the largest each. `resolution`: the smallest error that
    would have been found; `scale`: the largest derivative (|f|/|x| where all are zero). `message`: why it is unresolved
    or skipped.
    """

    point: str
    dtype: str
    verdict: Verdict
    entries: int
    error: float
    tolerance: float
    truncation: float
    rounding: float
    claim_rounding: float
    ratio: float
    resolution: float
    scale: float
    message: str = ""


@dataclass(frozen=True)
class Cause:
    """A diagnosis: the likely mistake in a sentence, and what speaks for it."""

    name: str
    sentence: str
    evidence: str


@dataclass(frozen=True)
class Curve:
    """Error of the difference quotient of one entry against its step, for the picture.

    `chosen`: the step of the estimate. `noise`: how much one value of f is off; a quotient has noise ÷ step of it.
    """

    entry: str
    steps: tuple[float, ...]
    errors: tuple[float, ...]
    chosen: float
    noise: float


@dataclass(frozen=True)
class Heat:
    """Error ÷ tolerance over the Jacobian of one point, or its corner (rows: outputs, columns: variable entries)."""

    point: str
    ratios: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ClaimResult:
    """One derivative method by one variable, over all points.

    `name`: `"get_input_gradients[x]"`; `method` and `wrt` are its parts. `verdict`: the worst of the points'. `worst`:
    the entry with the largest ratio, at `worst_point`. Where it is wrong: `causes`, best first, the `counterexample` as
    NumPy code, and a `test` to paste. `reason`: why it is not judged, or why it is waived.
    """

    name: str
    method: str
    wrt: str
    verdict: Verdict
    points: tuple[AtPoint, ...] = ()
    worst: Entry | None = None
    worst_point: str = ""
    kinks: tuple[Kink, ...] = ()
    causes: tuple[Cause, ...] = ()
    counterexample: str = ""
    test: str = ""
    reason: str = ""
    curve: Curve | None = None
    heat: Heat | None = None

    @property
    def resolution(self) -> float:
        """The smallest error that would have been found, relative to the scale: at the median point, in float64."""
        fine = [p for p in self.points if p.dtype == "float64"] or self.points
        found = sorted(p.resolution / p.scale for p in fine if p.scale > 0 and p.verdict == "correct")
        return found[len(found) // 2] if found else math.nan


@dataclass(frozen=True)
class ContractResult:
    """One thing that a derivative must also respect (purity, dtype, …).

    "noted": worth knowing, and makes nobody's derivative wrong (a gradient in more digits than asked for).
    """

    name: str
    verdict: Literal["kept", "broken", "noted", "not tried"]
    detail: str = ""


@dataclass(frozen=True)
class ComponentResult:
    """Everything that was found about one subject.

    `name`: dotted; `source`: `"path/of/file.py:line"`, relative to where the check ran. `doc`: its docstring. `reason`:
    why it is skipped. `calls`, `rows`: how often forward was called, and on how many rows, by stage. `structures`: what
    was found about each variable's Jacobian. `versions`: of gradcheck, NumPy and Python.
    """

    name: str
    source: str
    verdict: Verdict
    doc: str = ""
    reason: str = ""
    seed: int = 0
    claims: tuple[ClaimResult, ...] = ()
    contract: tuple[ContractResult, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    rows: tuple[tuple[str, int], ...] = ()
    structures: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    schema: int = SCHEMA


def overall(verdicts: typing.Iterable[str]) -> Verdict:
    """Return the worst of several verdicts; "skipped" if there are none."""
    found = set(verdicts)
    return next((v for v in ORDER if v in found), "skipped")


def to_json(result: Any) -> str:
    """Return a result as JSON text; infinities and NaN are the strings "inf", "-inf" and "nan"."""
    return json.dumps(_plain(dataclasses.asdict(result)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> ComponentResult:
    """Read a `ComponentResult` (ValueError where the text is of another schema or malformed)."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else None
        raise ValueError(f"expected a result of schema {SCHEMA}, but found {found!r}: run the check again")
    try:
        return typing.cast(ComponentResult, typed(data, ComponentResult))
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"expected a result of schema {SCHEMA}, but a field is malformed: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


# Evaluating annotations takes longer than reading the data that they describe.
@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def typed(value: Any, kind: Any) -> Any:
    """Return JSON data as the type `kind` asks for: dataclasses, tuples, Literals (TypeError where it does not fit)."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        inner = [arg for arg in typing.get_args(kind) if arg is not type(None)]
        return None if value is None else typed(value, inner[0])
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, but found {str(value)[:80]!r}")
        args = typing.get_args(kind)
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(typed(item, args[0]) for item in value)
        return tuple(typed(item, arg) for item, arg in zip(value, args, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        return kind(**{key: typed(item, hints[key]) for key, item in value.items()})  # type: ignore[operator]
    if kind is float:
        return float(value)
    fits = value in typing.get_args(kind) if origin is Literal else isinstance(value, kind)
    if not fits:
        raise TypeError(f"expected {kind}, but found {str(value)[:80]!r}")
    return value
