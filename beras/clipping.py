"""Gradients that are cut to size before an optimizer sees them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import number_between

Pair = tuple[Any, Array]


@dataclass(frozen=True)
class Clipping:
    """One of three ways; `limit` is the largest entry, the norm of a gradient, or the norm of all together."""

    way: str
    limit: float

    @classmethod
    def of(cls, who: str, **limits: float | None) -> Clipping | None:
        """Return the way that is chosen, if one is. Raises `ValueError` for several."""
        chosen = [(way, limit) for way, limit in limits.items() if limit is not None]
        if len(chosen) > 1:
            raise ValueError(f"{who} expects one way of clipping, got {' and '.join(way for way, _ in chosen)}")
        for way, limit in chosen:
            return cls(way, number_between(limit, who, way, 1e-300, math.inf))
        return None

    def clipped(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return parameters with their gradients cut to size: new arrays, where there is something to cut."""
        if self.way == "clipvalue":
            return [(parameter, np.clip(g, -self.limit, self.limit)) for parameter, g in pairs]
        norms = [float(np.linalg.norm(g)) for _, g in pairs]
        if self.way == "global_clipnorm":
            norms = [math.hypot(*norms)] * len(pairs)
        return [
            (p, g * g.dtype.type(self.limit / n) if n > self.limit else g)
            for (p, g), n in zip(pairs, norms, strict=True)
        ]
