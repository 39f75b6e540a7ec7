"""A claim at one point, asked again with changed code: is it right there now?"""

from __future__ import annotations

import copy
import math
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.asking.claims import split
from gradcheck.asking.cotangents import Cotangents, basis
from gradcheck.comparing.judge import judge, right_answer
from gradcheck.comparing.shared import not_together
from gradcheck.evaluated import Evaluated
from gradcheck.problem import Array, Method

# A product with a cotangent may lose this many times what its parts may.
SLACK = 4.0

# Beyond this many entries a Jacobian is not looked at whole.
ENTRIES = 1_000_000


class Trial:
    """One claim at one point. `together`: what is wrong with it is what several kinked entries claim together."""

    def __init__(self, here: Evaluated, method: Method, name: str, dtype: str, together: bool = False) -> None:
        self.here = here
        self.method = method
        self.name = name
        self.known = here.in_dtype(dtype)
        self.together = together
        rng = np.random.default_rng([here.seed, 11])
        outputs = here.flat.size
        self.row = rng.choice([-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0], size=(1, outputs))
        if method.kind == "sum":
            self.row = np.ones((1, outputs))

    def ask(self) -> Array | None:
        """The answer to one question in which all outputs meet; None where none comes back."""
        answer = self.here.ask(self.method, self.known, dict.fromkeys(self.method.wrt, Cotangents(self.row, 1)))[
            self.name
        ]
        return None if answer.rows is None else answer.rows[0]

    def raw(self) -> Any:
        """The same as the code hands it back, before its layout is read."""
        given = self.known.given()
        if self.method.kind == "jvp":
            return list(self.method.at(given)([np.ones_like(given[name]) for name in self.method.wrt]))
        asked = split(self.row[0], self.here.shapes, self.known.dtype) if self.method.kind == "vjp" else []
        return copy.deepcopy(list(self.method.at(given)(asked))[self.method.wrt.index(self.name)])

    @cached_property
    def right(self) -> tuple[Array, Array] | None:
        """What the answer should be, and its tolerance; None where sides of a kink leave that open."""
        if self.together:
            return None
        if self.here.estimate(self.name).kink is not None:
            return None
        asked = basis(self.here.flat.size, self.method.kind)
        value, tolerance = right_answer(self.here, self.name, asked, self.known)
        weights = np.ones(len(value)) if self.method.kind == "sum" else self.row[0]
        with np.errstate(invalid="ignore"):
            return weights @ value, SLACK * (np.abs(weights) @ tolerance)

    def may_be_right(self) -> bool:
        """Whether the answer to one question is what it should be."""
        if self.right is None:
            return self.is_right()
        said = self.ask()
        if said is None:
            return False
        value, tolerance = self.right
        known = np.isfinite(tolerance) & np.isfinite(value)
        with np.errstate(invalid="ignore"):
            return bool(np.all((np.abs(said - value) <= tolerance)[known]))

    def is_right(self) -> bool:
        """Whether the claim is right, entry by entry."""
        if self.together:
            return not not_together(self.here, self.method, self.name, self.known)
        answer, asked = self.here.ask_entries(self.method, self.name, self.known)
        if answer.rows is None:
            return False
        return judge(self.here, self.method, self.name, answer.rows, asked, self.known).at.verdict != "wrong"

    def forward_is_unchanged(self) -> bool:
        """Whether forward still computes what it did, to the last bit."""
        try:
            outputs = self.here.problem.forward(self.here.point.values)
        except Exception:  # the change has broken it
            return False
        pairs = zip(outputs, self.here.outputs, strict=False)
        same = all(np.array_equal(np.asarray(a, dtype=float), b, equal_nan=True) for a, b in pairs)
        return len(outputs) == len(self.here.outputs) and same

    def ratio(self, said: Array | None) -> float:
        """The number that an answer is times the right one; NaN where it is no one number."""
        if said is None or self.right is None:
            return math.nan
        value, tolerance = self.right
        at = np.isfinite(value) & (np.abs(value) > tolerance)
        with np.errstate(all="ignore"):
            ratios = said[at] / value[at]
            same = ratios.size and np.all(np.abs(ratios - ratios[0]) <= 1e-6 * abs(ratios[0]))
        return float(ratios[0]) if same else math.nan
