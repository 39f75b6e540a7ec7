"""The cotangents with which a claim is asked: one per output, or one for many outputs that share no input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.estimate import Estimate
from gradcheck.problem import Array, Kind

# Up to so many outputs each gets a cotangent of its own: an error is then at home in one entry.
SINGLE = 64


@dataclass(frozen=True)
class Cotangents:
    """`rows`, `(asked, outputs)`: every answer to them is a row of `rows · J`.

    All but the last `mixed` rows keep outputs apart: each output is in at most one of them, and two outputs of one
    row depend on no common entry of the variable, so that an entry of the answer belongs to one output.
    """

    rows: Array
    mixed: int = 0


def basis(outputs: int, kind: Kind) -> Cotangents:
    """One cotangent per output, so that the answers are the Jacobian itself (for a "sum" of several, that of it)."""
    return Cotangents(np.ones((1, outputs)), 1) if kind == "sum" and outputs != 1 else Cotangents(np.eye(outputs))


def choose(outputs: int, estimate: Estimate | None, kind: Kind, rng: np.random.Generator) -> Cotangents:
    """A basis, or groups of outputs that share no input; then one random row, in which everything meets.

    The estimate knows which outputs share an input; without one (constant data, a Jacobian past the budget) one random
    row does.
    """
    if kind == "sum" or outputs == 1:
        return basis(outputs, kind)
    random = rng.choice([-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0], size=(1, outputs))
    if outputs <= SINGLE:
        return Cotangents(np.vstack([np.eye(outputs), random]), 1)
    if estimate is None:
        return Cotangents(random, 1)
    group = _groups(estimate.column, int(np.prod(estimate.variable_shape)))
    grouped = np.zeros((int(group.max()) + 1, outputs))
    # Powers of two keep the products exact; different ones keep a leak between rows from cancelling.
    grouped[group, np.arange(outputs)] = rng.choice([-2.0, -1.0, 1.0, 2.0], size=outputs)
    return Cotangents(np.vstack([grouped, random]), 1)


def _groups(column: Array, size: int) -> Array:
    """Number the outputs so that two of one number depend on no common entry of the variable.

    Where the entries of two outputs are the same or have nothing in common (rows, columns, elementwise), an output's
    number is how many before it have the same entries; in any other pattern every output stands alone.
    """
    outputs = column.shape[1]
    first = np.where(column >= 0, column, size).min(axis=0, initial=size)
    order = np.argsort(first, kind="stable")
    ranked = first[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    group = np.empty(outputs, dtype=np.intp)
    group[order] = np.arange(outputs) - np.repeat(starts, np.diff(np.r_[starts, outputs]))
    flat = (group * size + column)[column >= 0]
    apart = np.bincount(flat, minlength=1).max(initial=0) <= 1
    return group if apart else np.arange(outputs)
