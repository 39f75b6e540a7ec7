"""Kinks: exact ones classified, and 100,000 points next to one without a false alarm.

    python benchmarks/kinks.py [--points 100000] [--jobs 1]

A false alarm is a correct derivative outside of value ± bound (at a kink: outside of [left, right] ± bound).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from gradcheck.numerical import Estimate, estimate

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Any], Any]
ROWS, BATCH = 10, 500

# Name, function, place of the kink, derivative left and right of it.
KINKS: tuple[tuple[str, Function, float, float, float], ...] = (
    ("ReLU", lambda x: np.maximum(x, 0), 0.0, 0.0, 1.0),
    ("LeakyReLU", lambda x: np.where(x > 0, x, 0.3 * x), 0.0, 0.3, 1.0),
    ("abs", np.abs, 0.0, -1.0, 1.0),
    ("clip, lower end", lambda x: np.clip(x, 0.25, 4), 0.25, 0.0, 1.0),
    ("clip, upper end", lambda x: np.clip(x, -4, 0.25), 0.25, 1.0, 0.0),
    ("abs of difference", lambda x: np.abs(x - 3.0), 3.0, -1.0, 1.0),
)


def alarms(found: Estimate, truth: Array) -> int:
    """Count diagonal entries whose derivative is outside of what the estimate allows."""
    output = np.broadcast_to(np.arange(found.value.shape[1]), found.column.shape)
    own = found.column == output
    low = high = found.value
    if found.kink is not None and found.left is not None and found.right is not None:
        low = np.where(found.kink, np.minimum(found.left, found.right), low)
        high = np.where(found.kink, np.maximum(found.left, found.right), high)
    inside = (truth[output] >= low - found.bound) & (truth[output] <= high + found.bound)
    return int(np.count_nonzero(own & ~inside))


def near(number: int) -> tuple[int, int]:
    """Return how many false alarms and how many unresolved entries there are at BATCH points next to a kink."""
    rng = np.random.default_rng([0, number])
    _, f, place, left, right = KINKS[rng.integers(len(KINKS))]
    x = place + 10 ** rng.uniform(-12, 0, (ROWS, BATCH // ROWS)) * rng.choice([-1, 1], (ROWS, BATCH // ROWS))
    truth = np.where(x < place, left, right).ravel()
    found = estimate(lambda v: [f(v["x"])], {"x": x}, "x")
    exact = (x == place).ravel()  # so near that it rounds to the kink itself
    truth[exact] = np.diag(found.dense())[exact]
    return alarms(found, truth), int(np.count_nonzero(found.bound > 1e-6))


def main() -> None:
    """Run, and print the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    right_kind = 0
    for name, f, place, left, right in KINKS:
        found = estimate(lambda v, f=f: [f(v["x"])], {"x": np.array([[place, place + 1.5]])}, "x")
        ok = found.kink is not None and found.left is not None and found.right is not None
        at = np.argmax(found.column[:, 0] == 0)
        ok = ok and bool(found.kink[at, 0]) and not bool(found.kink[:, 1].any())
        ok = ok and abs(found.left[at, 0] - left) <= 1e-9 and abs(found.right[at, 0] - right) <= 1e-9
        right_kind += bool(ok)
        print(f"exactly at the kink of {name:18s}: {'classified' if ok else 'MISSED'}")
    tied = estimate(lambda v: [v["x"].max(axis=-1)], {"x": np.array([[2.0, 2.0, 1.0], [0.0, 1.0, 2.0]])}, "x")
    ok = tied.kink is not None and int(tied.kink.sum()) == 2
    print(f"max with ties                         : {'classified' if ok else 'MISSED'}")
    print(f"classified: {right_kind + ok} of {len(KINKS) + 1}")
    batches = range(-(-options.points // BATCH))
    if options.jobs == 1:
        counts = [near(number) for number in batches]
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            counts = list(pool.map(near, batches))
    false, unresolved = np.sum(counts, axis=0)
    total = BATCH * len(batches)
    print(f"next to kinks (10^-12 … 1 away): {total} points, {false} false alarms, {unresolved / total:.2%} unresolved")


if __name__ == "__main__":
    main()
