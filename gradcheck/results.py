"""What a check found: frozen dataclasses, JSON in and out.

These classes are the schema of the JSON, version 2: an object for each, a member for each field, in this order; tuples
are arrays, `None` is null, and infinities and NaN are the strings "inf", "-inf" and "nan". `SCHEMA` counts up whenever
a field changes its meaning or goes away, and other versions are refused. Nothing in here depends on when or where the
check ran, so that the same code gives the same bytes.
"""

from __future__ import annotations

import json
import math
import typing
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from gradcheck.data import Data, typed
from gradcheck.errors import cut
from gradcheck.verdicts import PASSING, Reach, Verdict

SCHEMA = 2


@dataclass(frozen=True, eq=False)
class Entry(Data):
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


@dataclass(frozen=True, eq=False)
class Kink(Data):
    """An entry at which left and right derivative differ, and the convention that the claim follows.

    `index`: its place in the variable. `convention`: in words ("0", "the left derivative", "between the two sides", …).
    """

    point: str
    index: tuple[int, ...]
    left: float
    right: float
    claim: float
    convention: str


@dataclass(frozen=True, eq=False)
class AtPoint(Data):
    """One claim at one point, in one dtype.

    `point`: its label; `edge`: what is special about its values, `size` about its shapes, `setting` about arguments of
    constructor or forward, `data` about what the values mean ("" where nothing is).
    `entries`: how many numbers were compared. `error`: the largest |claim − estimate|; `ratio`: the largest error ÷
    tolerance. `tolerance`: the largest one; `truncation` and `rounding` of the estimate, and `claim_rounding`, what the
    claim may lose, are its parts, the largest each. `resolution`: the smallest error that would have been found;
    `scale`: the largest derivative (what f's size lets expect where all are zero). `message`: what is wrong, why it is
    unresolved or skipped, which convention it follows.
    """

    point: str
    dtype: str
    verdict: Verdict
    entries: int = 0
    error: float = math.nan
    tolerance: float = math.nan
    truncation: float = math.nan
    rounding: float = math.nan
    claim_rounding: float = math.nan
    ratio: float = math.nan
    resolution: float = math.nan
    scale: float = math.nan
    message: str = ""
    edge: str = ""
    size: str = ""
    setting: str = ""
    data: str = ""


@dataclass(frozen=True, eq=False)
class Cause(Data):
    """A diagnosis: the likely mistake in a sentence, and what speaks for it."""

    name: str
    sentence: str
    evidence: str


@dataclass(frozen=True, eq=False)
class Repair(Data):
    """One change of the checked source with which a claim is right at all points.

    From `line` on, the lines `old` of `file` become `new`; `what` says in words what changes. `diff` is the same as a
    unified diff. `checksum`: the file's SHA-256 when it was checked, "" where the source is no file.
    """

    file: str
    line: int
    old: str
    new: str
    what: str
    diff: str
    checksum: str = ""


@dataclass(frozen=True, eq=False)
class Curve(Data):
    """Error of the difference quotient of one entry against its step, for the picture.

    `chosen`: the step of the estimate. `noise`: how much one value of f is off; a quotient has noise ÷ step of it.
    """

    entry: str
    steps: tuple[float, ...]
    errors: tuple[float, ...]
    chosen: float
    noise: float


@dataclass(frozen=True, eq=False)
class Taylor(Data):
    """The remainder |φ(x + h·v) − φ(x) − h · claim·v| over h, of one combination φ of outputs along one direction v.

    `noise`: how much of it may be rounding. `slope`: of the remainders above that, on log-log axes: 2 (or more) where
    the claim is the derivative, 1 where it is not; NaN where none is above it, since f is what the claim foretells.
    """

    point: str
    steps: tuple[float, ...]
    remainders: tuple[float, ...]
    noise: float
    slope: float

    @property
    def rates(self) -> tuple[float, ...]:
        """The slope from each step to the next; NaN where a remainder may be rounding."""
        pairs = zip(pairwise(self.steps), pairwise(self.remainders), strict=True)
        seen = ((h / k, r / s if min(r, s) > self.noise else math.nan) for (h, k), (r, s) in pairs)
        return tuple(math.log(fell) / math.log(shorter) for shorter, fell in seen)


@dataclass(frozen=True, eq=False)
class Heat(Data):
    """Error ÷ tolerance over the Jacobian of one point, or its corner (rows: outputs, columns: variable entries)."""

    point: str
    ratios: tuple[tuple[float, ...], ...]


Basis = Literal["proved", "measured", "both"]


