"""What names and signatures leave open about how a layer is asked, found out by asking: never by what is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.ways import Way
from gradcheck.problem import Array

Arrays = Sequence[Array]


@dataclass(frozen=True)
class Trial:
    """A layer on trial: `outputs(arrays)`, and `gradient(arrays, upstream)` by its first input, on fresh twins."""

    way: Way
    given: Arrays
    outputs: Callable[[Arrays], list[Array]]
    gradient: Callable[[Arrays, Arrays], Array | None]
    rng: np.random.Generator

    def is_meant(self) -> bool:
        """Whether the way that is in doubt is the one that is meant; False where it cannot be asked."""
        try:
            with np.errstate(all="ignore"):
                if self.way.doubt == "has a usual value":
                    return self.outputs(self.given)[0].size != 1
                return self._takes_an_upstream_gradient()
        except Exception:  # other people's code
            return False

    def _takes_an_upstream_gradient(self) -> bool:
        """Whether the answer is linear in what is taken for the upstream gradient, and about the call before it."""
        outputs = self.outputs(self.given)
        g = [np.round(self.rng.normal(size=y.shape), 2) for y in outputs]
        one, two, none = (self.gradient(self.given, [k * a for a in g]) for k in (1.0, 2.0, 0.0))
        if one is None or two is None or none is None or not np.allclose(two, 2 * one) or none.any():
            return False
        if self.way.doubt == "labels once more":
            return True
        moved = [a * 0.75 if a.dtype.kind == "f" else a for a in self.given]
        other = self.gradient(moved, g)
        needs_the_call = other is None or not np.allclose(other, one)
        # What changes with its argument and with nothing else is no slope of something linear.
        return needs_the_call or all(
            np.allclose(0.75 * a, b) for a, b in zip(outputs, self.outputs(moved), strict=True)
        )

    def is_a_mean(self) -> bool:
        """Whether what is asked without an upstream gradient is about a mean over samples: it shrinks as they grow."""
        if self.way.takes_upstream or self.outputs(self.given)[0].size == 1:
            return False
        if any(not a.ndim or len(a) != len(self.given[0]) for a in self.given):
            return False
        try:
            with np.errstate(all="ignore"):
                one = self.gradient(self.given, ())
                two = self.gradient([np.concatenate([a, a]) for a in self.given], ())
        except Exception:  # other people's code, which may be made for one batch
            return False
        if one is None or two is None or not one.any() or not one.ndim or not two.ndim or len(two) != 2 * len(one):
            return False
        return np.allclose(2 * two[: len(one)], one, rtol=1e-9, atol=0)

    def reads_class_numbers(self, at: int) -> bool:
        """Whether input `at`, one-hot rows, is read as class numbers: these do as well, or soft labels are rounded."""
        labels = self.given[at]
        if labels.ndim != 2:
            return False
        upstream = [np.ones_like(y, dtype=float) for y in self.outputs(self.given)]
        soft = labels * 0.75 + 0.25 / labels.shape[1]
        for other in (labels.argmax(axis=1), soft):
            arrays = [other if n == at else a for n, a in enumerate(self.given)]
            try:
                with np.errstate(all="ignore"):
                    one, two = self.gradient(self.given, upstream), self.gradient(arrays, upstream)
                    alike = other is soft or _alike(self.outputs(arrays), self.outputs(self.given))
            except Exception:  # other people's code
                continue
            if alike and one is not None and two is not None and _alike([one], [two]):
                return True
        return False


def _alike(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(a.shape == b.shape and np.allclose(a, b) for a, b in zip(some, others, strict=True))
