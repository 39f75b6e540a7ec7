"""The derivative along a direction over several variables: a Jacobian-vector product with a bound, and its two sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.numerical.evaluation.evaluate import Forward
from gradcheck.numerical.jacobian import estimate
from gradcheck.problem import Array, Values

Domains = Mapping[str, tuple[float, float] | None]
Bounded = list[tuple[Array, Array]]  # value and bound of every output, in its shape


def directional(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> Bounded:
    """Return `(value, bound)` of the derivative of every output along `tangents`, in the outputs' shapes.

    The derivative is that of t ↦ forward(values + t · tangents) at 0. A variable without a tangent is held fixed.
    Where the two sides differ (a kink) or nothing could be estimated, the bound says so: it reaches both sides, or is
    infinite.
    """
    found, unit = _along(forward, values, tangents, domains, seed)
    value, bound = found.value[0], found.bound[0]
    if found.kink is not None and found.left is not None and found.right is not None:
        bound = bound + np.where(found.kink[0], np.abs(found.right[0] - found.left[0]) / 2, 0)
    return _split(found, value / unit, bound / unit)


def one_sided(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> tuple[Bounded, Bounded]:
    """Return the derivatives along `tangents` for t below 0 and above: `(left, right)`, each `(value, bound)` by output.

    At a kink that several entries share (a maximum's tie, a sum of absolute values) these differ, and a claim times the
    direction has to lie between them. An infinite one-sided derivative is ±∞ with an infinite bound; so is the bound of
    a side on which f is not known.
    """
    found, unit = _along(forward, values, tangents, domains, seed)
    value, bound = found.value[0], found.bound[0]
    left, right, bounds = value, value, [bound, bound]
    if found.kink is not None and found.left is not None and found.right is not None:
        split = found.kink[0] | (found.infinite != 0).any(axis=0)[0] if found.infinite is not None else found.kink[0]
        left, right = np.where(split, found.left[0], value), np.where(split, found.right[0], value)
    if found.one_sided is not None:
        bounds = [np.where(found.one_sided[0] == sign, np.inf, bound) for sign in (1, -1)]
    return _split(found, left / unit, bounds[0] / unit), _split(found, right / unit, bounds[1] / unit)


def _along(
    forward: Forward, values: Values, tangents: Values, domains: Domains | None, seed: int
) -> tuple[Estimate, float]:
    """Return the estimate by t, in units of a step that moves entries by about their own size."""
    unit = size(values, tangents)

    def along(at: Values) -> list[Array]:
        t = at["t"] * unit
        moved = {name: (values[name] + t * tangent).astype(values[name].dtype) for name, tangent in tangents.items()}
        return forward({**values, **moved})

    low, high = room(values, tangents, domains or {})
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


def _split(found: Estimate, value: Array, bound: Array) -> Bounded:
    """Return values and bounds by output, in its shape."""
    ends = np.cumsum([int(np.prod(shape)) for shape in found.output_shapes])[:-1]
    parts = zip(np.split(value, ends), np.split(bound, ends), found.output_shapes, strict=True)
    return [(v.reshape(shape), b.reshape(shape)) for v, b, shape in parts]


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
