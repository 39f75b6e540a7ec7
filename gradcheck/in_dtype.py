"""What is known of a point in one dtype, as a value that is made once."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from gradcheck import callbacks
from gradcheck.errors import told
from gradcheck.guarded import TooLong, in_time
from gradcheck.problem import Array, Values
from gradcheck.replaced import precision_of_numpy
from gradcheck.sampling import Point

# Outputs that differ by more than this share of the largest one may come from different branches.
BRANCH = 1e-3

# At an edge nothing is asked of a short type in which forward is off by more than this many of its eps.
IMPRECISE = 64

# An iteration to fifteen digits never ends in float32: it is given so many seconds of computing.
LONGEST = 5.0
ENDLESS = f"forward does not end within {LONGEST:g} s"


@dataclass(frozen=True)
class InDtype:
    """A point as the claims see it.

    `dtype`: the one that was asked for; `name`: the dtype in words of a result (an integer one where whole numbers are
    handed over). `precision`: the coarsest type that a claim meets. `refusal`: why nothing can be claimed, "" if it
    can. `other`: forward may be on another branch than in float64; `lost`: the share of its largest output by which it
    is off; `rounds`, `widens`: it answers in a shorter (a wider) type than it was given. `whole`: whole numbers are
    handed over.
    """

    point: Point
    dtype: str
    name: str
    precision: str
    refusal: str = ""
    other: bool = False
    lost: float = 0.0
    rounds: bool = False
    widens: bool = False
    whole: bool = False

    def given(self) -> Values:
        """The values in this type, laid out in memory as the point wants; made anew, for who gets them may write."""
        inputs = {v.name for v in self.point.problem.variables if v.role == "input"}
        cast = {name: _cast(value, self.point.types.get(name, self.dtype)) for name, value in self.point.values.items()}
        return {name: self.point.arrange(value) if name in inputs else value for name, value in cast.items()}

    @property
    def short(self) -> bool:
        """Whether this is a shorter type than float64, in which a claim may lose more."""
        return self.precision != "float64"


def in_own_types(point: Point, dtype: str, exact: Array) -> InDtype:
    """The same with every weight in the type that its class gave it, which may insist on that."""
    weights = {v.name: v.example.dtype for v in point.problem.variables if v.role == "weight"}
    own = {name: kind.name for name, kind in weights.items() if kind.kind == "f"}
    return in_dtype(replace(point, types={**own, **point.types}), dtype, exact)


def in_dtype(point: Point, dtype: str, exact: Array) -> InDtype:
    """Return what is known of `point` in `dtype`; `exact` are forward's outputs in float64, flat."""
    known = InDtype(point, dtype, dtype, point.precision(dtype))
    given = known.given()
    whole = [name for name in given if given[name].dtype.kind in "iub" and point.values[name].dtype.kind == "f"]
    if whole:
        known = replace(known, whole=True, name=given[whole[0]].dtype.name)
    try:
        limit = in_time(LONGEST) if known.short else nullcontext()
        with limit, callbacks.raising() if dtype == "longdouble" else nullcontext():
            outputs = [np.asarray(output) for output in point.problem.forward(given)]
    except TooLong:
        return replace(known, refusal=f"{ENDLESS} in {known.name}")
    except Exception as error:  # a layer may refuse integers, say
        return replace(known, refusal=f"forward raised {told(error)}")
    flat = np.concatenate([output.astype(float).ravel() for output in outputs])
    if not np.isfinite(flat).all():
        return replace(known, refusal=f"forward is not finite in {known.name} here, so it has no derivative")
    asked, answers = float(np.finfo(known.precision).eps), [o.dtype.name for o in outputs if o.dtype.kind == "f"]
    rounds, widens = (any(sign * np.finfo(one).eps > sign * asked for one in answers) for sign in (1, -1))
    # A layer may compute in float32 whatever it is given, as PyTorch does on integers: no claim can be held to more.
    precision = min((known.precision, precision_of_numpy(), *answers), key=lambda one: np.finfo(one).precision)
    off, largest = float(np.abs(flat - exact).max(initial=0.0)), float(np.abs(exact).max(initial=0.0))
    usual = IMPRECISE * max(float(np.finfo(precision).eps), float(np.finfo(float).eps))
    too_far = point.special and off > min(BRANCH, usual) * largest
    return replace(
        known,
        precision=precision,
        refusal=f"forward in {known.name} is not what it is in float64 here" if too_far else "",
        other=off > BRANCH * largest,
        lost=off / largest if largest else 0.0,
        rounds=rounds,
        widens=widens,
    )


def _cast(value: Array, dtype: str) -> Array:
    return value.astype(dtype) if value.dtype.kind == "f" else value
