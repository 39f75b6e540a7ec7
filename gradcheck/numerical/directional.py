"""The derivative along one direction: a Jacobian-vector product with a bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.numerical.evaluate import Forward
from gradcheck.numerical.jacobian import estimate
from gradcheck.problem import Array, Values

Domains = Mapping[str, tuple[float, float] | None]


def directional(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> list[tuple[Array, Array]]:
    """Return `(value, bound)` of the derivative of every output along `tangents`, in the outputs' shapes.

    The derivative is that of t ↦ forward(values + t · tangents) at 0. A variable without a tangent is held fixed.
    Where
    the two sides differ (a kink) or nothing could be estimated, the bound says so: it reaches both sides, or is
    infinite.
    """

    found = _along(forward, values, tangents, domains or {}, seed)
    sizes = np.cumsum([int(np.prod(shape)) for shape in found.output_shapes])[:-1]
    value, bound = np.split(found.value[0], sizes), np.split(found.bound[0], sizes)
    return [(v.reshape(shape), b.reshape(shape)) for v, b, shape in zip(value, bound, found.output_shapes, strict=True)]


def sides(
    forward: Forward, values: Values, tangents: Values, *, domains: Domains | None = None, seed: int = 0
) -> tuple[Array, Array, Array]:
    """Return `(low, high, bound)`, flat over all outputs: the ends of the one-sided derivatives along `tangents`.

    They are the same where f is smooth along that line. The bound is infinite where nothing could be estimated.
    """
    found = _along(forward, values, tangents, domains or {}, seed)
    value, bound = found.value[0], found.bound[0]
    if found.kink is None or found.left is None or found.right is None:
        return value, value, bound
    kink, left, right = found.kink[0], found.left[0], found.right[0]
    return np.where(kink, np.minimum(left, right), value), np.where(kink, np.maximum(left, right), value), bound


def _along(forward: Forward, values: Values, tangents: Values, domains: Domains, seed: int) -> Estimate:
    def along(at: Values) -> list[Array]:
        t = at["t"]
        moved = {name: (values[name] + t * tangent).astype(values[name].dtype) for name, tangent in tangents.items()}
        return forward({**values, **moved})

    return estimate(along, {"t": np.array(0.0)}, "t", domain=room(values, tangents, domains), seed=seed)


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
