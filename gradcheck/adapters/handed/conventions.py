"""Which convention a claim follows, where there are several and each is right: chosen by one difference of f.

By a complex number, JAX's gradient is the conjugate of PyTorch's. By a symmetric matrix, some give the derivative by
its free entries, which is twice the gradient off the diagonal. What is chosen is then judged as every claim is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from gradcheck.adapters.handed.spaces import FREE_ENTRIES, JAX, PYTORCH, ROUNDED, Complex, Space, Symmetric
from gradcheck.problem import Array, Values

HALF = "it is half of JAX's gradient and of PyTorch's, as Wirtinger's ∂f/∂z = (∂f/∂x − i·∂f/∂y)/2 and ∂f/∂z̄ are"

# The step of the difference, as a share of the largest number of a variable: it only has to tell two numbers apart.
STEP = 2.0**-17


def readings(spaces: Sequence[Space]) -> list[str]:
    """Return the conventions in which a claim about arrays of these kinds may be meant, the usual one first."""
    by_complex = (JAX, PYTORCH) if any(isinstance(one, Complex) for one in spaces) else ("",)
    by_symmetric = ("", FREE_ENTRIES) if any(isinstance(one, Symmetric) for one in spaces) else ("",)
    return ["; ".join(filter(None, both)) for both in product(by_complex, by_symmetric)]


def chosen(
    spaces: Sequence[Space],
    claims: Sequence[Any],
    forward: Callable[[Values], list[Array]],
    values: Values,
    real: Sequence[int],
) -> tuple[str, str, str]:
    """Return the reading that is nearest to how f changes, and its name as a convention, "" where nothing hangs on it.

    And what is to be said of a claim that is half of the gradient in complex numbers, as Wirtinger defined it.

    `claims`: the derivatives of the sum of all outputs (of their real parts, which are those numbered in `real`) by
    the array of each space, as they came back.
    """
    every = readings(spaces)
    said = [
        [array for space, claim in zip(spaces, claims, strict=True) for array in space.pull(np.asarray(claim), reading)]
        for reading in every
    ]
    directions = dict(_directions(spaces, values))
    try:
        change = _change(forward, values, directions, real)
    except Exception:  # somebody else's code, which refuses what is not the point
        return every[0], "", ""
    along = list(directions.values())
    foretold = [sum(float(np.sum(a * v)) for a, v in zip(arrays, along, strict=True)) for arrays in said]
    off = [abs(one - change) for one in foretold]
    off_if_half = [abs(2 * one - change) for one in foretold]
    is_half = JAX in every[0] and change != 0 and min(off_if_half) <= ROUNDED * abs(change)
    best = int(np.argmin(off_if_half if is_half else off)) if np.isfinite(off).all() else 0
    all_the_same = all(np.array_equal(a, b) for arrays in said for a, b in zip(arrays, said[best], strict=True))
    return every[best], "" if all_the_same else every[best], HALF if is_half else ""


def form(name: str, claim: Any) -> str:
    """Say which of the forms of a gradient by a symmetric matrix a claim has."""
    matrix = np.asarray(claim)
    apart = float(np.abs(matrix - np.swapaxes(matrix, -1, -2)).max(initial=0.0))
    if apart <= ROUNDED * float(np.abs(matrix).max(initial=0.0)):
        return f"the gradient by {name} is symmetric"
    return f"the gradient by {name} takes all entries as independent: its symmetric part is judged"


def _directions(spaces: Sequence[Space], values: Values) -> Iterator[tuple[str, Array]]:
    rng = np.random.default_rng(0)
    for variable in (variable for space in spaces for variable in space.variables):
        x = np.asarray(values[variable.name], dtype=float)
        size = float(np.abs(x).max(initial=0.0)) or 1.0
        yield variable.name, size * rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1.0, x.shape)


def _change(
    forward: Callable[[Values], list[Array]], values: Values, directions: Mapping[str, Array], real: Sequence[int]
) -> float:
    """The derivative of the sum of some outputs along the directions, by a central difference."""

    def total(step: float) -> float:
        moved = {name: np.asarray(values[name], dtype=float) + step * way for name, way in directions.items()}
        outputs = forward({**values, **moved})
        return float(sum(np.sum(outputs[number]) for number in real))

    with np.errstate(all="ignore"):
        return (total(STEP) - total(-STEP)) / (2 * STEP)
