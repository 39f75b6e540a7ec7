"""What is claimed and what is measured at the smallest example, as two small matrices."""

from __future__ import annotations

from itertools import chain

import numpy as np

from gradcheck.comparing.compare import place_of
from gradcheck.comparing.judge import right_answer
from gradcheck.evaluated import Evaluated, Ledger
from gradcheck.problem import Array, Method
from gradcheck.results import Matrices
from gradcheck.sampling import Point

# The most rows and columns that are shown, and outputs that are asked for one by one.
SHOWN, ASKED = 12, 400

# Beside the largest entry, or what the size of f lets expect, an entry that may be off by this share is not known.
KNOWN = 0.1


def matrices(point: Point, method: Method, name: str, dtype: str, simplest: Evaluated) -> Matrices | None:
    """Return claim and measurement at `point`; None where there is nothing to lay side by side.

    `simplest`: where the claim was last seen to be wrong, which mostly is this point.
    """
    values = point.values
    try:
        here = simplest.at(point) or Evaluated(point, Ledger())
        if here.flat.size > ASKED or here.is_large(name):
            return None
        known = here.in_dtype(dtype)
        answer, asked = here.ask_entries(method, name, known)
        right, tolerance = right_answer(here, name, asked, known)
    except Exception:  # the checked code refuses these values when it is asked again
        return None
    if answer.rows is None or answer.rows.shape != right.shape:
        return None
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(answer.rows - right) <= tolerance) & np.isfinite(tolerance)
    right = np.where(tolerance <= KNOWN * _scale(here, name, answer.rows, right), right, np.nan)
    shape = np.shape(values[name])
    if len(right) == 1:
        return _of_gradient(shape, answer.rows[0], right[0], wrong[0])
    outputs = tuple(tuple(one.shape) for one in here.outputs)
    rows = [str(list(place_of(k, outputs))) for k in range(len(right))]
    columns = [str(list(map(int, np.unravel_index(k, shape)))) for k in range(right.shape[1])]
    return _cut(rows, columns, answer.rows, right, wrong)


def _scale(here: Evaluated, name: str, claim: Array, right: Array) -> float:
    size = np.abs(here.flat).max(initial=0.0) / max(1.0, np.abs(here.variable(name)).max(initial=0.0))
    largest = (np.abs(one).max(initial=0.0, where=np.isfinite(one)) for one in (claim, right))
    return float(max(size, *largest))


def _of_gradient(shape: tuple[int, ...], claim: Array, right: Array, wrong: Array) -> Matrices:
    """The gradient of a scalar, laid out as its variable: the last axis across, all others down."""
    last = shape[-1] if shape else 1
    down = (-1, last) if last else (0, 0)
    claim, right, wrong = (one.reshape(down) for one in (claim, right, wrong))
    lead = shape[:-1]
    rows = [str(list(map(int, np.unravel_index(k, lead)))) if lead else "" for k in range(len(claim))]
    return _cut(rows, [f"[{k}]" if shape else "" for k in range(last)], claim, right, wrong)


def _cut(rows: list[str], columns: list[str], claim: Array, right: Array, wrong: Array) -> Matrices:
    """The rows and columns with the first wrong entries, a dozen each at most."""
    down, across = (_chosen(np.asarray(wrong.any(axis=axis))) for axis in (1, 0))
    with np.errstate(invalid="ignore"):
        difference = np.where(wrong, claim - right, 0.0)
    return Matrices(
        tuple(rows[i] for i in down),
        tuple(columns[j] for j in across),
        _table(claim, down, across, 12),
        _table(right, down, across, 12),
        _table(difference, down, across, 3),
        tuple(tuple(bool(wrong[i, j]) for j in across) for i in down),
        (len(rows) - len(down), len(columns) - len(across)),
    )


def _chosen(wrong: Array) -> list[int]:
    """All places where they are few; else the first wrong ones, and then others, in their order."""
    if wrong.size <= SHOWN:
        return list(range(wrong.size))
    order = dict.fromkeys(chain(np.flatnonzero(wrong).tolist(), range(wrong.size)))
    return sorted(list(order)[:SHOWN])


def _table(values: Array, down: list[int], across: list[int], digits: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{values[i, j]:.{digits}g}") for j in across) for i in down)
