"""Long run: random correct gradients, each of which gradcheck must call correct.

    python benchmarks/soak.py [N] [--jobs 2] [--first SEED] [--one SEED] [--output reports/data/soak.json]

Subject number k is built from seed k alone: a chain of one to three operations with hand-derived vector-Jacobian
products, on an array of random shape, dtype, scale (1e-6 to 1e6) and offset. Prints how many were called wrong
(false alarms), with their seeds, and how many unresolved, by reason. Ends with 1 if there is a false alarm or if
more than one in a thousand is unresolved.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gradcheck

Array = np.ndarray[Any, np.dtype[Any]]
Rule = tuple[Callable[[Array], Array], Callable[[Array, Array, Array], Array]]
CHUNK = 200
ALLOWED = 1e-3
# So many roundings a chain of three operations may lose, as multiples of eps of its largest entry.
ROUNDINGS = 16


@dataclass(frozen=True)
class Operation:
    """`f(x)` and the vector-Jacobian product `vjp(x, y, g)`; `domain` is where it is smooth."""

    name: str
    f: Callable[[Array], Array]
    vjp: Callable[[Array, Array, Array], Array]
    domain: str = "real"


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, e) / (1 + e))


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _normalised(x: Array) -> tuple[Array, Array]:
    d = x - x.mean(axis=-1, keepdims=True)
    s = np.sqrt((d * d).mean(axis=-1, keepdims=True) + x.dtype.type(1e-5))
    return d / s, s


def _normalised_vjp(x: Array, y: Array, g: Array) -> Array:
    _, s = _normalised(x)
    return np.asarray((g - g.mean(axis=-1, keepdims=True) - y * (g * y).mean(axis=-1, keepdims=True)) / s)


ELEMENTWISE = (
    Operation("sin", np.sin, lambda x, y, g: g * np.cos(x)),
    Operation("tanh", np.tanh, lambda x, y, g: g / np.cosh(np.clip(x, -40, 40)) ** 2),
    Operation("exp", np.exp, lambda x, y, g: g * y),
    Operation("square", np.square, lambda x, y, g: 2 * g * x),
    Operation("arctan", np.arctan, lambda x, y, g: g / (1 + x * x)),
    Operation("sigmoid", _sigmoid, lambda x, y, g: g * np.exp(-np.abs(x)) * np.maximum(y, 1 - y) ** 2),
    Operation("log", np.log, lambda x, y, g: g / x, "positive"),
    Operation("sqrt", np.sqrt, lambda x, y, g: g / (2 * y), "positive"),
    Operation("reciprocal", lambda x: 1 / x, lambda x, y, g: -g * y * y, "positive"),
    Operation("relu", lambda x: np.maximum(x, 0), lambda x, y, g: g * (x > 0), "off zero"),
    Operation("abs", np.abs, lambda x, y, g: g * np.sign(x), "off zero"),
)
ROWWISE = (
    Operation("softmax", _softmax, lambda x, y, g: y * (g - (g * y).sum(axis=-1, keepdims=True))),
    Operation("normalise", lambda x: _normalised(x)[0], _normalised_vjp),
    Operation("cumsum", lambda x: np.cumsum(x, axis=-1), lambda x, y, g: np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]),
)


def _linear(rng: np.random.Generator, width: int, dtype: Any) -> Operation:
    w = rng.normal(size=(width, int(rng.integers(1, 5)))).astype(dtype)

    def f(x: Array) -> Array:
        return np.asarray(x @ w.astype(x.dtype))

    return Operation("linear", f, lambda x, y, g: g @ w.T.astype(g.dtype))


def _reduction(rng: np.random.Generator) -> Operation:
    if rng.random() < 0.5:
        return Operation("sum", lambda x: np.asarray(x.sum()), lambda x, y, g: np.broadcast_to(g, x.shape).copy())
    return Operation(
        "mean of squares",
        lambda x: np.asarray((x * x).mean()),
        lambda x, y, g: g * 2 * x / x.dtype.type(x.size),
    )


@dataclass(frozen=True)
class Subject:
    """A chain of operations at a point."""

    chain: tuple[Operation, ...]
    x: Array
    about: str

    def f(self, x: Array) -> Array:
        """Run the chain."""
        for operation in self.chain:
            x = operation.f(x)
        return x

    def vjp(self, x: Array, g: Array) -> Array:
        """Run it backwards."""
        values = [x]
        for operation in self.chain:
            values.append(operation.f(values[-1]))
        for operation, before, after in zip(self.chain[::-1], values[-2::-1], values[:0:-1], strict=True):
            g = operation.vjp(before, after, g)
        return g


def subject(seed: int) -> Subject:
    """Build subject number `seed`: draws again until its values and derivatives are ordinary numbers."""
    rng = np.random.default_rng([2024, seed])
    while True:
        made = _draw(rng)
        if made is not None:
            return made


@np.errstate(all="ignore")
def _draw(rng: np.random.Generator) -> Subject | None:
    dtype = np.dtype(rng.choice(["float64", "float32"]))
    shape = (int(rng.integers(1, 5)), int(rng.integers(1, 6)))
    scale, offset = 10.0 ** rng.uniform(-6, 6), float(rng.choice([0.0, 0.0, 1.0, -3.0]))
    x = (scale * rng.uniform(0.1, 1, size=shape) * rng.choice([-1, 1], size=shape) + offset).astype(dtype)
    chain: list[Operation] = []
    value = x
    for _ in range(int(rng.integers(1, 4))):
        kind = rng.choice(["elementwise", "rowwise", "linear", "reduction"], p=[0.55, 0.2, 0.15, 0.1])
        if kind == "elementwise":
            operation = ELEMENTWISE[rng.integers(len(ELEMENTWISE))]
        elif kind == "rowwise":
            operation = ROWWISE[rng.integers(len(ROWWISE))]
        elif kind == "linear":
            operation = _linear(rng, value.shape[-1], dtype)
        else:
            operation = _reduction(rng)
        if operation.domain == "positive" and not (value > 0).all():
            return None
        if operation.domain == "off zero" and (np.abs(value) < 1e-3 * np.abs(value).max()).any():
            return None
        chain.append(operation)
        value = operation.f(value)
        if not np.isfinite(value).all() or np.abs(value).max() > 1e12:
            return None
        if value.ndim < 2:
            break
    made = Subject(
        tuple(chain), x, f"{' > '.join(o.name for o in chain)}, {dtype} {shape}, x ~ {scale:.0e} + {offset:g}"
    )
    return made if value.size and _accurate(made, value.shape) else None


def _accurate(made: Subject, shape: tuple[int, ...]) -> bool:
    """Whether the gradient is correct as computed: a few roundings from what it is in extended precision.

    Asked for each output: a chain may lose its digits on the way (sin of 1e11 in float32), or all of it may cancel:
    then the number that comes out is no correct gradient, whatever the formula.
    """
    wide = made.x.astype(np.longdouble)
    eps = float(np.finfo(made.x.dtype).eps)
    for place in np.ndindex(shape):
        g = np.zeros(shape)
        g[place] = 1.0
        claim, truth = made.vjp(made.x, g.astype(made.x.dtype)), made.vjp(wide, g.astype(np.longdouble))
        if not (np.isfinite(claim).all() and np.isfinite(truth).all()):
            return False
        largest = np.abs(truth).max(initial=0)
        if not 1e-12 < largest < 1e30 or np.abs(claim - truth).max() > ROUNDINGS * eps * largest:
            return False
    return True


def verdict(seed: int) -> tuple[int, str, str, str]:
    """Check subject number `seed`: seed, verdict, what it is, and why."""
    made = subject(seed)
    options = gradcheck.Options(seed=seed, dtypes=(str(made.x.dtype),))
    result = gradcheck.check(made.f, made.x, vjp=made.vjp, options=options)
    messages = [at.message for claim in result.claims for at in claim.points if at.verdict != "correct"]
    broken = [f"{item.name}: {item.detail}" for item in result.contract if item.verdict == "broken"]
    return seed, result.verdict, made.about, "; ".join([result.reason, *messages, *broken]).strip("; ")


def _chunk(first: int, last: int) -> list[tuple[int, str, str, str]]:
    return [found for found in map(verdict, range(first, last)) if found[1] != "correct"]


def main() -> int:
    """Run, count, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--one", type=int, help="check this seed only and show the result")
    parser.add_argument("--output", type=Path, help="write the counts there")
    options = parser.parse_args()
    if options.one is not None:
        print(*verdict(options.one), sep="\n")
        return 0
    start, last = time.perf_counter(), options.first + options.count
    starts = list(range(options.first, last, CHUNK))
    found: list[tuple[int, str, str, str]] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for done, part in enumerate(pool.map(_chunk, starts, [min(s + CHUNK, last) for s in starts]), start=1):
            found.extend(part)
            if done % 25 == 0:
                print(f"{min(done * CHUNK, options.count)} checked, {len(found)} not correct", flush=True)
    if options.output:
        wrong = sum(kind == "wrong" for _, kind, _, _ in found)
        counts = {"gradients": options.count, "wrong": wrong, "unresolved": len(found) - wrong}
        options.output.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    return summarise(options.count, found, time.perf_counter() - start)


def summarise(count: int, found: list[tuple[int, str, str, str]], seconds: float) -> int:
    """Print the verdicts that are not "correct"; return the exit status."""
    verdicts = Counter(kind for _, kind, _, _ in found)
    reasons: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for seed, kind, about, why in found:
        reasons[kind, re.sub(r"-?\d[\d.e+-]*|inf|nan", "#", why)].append((seed, about))
    for (kind, why), cases in sorted(reasons.items(), key=lambda item: (item[0][0], -len(item[1]))):
        shown = "; ".join(f"{seed}: {about}" for seed, about in cases[:4])
        print(f"{kind} ({len(cases)}): {why or 'no reason given'}\n    {shown}")
    wrong, unresolved = verdicts["wrong"], sum(verdicts.values()) - verdicts["wrong"]
    print(
        f"{count} correct gradients: {wrong} false alarms, {unresolved} unresolved "
        f"({100 * unresolved / count:.3f} %), {seconds:.0f} s"
    )
    return 1 if wrong or unresolved > math.floor(ALLOWED * count) else 0


if __name__ == "__main__":
    raise SystemExit(main())
