"""Does the bound hold, and is it tight? Estimates against derivatives known to 50 digits.

    python benchmarks/soundness.py [--entries 1000000] [--beras 50000] [--seed 0] [--jobs 1] [--cases 12,345]
                                   [--output reports/data/soundness.json]

Draws functions from `generator.py`, and Beras' own from `beras_cases.py`, differentiates each in high precision
(`truth.py`) and by `gradcheck.numerical.estimate`, and counts the entries whose error is above their bound, by
function, with a 95 % confidence limit on their share. An entry is unresolved where its bound is above 1e-6 of the
scale (the largest derivative at that point, or |f| / |x| where all are zero); violations are counted with and without
these.

Only entries that the structure touches are counted (of a dense one, those whose derivative is not zero). A point whose
derivatives are all below 1e-6 |f| / |x| is skipped: in float64 there is nothing to resolve. `--cases` runs single
numbers again.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import beras_cases
import generator
import numpy as np
from truth import MP

from gradcheck.numerical import Estimate, estimate

Array = np.ndarray[Any, np.dtype[Any]]
DRAW = {"generator": generator.draw, "Beras": beras_cases.draw}
RESOLVED = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What became of the entries of one case: true error, bound and scale of each."""

    source: str
    number: int
    program: tuple[str, ...]
    error: Array
    bound: Array
    scale: float

    @property
    def resolved(self) -> Array:
        """Which entries have a bound that says something."""
        return self.bound <= RESOLVED * self.scale

    @property
    def wrong(self) -> Array:
        """Which entries break their bound."""
        return ~(self.error <= self.bound) & np.isfinite(self.bound)


def run(task: tuple[str, int, int]) -> Outcome | None:
    """Judge case `(source, seed, number)`; None where it is skipped."""
    MP.dps = 50
    source, seed, number = task
    case = DRAW[source](np.random.default_rng([seed, number]))
    try:
        high, low = case.truth()
    except ZeroDivisionError:  # to fifty digits a slope is 1 / 0: √(log(1 + eᵛ)) at v = −1000, say
        return None
    with np.errstate(all="ignore"):
        f, x = (np.abs(v).max(initial=0) for v in (case.forward(case.values)[0], case.values[case.wrt]))
        if source == "generator" and np.abs(high).max() < RESOLVED * f / x:
            return None
        found = estimate(case.forward, case.values, case.wrt, domain=case.domain)
        return Outcome(source, number, case.program, *_errors(found, high, low), _scale(found, float(f / (x or 1))))


def _errors(found: Estimate, high: Array, low: Array) -> tuple[Array, Array]:
    output = np.broadcast_to(np.arange(found.value.shape[1]), found.column.shape)
    touched = found.column >= 0
    if found.structure == "dense":
        touched &= high[output, found.column] != 0
    error = np.abs((found.value - high[output, found.column]) - low[output, found.column])
    return error[touched], found.bound[touched]


def _scale(found: Estimate, otherwise: float) -> float:
    certain = np.isfinite(found.bound) & (np.abs(found.value) > found.bound)
    return float(np.abs(found.value[certain]).max(initial=0)) or otherwise


