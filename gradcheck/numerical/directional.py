"""The derivative along one direction: a Jacobian-vector product with a bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

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

    def along(at: Values) -> list[Array]:
        t = at["t"]
        moved = {name: (values[name] + t * tangent).astype(values[name].dtype) for name, tangent in tangents.items()}
        return forward({**values, **moved})

    found = estimate(along, {"t": np.array(0.0)}, "t", domain=room(values, tangents, domains or {}), seed=seed)
    sizes = np.cumsum([int(np.prod(shape)) for shape in found.output_shapes])[:-1]
    value, bound = np.split(found.value[0], sizes), np.split(found.bound[0], sizes)
    return [(v.reshape(shape), b.reshape(shape)) for v, b, shape in zip(value, bound, found.output_shapes, strict=True)]


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
