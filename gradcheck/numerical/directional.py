"""The derivative along a direction over several variables: J · v with a bound, and its two sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.numerical.evaluation.evaluate import Forward
from gradcheck.numerical.jacobian import estimate
from gradcheck.problem import Array, Values

Domains = Mapping[str, tuple[float, float] | None]


def directional(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> list[tuple[Array, Array]]:
    """Return `(value, bound)` of the derivative of every output along `tangents`, in the outputs' shapes.

    The derivative is that of t ↦ forward(values + t · tangents) at 0. A variable without a tangent is held fixed.
    Where the two sides differ (a kink) or nothing could be estimated, the bound says so: it reaches both sides, or is
    infinite.
    """
    found, unit = _along(forward, values, tangents, domains or {}, seed)
    low, high = _ends(found)
    value, bound = (low + high) / 2, found.bound[0] + (high - low) / 2
    ends = np.cumsum([int(np.prod(shape)) for shape in found.output_shapes])[:-1]
    parts = zip(np.split(value / unit, ends), np.split(bound / unit, ends), found.output_shapes, strict=True)
    return [(v.reshape(shape), b.reshape(shape)) for v, b, shape in parts]


def sides(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> tuple[Array, Array, Array]:
    """Return `(low, high, bound)`, flat over all outputs: the ends of the one-sided derivatives along `tangents`.

    At a kink that several entries share (a maximum's tie, a sum of absolute values) a claim times the direction has to
    lie between them. They are the same where f is smooth along that line. The bound is infinite where nothing could be
    estimated, or where f is known on one side only.
    """
    found, unit = _along(forward, values, tangents, domains or {}, seed)
    low, high = _ends(found)
    bound = found.bound[0] if found.one_sided is None else np.where(found.one_sided[0], np.inf, found.bound[0])
    return low / unit, high / unit, bound / unit


def is_steep(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> bool:
    """Whether f jumps along `tangents` or its derivative along them is infinite: then it has none at this point."""
    found, _ = _along(forward, values, tangents, domains or {}, seed)
    return bool(found.infinite is not None or (found.jump is not None and found.jump.any()))


def _ends(found: Estimate) -> tuple[Array, Array]:
    value = found.value[0]
    if found.kink is None or found.left is None or found.right is None:
        return value, value
    kink, left, right = found.kink[0], found.left[0], found.right[0]
    return np.where(kink, np.minimum(left, right), value), np.where(kink, np.maximum(left, right), value)


def _along(forward: Forward, values: Values, tangents: Values, domains: Domains, seed: int) -> tuple[Estimate, float]:
    """Return the estimate by t in units of a step that moves entries by about their own size, and that step."""
    unit = size(values, tangents)

    def along(at: Values) -> list[Array]:
        t = at["t"] * unit
        moved = {name: (values[name] + t * tangent).astype(values[name].dtype) for name, tangent in tangents.items()}
        return forward({**values, **moved})

    low, high = room(values, tangents, domains)
    found = estimate(along, {"t": np.array(0.0)}, "t", domain=(low / unit, high / unit), seed=seed)
    return found, unit


def size(values: Values, tangents: Values) -> float:
    """Return the step along the tangents that moves half of the entries that are not 0 by less than themselves.

    >>> size({"x": np.array([1.0, 0.0, 8.0])}, {"x": np.array([0.25, 1.0, 1.0])})
    4.0
    """
    steps = []
    for name, tangent in tangents.items():
        x, d = np.abs(np.broadcast_to(values[name], np.shape(tangent))), np.abs(np.asarray(tangent))
        moving = (d > 0) & (x > 0)
        steps.append((x[moving] / d[moving]).ravel())
    every = np.sort(np.concatenate(steps)) if steps else np.zeros(0)
    return float(every[(every.size - 1) // 2]) if every.size else 1.0


def room(values: Values, tangents: Values, domains: Domains) -> tuple[float, float]:
    """Return the open interval of t in which every moved variable stays inside its domain."""
    low, high = -np.inf, np.inf
    for name, tangent in tangents.items():
        domain = domains.get(name)
        moving = np.asarray(tangent) != 0
        if domain is None or not moving.any():
            continue
        x, d = np.broadcast_to(values[name], np.shape(tangent))[moving], np.asarray(tangent)[moving]
        ends = np.sort([(domain[0] - x) / d, (domain[1] - x) / d], axis=0)
        low, high = max(low, float(ends[0].max())), min(high, float(ends[1].min()))
    return low, high
