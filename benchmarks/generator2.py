"""Functions that deceive difference quotients, of known derivative: a second generator, of another kind than the first.

    python benchmarks/generator2.py [--functions 10000] [--seed 0] [--jobs 1] [--double] [--cases 12,345]

Where `generator.py` composes operations at all scales, each function here is one kind of deception that people write:

- a cast to float32 inside of a float64 function;
- 1 − cos(c x), exp(c x) − 1 − c x, and other differences of numbers that are nearly equal;
- a wave of 1e-12 to 1e-6 of f; a kink at 1e-9 to 1e-3 of |x|;
- a table that is interpolated; an iteration that stops at a tolerance (which `accuracy=` names).

Draws functions of ten entries, and counts the entries whose error is above their bound, by kind. `--double` keeps
long double from helping, as on a platform that has none. An entry is skipped if f stays as it is from 0.6 x to 1.4 x:
in float64 there is nothing to see.
"""

from __future__ import annotations

import argparse
import collections
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from truth import Exact, lift, slopes

from gradcheck.numerical import estimate
from gradcheck.numerical.evaluation.evaluate import Evaluator

Array = np.ndarray[Any, np.dtype[Any]]
Formula = Callable[[Any, Any], Any]  # (functions, x) -> f(x), for NumPy and for high precision
SHAPE = 2, 5
RESOLVED = 1e-6


class Numpy:
    """NumPy's functions under the names that a formula uses; `short` rounds to float32."""

    exp, log, sqrt, sin, cos, tanh, abs, maximum = (
        np.exp,
        np.log,
        np.sqrt,
        np.sin,
        np.cos,
        np.tanh,
        np.abs,
        np.maximum,
    )

    @staticmethod
    def short(v: Any) -> Any:
        """Round to float32 and back, as a buffer does that somebody allocated so."""
        return v.astype(np.float32).astype(np.float64)


class Precise(Exact):
    """The same in high precision, where nothing is rounded."""

    @staticmethod
    def short(v: Any) -> Any:
        """Leave it as it is."""
        return v


@dataclass(frozen=True)
class Case:
    """A function at a point. `truth`: its derivative by each entry; `accuracy`: how inexact it says that it is."""

    kind: str
    forward: Callable[[Any], Any]
    x: Array
    truth: Array
    accuracy: float = 0.0


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(10 ** rng.uniform(np.log10(low), np.log10(high)))


def of(kind: str, formula: Formula, x: Array) -> Case:
    """Return the case of a formula, with the derivative that it has in high precision."""
    high, _ = slopes(formula(Precise, lift(x, np.ones(x.shape))))
    return Case(kind, lambda v: formula(Numpy, v), x, high)


def outer(rng: np.random.Generator, size: float) -> Formula:
    """Draw what is done with the result: a factor, and mostly a smooth function at the size of its argument."""
    factor, inner = log_uniform(rng, 1e-3, 1e3), rng.uniform(0.3, 2) / size
    return [
        lambda m, v: factor * v,
        lambda m, v: factor * m.tanh(v * inner),
        lambda m, v: factor * m.sin(v * inner + 0.3),
        lambda m, v: v * v * factor + v,
    ][rng.integers(4)]


def points(rng: np.random.Generator) -> Array:
    """Draw a point of one magnitude."""
    x = log_uniform(rng, 1e-3, 1e3) * rng.uniform(0.5, 2, SHAPE) * rng.choice([-1, 1], SHAPE)
    return np.abs(x) if rng.random() < 0.5 else x


def cast(rng: np.random.Generator) -> Case:
    """A buffer, a layer or an activation in float32, within a function in float64."""
    x = points(rng)
    a, b, c = rng.normal(size=3)
    a /= np.abs(x).max() / 3
    last = outer(rng, 1.0)
    which = rng.integers(4)

    def formula(m: Any, v: Any) -> Any:
        if which == 0:
            return last(m, m.short(m.tanh(v * a)))
        if which == 1:
            return last(m, m.tanh(m.short(m.tanh(v * a)) * b + c))
        if which == 2:
            return last(m, m.short(m.tanh(m.short(m.tanh(v * a)) * b + c)))
        return last(m, 1 / (m.short(m.exp(v * (-a))) + 1))

    return of("a cast to float32", formula, x)