@dataclass(frozen=True, eq=False)
class Digits(Data):
    """How many decimal digits of the exact derivative a right claim keeps in one dtype, `of` those that the dtype has.

    `kept`: the fewest at ordinary points. `least`: the fewest at all, at the point `point`, in the entry `index` of the
    variable, where it is `x`; `place`: the line where most of them are lost.
    """

    dtype: str
    of: int
    kept: int
    least: int
    point: str
    index: tuple[int, ...]
    x: float
    place: str = ""


@dataclass(frozen=True, eq=False)
class Piece(Data):
    """Where a claim was shown to be the derivative: the points with these `shapes` of the inputs and `decisions`.

    Between decisions forward and claim are analytic, so that they agree wherever the same decisions are taken.
    """

    shapes: tuple[tuple[int, ...], ...]
    decisions: tuple[str, ...]
    points: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Boxes(Data):
    """Where a claim of a function that acts entry by entry is the derivative for every x, from `low` to `high`.

    On the intervals `equal` the two are certainly within `within` of max(1, |derivative|), on `different` they are not,
    and on `undecided` (around a kink, say) nothing is known.
    """

    low: float
    high: float
    within: float
    equal: tuple[tuple[float, float], ...]
    different: tuple[tuple[float, float], ...] = ()
    undecided: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Kept(Data):
    """How many digits of the derivative a claim of a function that acts entry by entry keeps in a dtype, by x."""

    dtype: str
    x: tuple[float, ...]
    digits: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Proof(Data):
    """What is known exactly of one claim.

    `points`: at how many it was shown to be the derivative, in the `pieces` that are listed. `apart`: the largest share
    of the scale by which it is off there, because constants are rounded. `off`: of a claim that is wrong, by which
    share of the scale it certainly is. `left`: why some point was only measured, and where the code left exact
    arithmetic. `kept` and `boxes`: of the first claim by a variable, where the function acts entry by entry.
    """

    points: int = 0
    pieces: tuple[Piece, ...] = ()
    apart: float = 0.0
    off: float = 0.0
    left: str = ""
    digits: tuple[Digits, ...] = ()
    kept: tuple[Kept, ...] = ()
    boxes: Boxes | None = None


Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class Matrices(Data):
    """Claim, measurement and claim − measurement at the smallest example; `wrong` says which entries differ too much.

    `rows` and `columns` are labels. A gradient of a scalar is laid out as its variable; of anything else, rows are
    outputs, columns are entries of the variable. Where the two agree within the tolerance the difference is 0; where
    the measurement says nothing, it is NaN. `cut`: how many rows and columns are left out, after the first dozen.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    claim: Matrix
    measured: Matrix
    difference: Matrix
    wrong: tuple[tuple[bool, ...], ...]
    cut: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False, repr=False)
class ClaimResult(Data):
    """One derivative method by one variable, over all points.

    `name`: `"get_input_gradients[x]"`; `method` and `wrt` are its parts. `verdict`: the worst of the points'; where it
    is wrong, `reach` says how far, `where` in words, and `source` where its method is written. `worst`: the entry with
    the largest ratio, at `worst_point`. `wrong`: the wrong entries of the first point that has any, a dozen at most, of
    `wrong_count`. `causes`: best first; `repair`: one change that makes it right, if one was found. `counterexample`:
    the smallest values found, as NumPy code, `matrices` what is claimed and measured there, `test` a test to paste.
    `reason`: why it is not judged, why it is waived, or which convention it follows. `traceback`: of an exception, the
    checked code's own frames. `basis`: what the verdict rests on, measurement or what was shown exactly (`proof`), or
    both.
    """

    name: str
    method: str
    wrt: str
    verdict: Verdict
    reach: Reach | None = None
    where: str = ""
    points: tuple[AtPoint, ...] = ()
    worst: Entry | None = None
    worst_point: str = ""
    wrong: tuple[Entry, ...] = ()
    wrong_count: int = 0
    kinks: tuple[Kink, ...] = ()
    causes: tuple[Cause, ...] = ()
    repair: Repair | None = None
    counterexample: str = ""
    matrices: Matrices | None = None
    test: str = ""
    reason: str = ""
    traceback: str = ""
    source: str = ""
    curve: Curve | None = None
    heat: Heat | None = None
    taylor: Taylor | None = None
    basis: Basis = "measured"
    proof: Proof | None = None

    @property
    def resolution(self) -> float:
        """The smallest error that would have been found, relative to the scale: at the median point, in float64."""
        fine = [p for p in self.points if p.dtype == "float64"] or self.points
        found = sorted(p.resolution / p.scale for p in fine if p.scale > 0 and p.verdict == "correct")
        return found[len(found) // 2] if found else math.nan

    def __repr__(self) -> str:
        return _line(f"<{self.name}: {said(self.verdict, self.reach, self.where)}>")


@dataclass(frozen=True, eq=False)
class ContractResult(Data):
    """One thing that a derivative must also respect (determinism, linearity, …).

    "noted": worth knowing, and makes nobody's derivative wrong (a gradient in more digits than asked for).
    """

    name: str
    verdict: Literal["kept", "broken", "noted", "not tried"]
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Note(Data):
    """True, worth a line, and nobody's mark. `about`: a claim or method, or "forward" for a fault of forward itself."""

    about: str
    text: str


