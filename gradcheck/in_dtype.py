"""What is known of a point in one dtype, as a value that is made once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.errors import told
from gradcheck.problem import Array, Values
from gradcheck.sampling import Point

# Outputs that differ by more than this share of the largest one may come from different branches.
BRANCH = 1e-3

# At an edge nothing is asked of a short type in which forward is off by more than this many of its eps.
IMPRECISE = 64


@dataclass(frozen=True)
class InDtype:
    """A point as the claims see it.

    `dtype`: the one that was asked for; `given`: the values in it, laid out in memory as the point wants; `name`: the
    dtype in words of a result (an integer one where whole numbers are handed over). `precision`: the coarsest type
    that a claim meets. `refusal`: why nothing can be claimed, "" if it can. `other`: forward may be on another branch
    than in float64; `lost`: the share of its largest output by which it is off; `rounds`, `widens`: it answers in a
    shorter (a wider) type than it was given. `whole`: whole numbers are handed over.
    """

    dtype: str
    given: Values
    name: str
    precision: str
    refusal: str = ""
    other: bool = False
    lost: float = 0.0
    rounds: bool = False
    widens: bool = False
    whole: bool = False

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
    given = _given(point, dtype)
    whole = [name for name in given if given[name].dtype.kind in "iub" and point.values[name].dtype.kind == "f"]
    precision = point.precision(dtype)
    name = given[whole[0]].dtype.name if whole else dtype
    try:
        outputs = [np.asarray(output) for output in point.problem.forward(given)]
    except Exception as error:  # a layer may refuse integers, say
        return InDtype(dtype, given, name, precision, f"forward raised {told(error)}")
    # A layer may compute in float32 whatever it is given, as PyTorch does on integers: no claim can be held to more.
    asked, answers = float(np.finfo(precision).eps), [o.dtype.name for o in outputs if o.dtype.kind == "f"]
    precision = min((precision, *answers), key=lambda one: np.finfo(one).precision)
    rounds, widens = (any(sign * np.finfo(one).eps > sign * asked for one in answers) for sign in (1, -1))
    flat = np.concatenate([output.astype(float).ravel() for output in outputs])
    if not np.isfinite(flat).all():
        return InDtype(dtype, given, name, precision, f"forward is not finite in {name} here, so it has no derivative")
    off, largest = float(np.abs(flat - exact).max(initial=0.0)), float(np.abs(exact).max(initial=0.0))
    refusal = ""
    usual = IMPRECISE * max(float(np.finfo(precision).eps), float(np.finfo(float).eps))
    if point.special and off > min(BRANCH, usual) * largest:
        refusal = f"forward in {name} is not what it is in float64 here"
    lost = off / largest if largest else 0.0
    return InDtype(dtype, given, name, precision, refusal, off > BRANCH * largest, lost, rounds, widens, bool(whole))


def _given(point: Point, dtype: str) -> dict[str, Array]:
    """The values as the claims get them: in `dtype`, and the inputs in the point's memory layout."""
    inputs = {v.name for v in point.problem.variables if v.role == "input"}
    cast = {name: _cast(value, point.types.get(name, dtype)) for name, value in point.values.items()}
    return {name: point.arrange(value) if name in inputs else value for name, value in cast.items()}


def _cast(value: Array, dtype: str) -> Array:
    return value.astype(dtype) if value.dtype.kind == "f" else value
