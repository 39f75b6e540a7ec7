"""Sizes that an object was not built for, and takes all the same: NumPy stretches one feature over those it has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.problem import Array, Problem, Sizes


def is_something_else(problem: Problem, usual: Problem) -> bool:
    """Whether a problem in other sizes takes its inputs as something else: of other ranks, or stretched."""
    return _ranks(problem) != _ranks(usual) or any(
        _gives_the_same(problem, usual, *one) for one in _thin(problem, usual)
    )


def _ranks(problem: Problem) -> list[int]:
    """The number of axes of each input."""
    return [np.ndim(v.example) for v in problem.variables if v.role == "input"]


def _thin(problem: Problem, usual: Problem) -> Iterator[tuple[str, int, int]]:
    """Yield axes that are 1 long and as long as the features in usual sizes: the variable, the axis, that length."""
    before = {v.name: np.shape(v.example) for v in usual.variables}
    for v in problem.variables:
        shape, was = np.shape(v.example), before.get(v.name, ())
        if len(shape) == len(was):
            yield from ((v.name, axis, n) for axis, n in enumerate(was) if n == Sizes().inputs and shape[axis] == 1)


def _gives_the_same(problem: Problem, usual: Problem, name: str, axis: int, length: int) -> bool:
    """Whether a variable that repeats its one feature gives the same, so that something else had stretched it.

    A mean over features does so, too; but that has no weights of its own, and no output of as many features.
    """
    values = {v.name: np.asarray(v.example) for v in problem.variables}
    lengths = {
        n for v in problem.variables if v.name != name for n in np.shape(v.example)[axis - np.ndim(values[name]) :]
    }
    for wide in {length, *lengths} - {1}:
        try:
            with np.errstate(all="ignore"):
                [output] = problem.forward(dict(values))
                [again] = problem.forward({**values, name: np.repeat(values[name], wide, axis=axis)})
        except Exception:  # whatever other people's code says of another shape: nothing was stretched to it
            continue
        if output.shape == again.shape and np.allclose(output, again) and _is_fixed(problem, usual, output):
            return True
    return False


def _is_fixed(problem: Problem, usual: Problem, output: Array) -> bool:
    """Whether there is something that may have stretched it: weights, or an output of as many features."""
    return any(v.role == "weight" for v in problem.variables) or Sizes().inputs in output.shape[1:]