class Tally:
    """Counts over all cases of one source."""

    def __init__(self) -> None:
        self.cases = self.skipped = self.entries = self.unresolved = 0
        self.by_function: dict[str, Array] = collections.defaultdict(lambda: np.zeros(3, dtype=int))
        self.violations = np.zeros(3, dtype=int)
        self.ratios: list[Array] = []

    def add(self, outcome: Outcome | None) -> None:
        """Count a case, and say so if it breaks a bound."""
        self.cases += 1
        if outcome is None:
            self.skipped += 1
            return
        wrong, resolved = outcome.wrong, outcome.resolved
        counts = np.array([outcome.error.size, wrong.sum(), (wrong & resolved).sum()])
        self.entries += outcome.error.size
        self.unresolved += int((~resolved).sum())
        self.violations += counts
        for name in set(outcome.program):
            self.by_function[name] += counts
        if outcome.scale:  # of a function that is 0 all over, a bound of 0 has no share
            self.ratios.append((outcome.bound / outcome.scale)[resolved])
        if wrong.any():
            beyond = float((outcome.error / outcome.bound)[wrong].max())
            worst = float(outcome.error[wrong].max() / outcome.scale)
            print(
                f"{outcome.source} {outcome.number} {' · '.join(outcome.program)}: {counts[1]} violations "
                f"({counts[2]} resolved), up to {beyond:.1f} × the bound, {worst:.1e} of the scale",
                flush=True,
            )

    def join(self, other: Tally) -> None:
        """Add another tally's counts."""
        for name in ("cases", "skipped", "entries", "unresolved", "violations"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, counts in other.by_function.items():
            self.by_function[name] += counts
        self.ratios += other.ratios

    def show(self, title: str) -> None:
        """Print the figures."""
        ratio = np.concatenate(self.ratios) if self.ratios else np.zeros(1)
        print(f"\n{title}: {self.entries} entries of {self.cases} cases ({self.skipped} skipped)")
        of = f"in {self.entries - self.unresolved} resolved entries"
        print(f"violations: {self.violations[2]} {of}, {self.violations[1]} in all, share at most ", end="")
        print(f"{limit(self.violations[2], self.entries):.1e} and {limit(self.violations[1], self.entries):.1e} (95 %)")
        print(f"unresolved: {self.unresolved / max(self.entries, 1):.2%}")
        print(f"bound / scale: median {np.median(ratio):.1e}, 99th percentile {np.quantile(ratio, 0.99):.1e}")
        for name, (entries, wrong, resolved) in sorted(self.by_function.items()):
            share = limit(wrong, entries)
            print(
                f"  {name:41s} {entries:8d} entries, {wrong:5d} violations ({resolved} resolved), at most {share:.1e}"
            )


def limit(violations: int, entries: int) -> float:
    """Return the upper end of a 95 % confidence interval of a share (Wilson; 3/n for none)."""
    if violations == 0:
        return 3 / max(entries, 1)
    p, z = violations / entries, 1.96
    middle, spread = p + z * z / (2 * entries), z * math.sqrt(p * (1 - p) / entries + z * z / (4 * entries**2))
    return float((middle + spread) / (1 + z * z / entries))


def outcomes(source: str, seed: int, numbers: Iterator[int], jobs: int) -> Iterator[Outcome | None]:
    """Judge cases in order, on several processes if `jobs` says so."""
    tasks = ((source, seed, number) for number in numbers)
    if jobs == 1:
        yield from map(run, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        while batch := list(itertools.islice(tasks, 100 * jobs)):
            yield from pool.map(run, batch, chunksize=5)


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the generator")
    parser.add_argument("--beras", type=int, default=50_000, help="entries of Beras")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cases", help="numbers of single cases, separated by commas")
    parser.add_argument("--output", type=Path, help="write the counts of both together there")
    options = parser.parse_args()
    begun, tallies = time.perf_counter(), {}
    for source, goal in (("Beras", options.beras), ("generator", options.entries)):
        tally = tallies[source] = Tally()
        if goal <= 0:
            continue
        numbers = iter(map(int, options.cases.split(","))) if options.cases else itertools.count(options.start)
        for outcome in outcomes(source, options.seed, numbers, options.jobs):
            tally.add(outcome)
            if tally.cases % 500 == 0:
                spent = time.perf_counter() - begun
                print(
                    f"… {tally.cases} cases, {tally.entries} entries, {tally.violations[1]} violations, {spent:.0f} s"
                )
            if tally.entries >= goal and not options.cases:
                break
    for source, tally in tallies.items():
        if tally.entries:
            tally.show(f"{source}, seed {options.seed}")
    if all(tally.entries for tally in tallies.values()):
        together = Tally()
        for tally in tallies.values():
            together.join(tally)
        together.by_function.clear()
        together.show("Together")
        if options.output:
            violations = int(together.violations[1])
            counts = {
                "entries": together.entries,
                "violations": violations,
                "share": limit(violations, together.entries),
            }
            options.output.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
