"""A cheap first look at a variant: a derivative along one direction, held against what is claimed there.

For a direction d and a cotangent u, uᵀJd is claimed as ⟨Jᵀu, d⟩. Two five-point quotients that both say the same are
enough; else it is measured with a bound. A wrong claim shows itself unless its error happens to vanish there; what does
is judged entry by entry by whoever asked, so that nothing is called wrong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from gradcheck.asking.claims import Answer, ask
from gradcheck.errors import told
from gradcheck.numerical.directional import directional, room, sides, size
from gradcheck.problem import Array, Method, Problem, Values

# What a sum of products may lose: this many eps of the sum of their sizes.
LOSES = 64 * float(np.finfo(float).eps)

# The steps of the quotients, as shares of the values, each half of the one before; and how near a claim is to them, as
# a share of its products.
STEPS, NEAR = (2.0**-10, 2.0**-11), 1e-11


@dataclass(frozen=True)
class Screened:
    """`outcome`: "not offered" where forward refuses or has no derivative; "refused" where a claim cannot be asked or
    answers in another shape, with the `message`; else whether it is worth a closer look ("suspicious", "right").
    `unreadable`: the answer has another shape. `infinite`: a suspicious claim is not finite."""

    outcome: Literal["not offered", "refused", "suspicious", "right"]
    message: str = ""
    unreadable: bool = False
    infinite: bool = False


def outputs(problem: Problem, values: Values) -> list[Array] | None:
    """What forward returns; None where it refuses, is random, or is not finite."""
    try:
        first, second = (problem.forward({name: np.array(v) for name, v in values.items()}) for _ in range(2))
        found = [np.asarray(one, dtype=float) for one in first]
        again = [np.asarray(one, dtype=float) for one in second]
    except Exception:  # the checked code takes no such values, or not in this setting
        return None
    if not all(one.size and np.isfinite(one).all() for one in found):
        return None
    return found if all(map(np.array_equal, found, again)) else None


def screen(problem: Problem, values: Values, seed: int) -> Screened:
    """Look at every claim of a problem at one point."""
    found = outputs(problem, values)
    if found is None:
        return Screened("not offered")
    rng = np.random.default_rng([seed, 11])
    shapes = [one.shape for one in found]
    upstream = _drawn(rng, sum(one.size for one in found))
    cotangents = [part.reshape(s) for part, s in zip(np.split(upstream, _ends(found)), shapes, strict=True)]
    outcome: Literal["right", "suspicious"] = "right"
    infinite = False
    measured: dict[tuple[str, ...], _Along] = {}
    for method in problem.methods:
        names = [n for n in method.wrt if not problem.variable(n).constant and values[n].dtype.kind == "f"]
        answers = _asked(problem, method, values, shapes, upstream)
        for name in names:
            if answers[name].status in ("raised", "unbound", "other types", "unreadable"):
                return Screened("refused", answers[name].message, answers[name].status == "unreadable")
        rows = {n: rows[0] for n in names if (rows := answers[n].rows) is not None}
        about = tuple(rows)
        if rows and about not in measured:
            measured[about] = _Along(problem, values, about, cotangents, rng)
        if rows and measured[about].differs(rows):
            outcome = "suspicious"
            infinite |= not all(np.isfinite(row).all() for row in rows.values())
    return Screened(outcome, infinite=infinite)


def is_smooth(problem: Problem, values: Values) -> bool:
    """Whether forward has no kink and no jump here along a line: else several numbers are derivatives of it."""
    rng = np.random.default_rng(16)
    moving = [v.name for v in problem.variables if not v.constant and values[v.name].dtype.kind == "f"]
    tangents = {name: _drawn(rng, values[name].size).reshape(values[name].shape) for name in moving}
    try:
        low, high, bound = sides(problem.forward, values, tangents)
    except Exception:  # beside the point forward may refuse
        return False
    return bool((low == high).all() and np.isfinite(bound).all())


def _ends(found: Sequence[Array]) -> list[int]:
    return [int(end) for end in np.cumsum([one.size for one in found])[:-1]]


def _drawn(rng: np.random.Generator, size: int) -> Array:
    """Numbers of either sign from ½ to 3/2: none is lost, and no two cancel."""
    return rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)


def _asked(
    problem: Problem, method: Method, values: Values, shapes: Sequence[tuple[int, ...]], upstream: Array
) -> dict[str, Answer]:
    row = np.ones((1, upstream.size)) if method.kind == "sum" else upstream[None, :]
    try:
        return ask(problem, method, lambda: _copies(values), shapes, dict.fromkeys(method.wrt, row), np.float64)
    except Exception as error:  # an answer that cannot even be read
        return {name: Answer(name, "raised", message=told(error)) for name in method.wrt}


def _copies(values: Values) -> dict[str, Array]:
    return {name: value.copy("K") for name, value in values.items()}


class _Along:
    """uᵀJd along a direction in which all variables of these names move together, measured as closely as is needed."""

    def __init__(
        self,
        problem: Problem,
        values: Values,
        names: Sequence[str],
        cotangents: Sequence[Array],
        rng: np.random.Generator,
    ) -> None:
        self.problem = problem
        self.values = values
        self.cotangents = cotangents
        self.domains = {name: problem.variable(name).domain for name in names}
        self.tangents = {n: _drawn(rng, values[n].size).reshape(values[n].shape) * _size(values[n]) for n in names}

    def differs(self, rows: dict[str, Array]) -> bool:
        """Whether a claim, which says these rows, differs from what is measured."""
        products = np.concatenate([row * self.tangents[name].ravel() for name, row in rows.items()])
        claimed, terms = float(products.sum()), float(np.abs(products).sum())
        if all(abs(claimed - quotient) <= NEAR * terms for quotient in self.quotients):
            return False
        if self.measured is None:
            return False
        value, bound = self.measured
        return not abs(claimed - value) <= bound + LOSES * (terms + abs(value))

    @cached_property
    def quotients(self) -> tuple[float, ...]:
        """(8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12 h for two steps; NaN where forward is not known so far."""
        unit = size(self.values, self.tangents)
        low, high = room(self.values, self.tangents, self.domains)
        if not low < -2 * STEPS[0] * unit < 2 * STEPS[0] * unit < high:
            return (np.nan,)
        try:
            difference = {h: self._difference(h * unit) for h in (2 * STEPS[0], *STEPS)}
            return tuple((8 * difference[h] - difference[2 * h]) / (12 * h * unit) for h in STEPS)
        except Exception:  # beside the point forward may refuse
            return (np.nan,)

    def _difference(self, step: float) -> float:
        """U · (f(x + step d) − f(x − step d))."""
        ahead, behind = (
            self.problem.forward({**self.values, **{n: self.values[n] + t * d for n, d in self.tangents.items()}})
            for t in (step, -step)
        )
        return sum(
            float((u * (np.asarray(a, dtype=float) - np.asarray(b, dtype=float))).sum())
            for u, a, b in zip(self.cotangents, ahead, behind, strict=True)
        )

    @cached_property
    def measured(self) -> tuple[float, float] | None:
        """The derivative and its bound; None where nothing is known."""
        try:
            along = directional(self.problem.forward, self.values, self.tangents, domains=self.domains)
        except Exception:  # beside the point forward may refuse
            return None
        value = sum(float((u * v).sum()) for u, (v, _) in zip(self.cotangents, along, strict=True))
        return value, sum(float((np.abs(u) * b).sum()) for u, (_, b) in zip(self.cotangents, along, strict=True))


def _size(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) or 1.0 if values.size else 1.0
