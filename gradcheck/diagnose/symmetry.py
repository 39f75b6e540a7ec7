"""Matrices and their transposes: what is right where a matrix is symmetric, or moves as one."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnose.evidence import SLACK, Cause, Evidence, similar
from gradcheck.problem import Array

# What is right but for so little at any matrix says nothing about symmetric ones.
APART = 1e-3


def right_for_symmetric_moves(e: Evidence) -> list[Cause]:
    """claim − derivative is antisymmetric: right for A[i, j] and A[j, i] together, wrong for each alone."""
    shape = np.shape(e.x)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 3 or not np.isfinite(e.claim).all():
        return []
    claim, right, tolerance = (one.reshape(len(one), *shape) for one in (e.claim, e.estimate, e.tolerance))
    known = np.isfinite(tolerance)
    lost = SLACK * np.where(known, tolerance, 0.0) + 1e-9 * e.scale
    lost, known = lost + _turned(lost), known & _turned(known)
    name, entry = e.variable.name, f"{e.variable.name}[i, j] and {e.variable.name}[j, i]"
    error = np.where(known, claim - right, 0.0)
    if np.all(np.abs(error + _turned(error)) <= lost) and np.any(np.abs(error) > lost):
        sentence = (
            f"Right where {name} moves as a symmetric matrix, wrong where one entry moves alone: {entry} together are "
            "claimed rightly. Does forward read one triangle only?"
        )
        return [Cause("right for symmetric moves", sentence, "claim − derivative is antisymmetric in every output")]
    both = right + _turned(right) - right * np.eye(shape[0])
    if np.all(np.abs(np.where(known, claim - both, 0.0)) <= lost) and np.any(np.abs(error) > lost):
        sentence = f"Off the diagonal the derivatives by {entry} are added up, as where both are one entry."
        return [Cause("both triangles added up", sentence, "the claim is D + Dᵀ, with D's own diagonal")]
    return []


def right_if_symmetric(e: Evidence) -> list[Cause]:
    """The claim is right once a square matrix is symmetric: one of its uses is transposed."""
    here = e.said()
    if here is None or similar(here, e.product(e.estimate), APART):
        return []
    for variable in e.problem.variables:
        value = np.asarray(e.values[variable.name])
        if value.dtype.kind != "f" or value.ndim < 2 or value.shape[-1] != value.shape[-2] or value.shape[-1] < 2:
            continue
        symmetric = {**e.values, variable.name: (value + _turned(value)) / 2}
        said = None if np.array_equal(value, _turned(value)) else e.said(symmetric)
        if said is not None and similar(said, e.product(e.measured(symmetric))):
            n = variable.name
            sentence = (
                f"Right only where {n} is symmetric: a transpose is missing, {n}ᵀ for {n} or {n} + {n}ᵀ for 2{n}."
            )
            return [Cause("transpose missing", sentence, f"with ({n} + {n}ᵀ)/2 in its place, the claim is right")]
    return []


def _turned(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)
