"""Sizes and values drawn by Hypothesis, steered to large errors and to decisions that were not taken, and shrunk."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings, target
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import Flaky
from hypothesis.extra import numpy as hnp

from gradcheck.branches.aim import numbers
from gradcheck.branches.coverage import Coverage
from gradcheck.check import check_at
from gradcheck.errors import CannotBuild
from gradcheck.fuzz.kept import Kept
from gradcheck.problem import Array, Problem, Sizes, Subject, Variable
from gradcheck.report.store import stem
from gradcheck.sampling import Point, draw

# Points of one run of Hypothesis: its targets and its database carry over to the next.
EXAMPLES = 100
# What all entries of a variable are multiplied with, mostly with 1.
SCALES = (1.0, 1.0, 1.0, 1.0, 1e-3, 1e3, 1e6)


class _Wrong(Exception):
    """A claim is wrong: what Hypothesis makes smaller."""


class Search:
    """Looks for a point at which a claim of `subject` is wrong; `folder` holds Hypothesis' database."""

    def __init__(self, subject: Subject, name: str, folder: Path) -> None:
        self.subject = subject
        self.database = DirectoryBasedExampleDatabase(folder / "hypothesis" / stem(name))
        problem = subject.build(Sizes(), np.random.default_rng(0))
        self.problems: dict[Sizes, Problem | None] = {Sizes(): problem}
        self.coverage = Coverage(subject.code)
        self.coverage.visit(problem, {v.name: self._drawn(v, 0) for v in problem.variables})
        self.numbers: list[float] = []
        self.tried = 0
        self.found: Kept | None = None

    def run(self, seconds: float) -> Kept | None:
        """Search until something is wrong, and return the smallest example; None if time is over."""
        self.end = time.monotonic() + seconds
        runs = 0
        while self.found is None and time.monotonic() < self.end:
            self.numbers = numbers(self.coverage.seen.thresholds)  # the same for all draws of a run
            runs += 1
            with contextlib.suppress(_Wrong, Flaky):  # code that answers otherwise the next time is no smaller example
                self._run(steered=runs % 2 == 0)
        return self.found

    def _run(self, steered: bool) -> None:
        """One run of Hypothesis: every other one is steered, the rest go where nothing leads."""

        @settings(
            max_examples=EXAMPLES,
            database=self.database,
            deadline=None,
            phases=(Phase.reuse, Phase.generate, *([Phase.target] if steered else []), Phase.shrink),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        @given(st.data())
        def tries(data: st.DataObject) -> None:
            self._try(data)

        tries()

    def _problem(self, sizes: Sizes) -> Problem | None:
        """The problem of these sizes, None where the component cannot have them."""
        if sizes not in self.problems:
            try:
                self.problems[sizes] = self.subject.build(sizes, np.random.default_rng(0))
            except CannotBuild:
                self.problems[sizes] = None
        return self.problems[sizes]

    def _try(self, data: st.DataObject) -> None:
        few = st.integers(1, 6)
        sizes = Sizes() if self.subject.fixed else data.draw(st.builds(Sizes, few, few, few))
        problem = self._problem(sizes)
        assume(problem is not None)
        assert problem is not None
        values = {v.name: data.draw(self._of(v)) for v in problem.variables}
        if time.monotonic() > self.end and self.found is None:
            return
        self.tried += 1
        result = check_at(self.subject, Point("drawn by Hypothesis", problem, values, special=True))
        ratios = [at.ratio for claim in result.claims for at in claim.points if np.isfinite(at.ratio)]
        # In coarse steps: of a right claim, the rest is rounding, which leads nowhere.
        target(round(float(np.log2(1 + max(ratios, default=0.0))), 1), label="error ÷ tolerance")
        visit = self.coverage.visit(problem, values)
        target(float(len(visit.taken)), label="outcomes of decisions")
        if result.verdict == "wrong":
            self.found = Kept(sizes, values)
            raise _Wrong

    def _drawn(self, v: Variable, seed: int) -> Array:
        return np.asarray(draw.value(v, np.random.default_rng(seed), draw.generic))

    def _of(self, v: Variable) -> st.SearchStrategy[Any]:
        """Values of a variable: plain numbers, those that the code compares with and beside them; all of one scale."""
        if v.constant or v.data != "real" or v.domain is not None or v.example.dtype.kind != "f" or not v.example.size:
            return st.integers(0, 2**16).map(partial(self._drawn, v))
        if self.subject.examples:  # they say in which range numbers are
            low, high = (float(end) for end in (np.min(v.example), np.max(v.example)))
            return hnp.arrays(np.float64, v.example.shape, elements=st.floats(low, high))
        plain = st.integers(-32, 32).map(lambda eighths: eighths / 8)
        each = st.one_of(plain, st.sampled_from(self.numbers)) if self.numbers else plain
        arrays = hnp.arrays(np.float64, v.example.shape, elements=each)
        return st.builds(np.multiply, arrays, st.sampled_from(SCALES))
