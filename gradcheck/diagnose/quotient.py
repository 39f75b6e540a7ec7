"""The claim is no derivative but a difference quotient of forward itself, with a step that people take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence
from gradcheck.problem import Array

EPS = float(np.finfo(float).eps)
# Powers of ten, and the roots of eps that balance truncation against rounding for one side, both, and second orders.
STEPS = (*(10.0**-k for k in range(1, 13)), EPS ** (1 / 2), EPS ** (1 / 3), EPS ** (1 / 4))
# What a step is a share of.
UNITS: tuple[Callable[[Array], Array], ...] = (
    np.ones_like,
    np.abs,
    lambda x: np.maximum(np.abs(x), 1),
    lambda x: np.maximum(np.abs(x), 0.1),
    lambda x: np.abs(x) + 1,
)
CLOSE = 1e-2  # of its largest entry is what a quotient may be off the derivative
NEAR = 1e-3  # of that is what the claim may be off the quotient: both round alike, at the same points


def difference_quotient(e: Evidence) -> list[Cause]:
    """claim = (f(x + h) − f(x)) / h, or (f(x + h) − f(x − h)) / 2h, entry by entry."""
    if not e.wrong.any():
        return []
    off = np.where(e.wrong, np.abs(e.claim - e.estimate), 0)
    error = float(off.max())
    if not error <= CLOSE * e.scale:
        return []
    column = int(off.max(axis=0).argmax())
    allowed = NEAR * error + 4 * EPS * e.scale
    for steps, formula, step in _candidates(np.asarray(e.x, dtype=float).ravel()):
        if not np.abs(_quotient(e, column, steps[column], formula) - e.claim[:, column]).max() <= allowed:
            continue
        whole = np.stack([_quotient(e, k, h, formula) for k, h in enumerate(steps)], axis=1)
        if (np.abs(whole - e.claim)[e.judged] <= allowed).all():
            sentence = f"It is a difference quotient, no derivative: {formula} with h = {step}."
            return [
                Cause("difference quotient", sentence, f"the claim is off the derivative by {error:.2g}, as that is")
            ]
    return []


FORWARD, BACKWARD, CENTRAL = "(f(x + h) − f(x)) / h", "(f(x) − f(x − h)) / h", "(f(x + h) − f(x − h)) / 2h"


def _candidates(x: Array) -> Iterator[tuple[Array, str, str]]:
    """Yield the steps of all entries, the formula, and the step in words."""
    tried: set[bytes] = set()
    for unit, words in zip(UNITS, ("", "·|x|", "·max(|x|, 1)", "·max(|x|, 0.1)", "·(|x| + 1)"), strict=True):
        for share in STEPS:
            steps = share * unit(x)
            if steps.all() and steps.tobytes() not in tried:
                tried.add(steps.tobytes())
                for formula in (FORWARD, CENTRAL, BACKWARD):
                    yield steps, formula, f"{share:.3g}{words}"


def _quotient(e: Evidence, entry: int, h: float, formula: str) -> Array:
    """Return a difference quotient of all outputs; NaN, which fits nothing, where forward refuses these values."""
    ahead = _outputs(e, entry, 0.0 if formula == BACKWARD else h)
    behind = _outputs(e, entry, 0.0 if formula == FORWARD else -h)
    return (ahead - behind) / (2 * h if formula == CENTRAL else h)


def _outputs(e: Evidence, entry: int, shift: float) -> Array:
    x = np.array(e.x, dtype=float)
    x.flat[entry] += shift
    try:
        with np.errstate(all="ignore"):
            found = e.problem.forward({**e.values, e.variable.name: x})
    except Exception:  # other people's forward, at values that nobody promised it
        return np.full(len(e.claim), np.nan)
    outputs = np.concatenate([np.asarray(one, dtype=float).ravel() for one in found])
    return outputs.sum(keepdims=True) if e.method.kind == "sum" else outputs