def near_one(rng: np.random.Generator) -> Case:
    """What is left of numbers like 1: 1 − cos(c x), exp(c x) − 1 − c x and the like."""
    x = points(rng)
    c = log_uniform(rng, 1e-7, 1) / np.abs(x).max()
    k = log_uniform(rng, 1e-3, 1e3)
    formulas: list[Formula] = [
        lambda m, v: (1 - m.cos(v * c)) / c * k,
        lambda m, v: (m.exp(v * c) - 1 - v * c) * k,
        lambda m, v: (m.exp(v * c) - 1) / c * k,
        lambda m, v: m.log(1 + m.exp(v * c * 30 - 30)) * k,
        lambda m, v: (m.sqrt(1 + v * v * (c * c)) - 1) * k,
    ]
    return of("1 − cos and the like", formulas[rng.integers(len(formulas))], x)


def close(rng: np.random.Generator) -> Case:
    """The difference of two values of a function at places that are close."""
    x = np.abs(points(rng))
    c = log_uniform(rng, 1e-8, 1e-1) * float(x.min())
    a = rng.uniform(0.2, 2) / float(x.max())
    functions: list[Formula] = [
        lambda m, v: m.sqrt(v),
        lambda m, v: m.log(v),
        lambda m, v: 1 / v,
        lambda m, v: m.tanh(v * a),
        lambda m, v: m.exp(v * a),
    ]
    f, k = functions[rng.integers(len(functions))], 10 ** rng.uniform(-3, 3) / c
    return of("close differences", lambda m, v: (f(m, v + c) - f(m, v)) * k, x)


def wave(rng: np.random.Generator) -> Case:
    """A smooth function with a small wave on it."""
    x = points(rng)
    size = float(np.abs(x).max())
    smooth = outer(rng, size)
    height = log_uniform(rng, 1e-12, 1e-6) * float(np.abs(smooth(Numpy, x)).max())
    k = 2 * np.pi / (log_uniform(rng, 1e-6, 1) * size)
    return of("small waves", lambda m, v: smooth(m, v) + m.sin(v * k) * height, x)


def kink(rng: np.random.Generator) -> Case:
    """A kink next to every point, at another distance from each."""
    x = points(rng)
    place = x * (1 + 10 ** rng.uniform(-9, -3, SHAPE) * rng.choice([-1, 1], SHAPE))
    smooth, b = outer(rng, float(np.abs(x).max())), log_uniform(rng, 1e-2, 1e2)
    which = rng.integers(3)

    def formula(m: Any, v: Any) -> Any:
        if which == 0:
            return smooth(m, v) + m.abs(v - place) * b
        if which == 1:
            return smooth(m, m.maximum(v, place))
        return m.maximum(v - place, np.zeros(SHAPE)) * b + v

    # The batch may be repeated: the places with it.
    def forward(v: Any) -> Any:
        return np.concatenate([formula(Numpy, part) for part in v.reshape(-1, *SHAPE)])

    return Case("kinks nearby", forward, x, slopes(formula(Precise, lift(x, np.ones(SHAPE))))[0])


def table(rng: np.random.Generator) -> Case:
    """A table of a smooth function, interpolated between its entries."""
    x = points(rng)
    size = float(np.abs(x).max())
    spacing = log_uniform(rng, 1e-4, 0.3) * size
    grid = np.arange(-2.2 * size, 2.2 * size + spacing, spacing)
    values = np.sin(grid / size * rng.uniform(0.5, 3)) * log_uniform(rng, 1e-3, 1e3) + rng.normal()
    at = np.searchsorted(grid, x.ravel()) - 1
    truth = (values[at + 1] - values[at]) / (grid[at + 1] - grid[at])
    return Case("interpolated tables", lambda v: np.interp(v, grid, values), x, truth)


def iteration(rng: np.random.Generator) -> Case:
    """A fixed point, or a root by Newton's method, up to a tolerance."""
    x = np.abs(points(rng))
    tolerance, a = log_uniform(rng, 1e-12, 1e-6), rng.uniform(0.1, 0.6)
    size, newton = float(x.max()), bool(rng.random() < 0.3)

    def forward(v: Any) -> Any:
        x = np.asarray(v, dtype=float) / size
        y = np.ones(x.shape)
        for _ in range(200):
            # y = 1 + x + a tanh(y), or y³ + y = 1 + x
            new = y - (y**3 + y - 1 - x) / (3 * y * y + 1) if newton else 1 + x + a * np.tanh(y)
            moves = np.abs(new - y) > tolerance * np.abs(new)
            y = np.where(moves, new, y)
            if not moves.any():
                return y
        return y

    y = np.ones(x.shape)
    for _ in range(400):
        y = y - (y**3 + y - 1 - x / size) / (3 * y * y + 1) if newton else 1 + x / size + a * np.tanh(y)
    by_x = 1 / (3 * y * y + 1) if newton else 1 / (1 - a / np.cosh(y) ** 2)
    return Case("iterations", forward, x, (by_x / size).ravel(), tolerance)


