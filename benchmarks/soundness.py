"""Does the bound hold, and is it tight? Estimates against derivatives known to 50 digits.

    python benchmarks/soundness.py [--entries 1000000] [--start 0] [--seed 0]

Draws cases from `generator.py`, differentiates each in high precision (`truth.py`) and by
`gradcheck.numerical.estimate`,
and counts entries whose error is above their bound, by operation, with a 95 % confidence limit on their share. Only
entries that the
structure touches are counted. An entry is unresolved where its bound is above 1e-6 of the scale (the largest
derivative at
that point, or |f| / |x| where all are zero). A point whose derivatives are all below 1e-6 |f| / |x| is skipped: in
float64
there is nothing to resolve.
"""

from __future__ import annotations

import argparse
import collections
import math
import time
from typing import Any

import numpy as np
from generator import COLUMNS, ROWS, Case, draw
from truth import MP, Exact, lift, slopes

from gradcheck.numerical import Estimate, estimate

Array = np.ndarray[Any, np.dtype[Any]]


def truth(case: Case) -> tuple[Array, Array]:
    """Return the dense Jacobian as an unevaluated sum of two matrices of doubles."""
    n = ROWS * COLUMNS
    if not case.mixes:
        high, low = slopes(case.formula(Exact, lift(case.x, np.ones((ROWS, COLUMNS)))))
        return np.diag(high), np.diag(low)
    high, low = np.zeros((n, n)), np.zeros((n, n))
    for j in range(COLUMNS):
        seed = np.zeros((ROWS, COLUMNS))
        seed[:, j] = 1
        h, l = slopes(case.formula(Exact, lift(case.x, seed)))
        for r in range(ROWS):
            rows = slice(r * COLUMNS, (r + 1) * COLUMNS)
            high[rows, r * COLUMNS + j], low[rows, r * COLUMNS + j] = h[rows], l[rows]
    return high, low


def judge(case: Case, found: Estimate, high: Array, low: Array) -> tuple[Array, Array, Array]:
    """Return the errors, the bounds and the scale of the entries that matter."""
    output = np.broadcast_to(np.arange(found.value.shape[1]), found.column.shape)
    touched = found.column >= 0
    if found.structure == "dense":
        touched &= high[output, found.column] != 0
    error = np.abs((found.value - high[output, found.column]) - low[output, found.column])
    certain = np.isfinite(found.bound) & (np.abs(found.value) > found.bound)
    f = np.abs(case.forward({"x": case.x})[0]).max()
    scale = np.abs(found.value[certain]).max(initial=0) or f / np.abs(case.x).max()
    return error[touched], found.bound[touched], np.full(int(touched.sum()), scale)


def limit(violations: int, entries: int) -> float:
    """Return the upper end of a 95 % confidence interval of a share (Wilson; 3/n for none)."""
    if violations == 0:
        return 3 / max(entries, 1)
    p, z = violations / entries, 1.96
    middle, spread = p + z * z / (2 * entries), z * math.sqrt(p * (1 - p) / entries + z * z / (4 * entries**2))
    return (middle + spread) / (1 + z * z / entries)


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    MP.dps = 50
    ratios: list[Array] = []
    entries = unresolved = violations = resolved_violations = skipped = 0
    by_operation: collections.Counter[str] = collections.Counter()
    wrong_by_operation: collections.Counter[str] = collections.Counter()
    number, begun = options.start, time.perf_counter()
    while entries < options.entries:
        case = draw(np.random.default_rng([options.seed, number]))
        number += 1
        high, low = truth(case)
        if np.abs(high).max() < 1e-6 * np.abs(case.forward({"x": case.x})[0]).max() / np.abs(case.x).max():
            skipped += 1
            continue
        with np.errstate(all="ignore"):
            error, bound, scale = judge(case, estimate(case.forward, {"x": case.x}, "x"), high, low)
            resolved = bound <= 1e-6 * scale
            wrong = ~(error <= bound) & np.isfinite(bound)
        entries += error.size
        unresolved += int((~resolved).sum())
        violations += int(wrong.sum())
        resolved_violations += int((wrong & resolved).sum())
        ratios.append((bound / scale)[resolved])
        for name in set(case.program):
            by_operation[name] += error.size
            wrong_by_operation[name] += int(wrong.sum())
        if wrong.any():
            worst = float((error / scale)[wrong].max())
            print(
                f"case {number - 1} {' · '.join(case.program)}: {int(wrong.sum())} violations, "
                f"up to {worst:.1e} of the scale",
                flush=True,
            )
        if number % 500 == 0:
            print(
                f"… {number} cases, {entries} entries, {violations} violations, {time.perf_counter() - begun:.0f} s",
                flush=True,
            )
    ratio = np.concatenate(ratios)
    print(f"{entries} entries of {number - options.start} cases ({skipped} skipped), seed {options.seed}")
    print(
        f"violations: {violations} ({resolved_violations} of them resolved), "
        f"share at most {limit(violations, entries):.1e} (95 %)"
    )
    print(f"unresolved: {unresolved / entries:.2%}")
    print(f"bound / scale: median {np.median(ratio):.1e}, 99th percentile {np.quantile(ratio, 0.99):.1e}")
    for name, count in sorted(by_operation.items()):
        wrong_here = wrong_by_operation[name]
        print(f"  {name:20s} {count:8d} entries, {wrong_here:5d} violations, at most {limit(wrong_here, count):.1e}")


if __name__ == "__main__":
    main()
