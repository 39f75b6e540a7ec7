"""Smaller and simpler values for which something still holds, found greedily.

Hypothesis shrinks what it drew itself; this shrinks any point: one sample instead of many, then whole arrays as
0, ±1 or with fewer digits, then entry by entry. Whatever keeps the property stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from gradcheck.errors import TimeLimit
from gradcheck.guarded import in_time
from gradcheck.problem import Array, Values

# Each question costs an estimate of a whole Jacobian, so the search stops after so many.
QUESTIONS = 30


def shrink(
    values: dict[str, Array], still_wrong: Callable[[Values], bool], kinds: Mapping[str, str] | None = None
) -> dict[str, Array]:
    """Return smaller and simpler values for which `still_wrong` holds; `values` themselves where none do.

    The search ends where a question takes too long: at other values than its own a solver may never end.
    """
    questions = 0
    best = dict(values)
    improved = True
    while improved and questions < QUESTIONS:
        improved = False
        for candidate in _simpler(best, kinds or {}):
            questions += 1
            try:
                found = holds(still_wrong, candidate)
            except TimeLimit:
                return best
            if found:
                best, improved = candidate, True
                break
            if questions >= QUESTIONS:
                break
    return best


def holds(still_wrong: Callable[[Values], bool], candidate: Values) -> bool:
    """Whether it still holds. Raises TimeLimit where that takes too long."""
    try:
        with in_time():
            return still_wrong(candidate)
    except Exception:  # the subject may refuse a shape or a value that was not its own
        return False


def _simpler(values: dict[str, Array], kinds: Mapping[str, str]) -> Iterator[dict[str, Array]]:
    """Yield values that are simpler than these, the boldest step first."""
    free = [name for name, value in values.items() if value.dtype.kind == "f" and kinds.get(name) != "data"]
    for name in free:
        for simple in _simple_arrays(values[name], kinds.get(name, "")):
            if _complexity(simple) < _complexity(values[name]):
                yield {**values, name: simple}
    for name in free:
        for index, entry in enumerate(values[name].flat):
            for simple_entry in _simple_arrays(np.asarray(entry), kinds.get(name, "")):
                if _complexity(simple_entry) < _complexity(np.asarray(entry)):
                    simpler = values[name].copy()
                    simpler.flat[index] = simple_entry
                    yield {**values, name: simpler}


def _simple_arrays(value: Array, kind: str) -> Iterator[Array]:
    """Yield 0 (if it may be), ±1, one half of the entries, and fewer digits."""
    still_zero = value == 0
    if kind != "signed":
        yield np.zeros_like(value)
    yield np.where(still_zero, 0.0, np.sign(value))
    if value.size > 1:
        rank = np.arange(value.size).reshape(value.shape)
        for half in (rank < value.size // 2, rank >= value.size // 2):
            yield np.where(half, 0.0 if kind != "signed" else np.sign(value), value)
    for digits in (0, 1):
        rounded = np.round(value, digits)
        yield np.where((rounded == 0) & ~still_zero, value, rounded)


def _complexity(value: Array) -> int:
    """Count the digits that it takes to write an array; 0 costs nothing, a sign one."""
    return sum(len(f"{entry:.17g}") for entry in np.ravel(value).tolist() if entry != 0)


def fewer_samples(values: dict[str, Array]) -> Iterator[dict[str, Array]]:
    """Yield one sample alone, then two: of every array that is as long as the first one with two axes."""
    batch = next((len(value) for value in values.values() if value.ndim > 1), 0)
    if batch < 2:
        return
    for kept in [[0], [1], [0, 1]]:
        yield {name: value[kept] if value.ndim > 1 and len(value) == batch else value for name, value in values.items()}