@dataclass(frozen=True, eq=False)
class Unjudged(Data):
    """Something that looks like a derivative (or a weight without one) and was not judged, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Branch(Data):
    """A place where forward or a claim decides: its `text`, and in words what was `taken` at some point and what not.

    `column` tells two decisions on one line apart.
    """

    file: str
    line: int
    column: int
    text: str
    taken: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Source(Data):
    """A function of the checked code that ran: its lines from line `first`, and how often each ran (−1: no code)."""

    name: str
    file: str
    first: int
    lines: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Variant(Data):
    """A setting, mode, shape, memory layout or kind of labels or data that was tried beside the usual ones.

    `where`: in words ("with padding=1"). `outcome`: "right", "wrong"; "refused" where a claim cannot be asked; "not
    tried" where no calls were left for it.
    """

    kind: str
    where: str
    outcome: str


@dataclass(frozen=True, eq=False)
class Coverage(Data):
    """Which branches of forward and of the claims were taken, over all points; what ran; and which variants of
    settings, shapes and data were tried.
    """

    branches: tuple[Branch, ...] = ()
    sources: tuple[Source, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def outcomes(self) -> int:
        """The number of outcomes that there are."""
        return self.taken + sum(len(one.missing) for one in self.branches)

    @property
    def taken(self) -> int:
        """The number of outcomes that were seen."""
        return sum(len(one.taken) for one in self.branches)


@dataclass(frozen=True, eq=False, repr=False)
class ComponentResult(Data):
    """Everything that was found about one subject; true where `verdict` passes (correct, waived, a convention).

    `name`: dotted; `source`: `"path/of/file.py:line"`, relative to where the check ran. `reach` and `where` are those
    of the claim that reaches farthest. `doc`: its docstring. `reason`: why it was not checked. `reading`: how its code
    was read ("backward(upstream)"). `calls`, `rows`: how often forward was called, and on how many rows, by stage.
    `structures`: what was found about each variable's Jacobian. `coverage`: which branches were taken. `versions`: of
    gradcheck, NumPy and Python. `declares`: by which names the checked code said how it is to be checked.
    """

    name: str
    source: str
    verdict: Verdict
    reach: Reach | None = None
    where: str = ""
    doc: str = ""
    reason: str = ""
    reading: str = ""
    seed: int = 0
    claims: tuple[ClaimResult, ...] = ()
    contract: tuple[ContractResult, ...] = ()
    notes: tuple[Note, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    rows: tuple[tuple[str, int], ...] = ()
    structures: tuple[tuple[str, str], ...] = ()
    coverage: Coverage = Coverage()
    versions: tuple[tuple[str, str], ...] = ()
    declares: tuple[str, ...] = ()
    schema: int = SCHEMA

    def __bool__(self) -> bool:
        return self.verdict in PASSING

    def __repr__(self) -> str:
        return _line(f"<gradcheck: {self.name} is {said(self.verdict, self.reach, self.where)}>")

    def __str__(self) -> str:
        from gradcheck.report import terminal

        return terminal.text_of(self)

    def _repr_html_(self) -> str:
        from gradcheck.report import notebook

        return notebook.fragment(self)


def said(verdict: Verdict, reach: Reach | None = None, where: str = "") -> str:
    """Return a verdict with how far it reaches.

    >>> said("wrong", "an edge", "at ties"), said("wrong", "everywhere"), said("correct")
    ('wrong at ties', 'wrong everywhere', 'correct')
    """
    return f"{verdict} {where or reach}" if reach is not None else verdict


def _line(text: str) -> str:
    return cut(" ".join(text.split()), 200)


def from_json(text: str) -> ComponentResult:
    """Read a `ComponentResult` (ValueError where the text is of another schema or malformed)."""
    return from_data(json.loads(text))


def from_data(data: object) -> ComponentResult:
    """The same of what JSON holds."""
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else None
        raise ValueError(f"expected a result of schema {SCHEMA}, but found {found!r}: run the check again")
    try:
        return typing.cast(ComponentResult, typed(data, ComponentResult))
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"expected a result of schema {SCHEMA}, but a field is malformed: {error}") from error
