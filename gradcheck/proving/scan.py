"""A claim of a function that acts entry by entry, over a whole interval: the digits that it keeps, and boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import exact
from gradcheck.evaluated import Evaluated
from gradcheck.problem import Array, Method, Values
from gradcheck.results import Boxes, Kept

# The interval, where the variable has no narrower domain, and how far from the ends of one it stays.
LOW, HIGH = -40.0, 40.0
INSIDE = 2.0**-10
PLACES = 80
# The most boxes, the least share of the interval that one is cut to, and the difference that is looked for: 0.3 s.
MOST, FINEST, WITHIN = 300, 2.0**-9, 1e-9
DTYPES = ("float64", "float32")


def acts_by_entry(here: Evaluated, method: Method, name: str) -> bool:
    """Whether the only output has an entry for each of the variable's, which depends on it alone, and the claim too."""
    column, shape = here.estimate(name).column, np.shape(here.point.values[name])
    if here.shapes != [shape] or len(column) != 1 or not np.array_equal(column[0], np.arange(column.shape[1])):
        return False
    if method.kind == "jvp" or here.point.problem.variable(name).data != "real":
        return False
    return bool(np.shape(_slopes(method, name, here.point.values)) == shape)


def scan(here: Evaluated, method: Method, name: str) -> tuple[tuple[Kept, ...], Boxes | None]:
    """The digits kept by x, in each dtype, and the boxes; nothing of what cannot be run exactly."""
    low, high = here.problem.variable(name).domain or (-np.inf, np.inf)
    low, high = max(LOW, low + INSIDE), min(HIGH, high - INSIDE)
    values = here.point.values
    # Between the places where code decides, as a rule; the same numbers in every type.
    places = np.linspace(low, high, PLACES, endpoint=False) + (high - low) / (3 * PLACES)
    places = places.astype(np.float32).astype(float)
    try:
        right = _over(places, values, name, lambda filled: _exact_slopes(here, method, name, filled))
        kept = tuple(_kept(method, name, values, places, right, dtype) for dtype in DTYPES)
        found = exact.box(
            here.problem.forward,
            lambda filled: lambda cotangents: [_slopes(method, name, filled, cotangents)],
            values,
            name,
            low,
            high,
            within=WITHIN,
            most=MOST,
            finest=FINEST,
        )
    except exact.NotExact:
        return (), None
    parts = [tuple((one.low, one.high) for one in some) for some in (found.equal, found.different, found.undecided)]
    return kept, Boxes(low, high, WITHIN, *parts)


def _slopes(method: Method, name: str, values: Values, cotangents: Any = None) -> Any:
    """What the claim says for a cotangent of ones."""
    ones = [np.ones_like(values[name])] if cotangents is None else cotangents
    return method.at(values)(ones if method.kind == "vjp" else [])[method.wrt.index(name)]


def _exact_slopes(here: Evaluated, method: Method, name: str, values: Values) -> Array:
    asked = exact.ask(here.problem, method, values, here.shapes, np.ones((1, here.flat.size)))
    return np.asarray(asked.rows[name][0])


def _over(places: Array, values: Values, name: str, said: Any) -> Array:
    """Put places into the variable's entries, as many at a time as there are, and collect what is said of them."""
    shape = np.shape(values[name])
    size = max(int(np.prod(shape)), 1)
    padded = np.append(places, np.repeat(places[-1:], -len(places) % size))
    parts = [np.ravel(said({**values, name: part.reshape(shape)})) for part in padded.reshape(-1, size)]
    return np.concatenate(parts)[: len(places)]


def _kept(method: Method, name: str, values: Values, places: Array, right: Array, dtype: str) -> Kept:
    typed = {key: value.astype(dtype) if value.dtype.kind == "f" else value for key, value in values.items()}
    slopes = _over(places.astype(dtype), typed, name, lambda filled: _slopes(method, name, filled))
    smallest, most = float(np.finfo(dtype).tiny), float(np.finfo(dtype).precision)
    shown = [
        (x, most if slope == 0 and ball == 0 else min(most, exact.digits(float(slope), ball, float(abs(ball)))))
        for x, slope, ball in zip(places.tolist(), slopes, right, strict=True)
        if ball == 0 or (ball.is_finite() and float(abs(ball)) >= smallest)
    ]
    return Kept(dtype, tuple(x for x, _ in shown), tuple(round(digits, 1) for _, digits in shown))
