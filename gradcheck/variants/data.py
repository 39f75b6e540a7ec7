"""Data: repeated indices, a row of zeros, equal rows, and numbers between those that the code compares with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.branches import aim
from gradcheck.problem import Array, Variable
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.screen import outputs
from gradcheck.variants.variant import Kind, Variant

# Numbers that are tried in one variable.
MOST = 12


def data(usual: Usual) -> Iterator[Offer]:
    """Offer what data may be like."""
    for v in usual.inputs:
        if np.asarray(usual.values[v.name]).dtype.kind in "iu" and np.size(v.example) > 1:
            yield _offer(usual, v, "where indices repeat", _repeated)
            yield _offer(usual, v, "where all indices are the same", _all_the_same)
    if usual.subject.examples:
        return
    real = [v for v in usual.inputs if v.data == "real" and not v.constant and np.ndim(v.example) > 1]
    for v in real:
        if v.domain is None:
            yield _offer(usual, v, f"at a row of zeros in {v.name}", _zero_row, "edge")
        yield _offer(usual, v, f"where rows of {v.name} are equal", _equal_rows, "edge")


def numbers(usual: Usual, thresholds: Sequence[float]) -> Iterator[Offer]:
    """Offer numbers between those that the code compares with."""
    for v in (one for one in usual.inputs if one.data == "real" and not one.constant):
        for number in _between(v, thresholds):
            where = f"where {v.name} is {number:.4g}"
            yield Offer("data", where, partial(_full, usual, v, number, where), f"numbers in {v.name}")


def _offer(usual: Usual, v: Variable, where: str, change: Any, kind: Kind = "data") -> Offer:
    def make() -> Variant | None:
        values = {**usual.values, v.name: change(usual.values[v.name])}
        return None if outputs(usual.problem, values) is None else usual.variant(kind, where, values)

    return Offer(kind, where, make, "" if kind == "edge" else "indices")


def _repeated(indices: Array) -> Array:
    """Every other one is the first."""
    found = indices.copy()
    found.flat[1::2] = indices.flat[0]
    return found


def _all_the_same(indices: Array) -> Array:
    return np.full_like(indices, indices.flat[-1])


def _zero_row(x: Array) -> Array:
    found = x.copy()
    found[0] = 0
    return found


def _equal_rows(x: Array) -> Array:
    return np.repeat(x[:1], len(x), axis=0)


def _between(v: Variable, thresholds: Sequence[float]) -> list[float]:
    """Numbers beside those that the code compares with, but none of these: there are kinks."""
    low, high = v.domain or (-np.inf, np.inf)
    exact = {abs(one) for one in thresholds}
    return [one for one in aim.numbers(thresholds) if abs(one) not in exact and low < one < high][:MOST]


def _full(usual: Usual, v: Variable, number: float, where: str) -> Variant | None:
    """All entries at about one number: they differ by a little, so that they do not tie."""
    x = usual.values[v.name]
    rng = np.random.default_rng([usual.seed, 15])
    values = {**usual.values, v.name: np.asarray(number * (1 + 1e-7 * rng.uniform(-1, 1, x.shape)))}
    return None if outputs(usual.problem, values) is None else usual.variant("data", where, values)