KINDS = (cast, near_one, close, wave, kink, table, iteration)


def draw(rng: np.random.Generator) -> Case:
    """Draw a function."""
    with np.errstate(all="ignore"):
        return KINDS[rng.integers(len(KINDS))](rng)


@dataclass(frozen=True)
class Outcome:
    """What became of the entries of one function: error, bound, and the largest derivative."""

    kind: str
    number: int
    error: Array
    bound: Array
    scale: float

    @property
    def wrong(self) -> Array:
        """Which entries break their bound."""
        return np.asarray(~(self.error <= self.bound) & np.isfinite(self.bound))

    @property
    def resolved(self) -> Array:
        """Which entries have a bound that says something."""
        return np.asarray(self.bound <= RESOLVED * self.scale)


def run(task: tuple[int, int, bool]) -> Outcome:
    """Judge function `(seed, number)`, with long double or without."""
    seed, number, double = task
    case = draw(np.random.default_rng([seed, number]))
    if double:
        Evaluator.in_long_double = lambda self: None  # type: ignore[method-assign]
    with np.errstate(all="ignore"):
        found = estimate(lambda v: [case.forward(v["x"])], {"x": case.x}, "x", accuracy=case.accuracy)
        f = case.forward(case.x)
        moves = [(case.forward(case.x * factor) != f).ravel() for factor in (0.6, 1.4)]
    outputs = np.broadcast_to(np.arange(case.x.size), found.column.shape)
    own = (found.column == outputs) & np.logical_or(*moves)
    truth = case.truth[outputs[own]]
    finite = np.isfinite(truth)
    error = np.abs(found.value[own] - truth)[finite]
    return Outcome(case.kind, number, error, found.bound[own][finite], float(np.nanmax(np.abs(case.truth), initial=0)))


def outcomes(tasks: Iterator[tuple[int, int, bool]], jobs: int) -> Iterator[Outcome]:
    """Judge functions in order, on several processes if `jobs` says so."""
    if jobs == 1:
        yield from map(run, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        while batch := list(itertools.islice(tasks, 100 * jobs)):
            yield from pool.map(run, batch, chunksize=10)


def main() -> None:
    """Run, and print the counts by kind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--double", action="store_true", help="without long double")
    parser.add_argument("--cases", help="numbers of single functions, separated by commas")
    options = parser.parse_args()
    numbers = map(int, options.cases.split(",")) if options.cases else iter(range(options.functions))
    tasks = ((options.seed, number, options.double) for number in numbers)
    counts: dict[str, Array] = collections.defaultdict(lambda: np.zeros(5, dtype=int))
    for outcome in outcomes(tasks, options.jobs):
        wrong, resolved = outcome.wrong, outcome.resolved
        row = [1, wrong.size, wrong.sum(), (wrong & resolved).sum(), (~resolved).sum()]
        counts[outcome.kind] += np.array(row)
        if wrong.any():
            beyond = float((outcome.error[wrong] / np.maximum(outcome.bound[wrong], 1e-300)).max())
            worst = float(outcome.error[wrong].max() / outcome.scale)
            print(
                f"{outcome.kind} {outcome.number}: {row[2]} of {row[1]} ({row[3]} resolved), "
                f"up to {beyond:.1f} × the bound, {worst:.1e} of the scale",
                flush=True,
            )
    counts["together"] = np.sum(list(counts.values()), axis=0)
    print(f"\nseed {options.seed}{', without long double' if options.double else ''}")
    for kind, (functions, entries, wrong, resolved, unresolved) in counts.items():
        print(
            f"{kind:22s} {functions:6d} functions, {entries:7d} entries, "
            f"{wrong:4d} outside ({wrong / max(entries, 1):.4%}; {resolved} of them resolved), "
            f"{unresolved / max(entries, 1):6.2%} unresolved"
        )


if __name__ == "__main__":
    main()
