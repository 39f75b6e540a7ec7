"""Points at which code decides as it has not done yet.

Code compares values with numbers that it shows: `x > 700`, `np.clip(p, 1e-7, 1 - 1e-7)`, `0.3 < x.mean() < 0.32`. So
the numbers that anything was compared with, just below and above them and in the middle between two, are put into every
entry of a variable, or into one (the others of either sign); what depends on sizes of numbers is met by scaling them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence, Set

import numpy as np

from gradcheck.branches.decisions import Outcome, Seen, Site
from gradcheck.problem import Array, Values, Variable

Run = Callable[[Values], "Seen | None"]

SCALES = (-1.0, 4.0, 16.0, 128.0, 2.0**13, 2.0**20, 2.0**-7, 2.0**-14, 2.0**-24)
# Runs at most, for one subject, and numbers that are tried in one variable.
RUNS, NUMBERS = 400, 60
BESIDE = 2.0**-20


def aimed(
    run: Run, values: Values, variables: Sequence[Variable], seen: Seen, sites: Set[Site], *, inside: bool = False
) -> Iterator[tuple[list[tuple[Site, Outcome]], dict[str, Array]]]:
    """Yield values at which outcomes are seen that `seen` lacks, with these outcomes; `seen` takes them in.

    `run(values)` says what is decided at values (None: forward fails there); `sites` are those that it is known to
    reach: others, of a subject's other settings, are not aimed at. With `inside`, every variable stays in the range of
    its own entries (they are an example).
    """
    tries, reached = 0, set(sites)
    for candidate in _candidates(values, variables, seen, inside):
        wanted = {(site, outcome) for site, outcome in seen.missing if site in reached}
        if not wanted or tries >= RUNS:
            return
        tries += 1
        found = run(candidate)
        if found is None:
            continue
        new = sorted(wanted & found.outcomes)
        seen.add(found)
        reached |= found.decisions.keys()
        if new:
            yield new, candidate


def _candidates(values: Values, variables: Sequence[Variable], seen: Seen, inside: bool) -> Iterator[dict[str, Array]]:
    free = ("real", "probabilities")
    movable = [v for v in variables if not v.constant and v.data in free and np.size(values[v.name])]
    movable = [v for v in movable if np.asarray(values[v.name]).dtype.kind == "f"]
    for variable in movable:
        x = np.asarray(values[variable.name])
        low, high = variable.domain or (-np.inf, np.inf)
        if inside:
            low, high = max(low, float(x.min())), min(high, float(x.max()))
        for number, base in itertools.product(numbers(seen.thresholds), (x, -x)):
            if not low <= number <= high or (base is not x and not (low <= base.min() and base.max() <= high)):
                continue
            if base is x:
                yield {**values, variable.name: np.full(x.shape, number, x.dtype)}
            for entry in dict.fromkeys((0, x.size - 1, x.size // 2)) if x.size > 1 else ():
                one = base.copy()
                one.flat[entry] = number
                yield {**values, variable.name: one}
        for scale in SCALES:
            moved = x * scale
            if low <= moved.min() and moved.max() <= high:
                yield {**values, variable.name: moved}


def numbers(thresholds: Sequence[float]) -> list[float]:
    """Numbers at, beside, between and beyond those that values are compared with, the plainest first.

    >>> numbers([0.0, 3.0])[:6]
    [1.5, 0.0, 3.0, -3.0, 7.25, -1.25]
    """
    if not thresholds:
        return []
    middle = [(a + b) / 2 for a, b in itertools.pairwise(thresholds)]
    # Not at whole numbers, where what rounds jumps.
    beyond = [2 * thresholds[-1] + 1.25, thresholds[0] - 1.25, -2 * thresholds[-1] - 1.25]
    exact = [*thresholds, *(-one for one in thresholds if one > 0)]
    beside = [one + side * BESIDE * max(abs(one), 1.0) for one in thresholds for side in (1, -1)]
    # Bounds of probabilities are closer to 0 and to 1 than that.
    closer = [one / 2 for one in thresholds if 0 < abs(one) < BESIDE]
    closer += [1 - (1 - one) / 2 for one in thresholds if 0 < 1 - one < BESIDE]
    return list(dict.fromkeys([*middle, *exact, *beyond, *beside, *closer]))[:NUMBERS]
