"""Right on one side of zero, wrong on the other: the slopes of ReLU and its relatives."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence
from gradcheck.diagnose.scale import say
from gradcheck.problem import Array


def one_side_wrong(e: Evidence) -> list[Cause]:
    """Wrong exactly where x < 0 (or x > 0), by one factor or with one value there."""
    if not e.elementwise:
        return []
    x = np.asarray(e.x, dtype=float).ravel()
    claim, right, tolerance = e.diagonal()
    wrong, judged = np.diagonal(e.wrong), np.diagonal(e.judged)
    for side, mask in (("negative", x < 0), ("positive", x > 0)):
        here, there = mask & judged, ~mask & (x != 0) & judged
        if here.sum() < 2 or not there.any() or not wrong[here].all() or wrong[there].any():
            continue
        return _name(side, claim[here], right[here], tolerance[here])
    return []


def _name(side: str, claim: Array, right: Array, tolerance: Array) -> list[Cause]:
    """Name the slope that is claimed on the wrong side."""
    alpha, claimed = float(right[0]), float(claim[0])
    one_value = (np.abs(right - alpha) <= 2 * tolerance) & (np.abs(claim - claimed) <= 2 * tolerance)
    if not one_value.all():  # nor where the claim is NaN
        return []
    evidence = f"right elsewhere; at {side} inputs it claims {say(claimed)}, and the derivative is {say(alpha)}"
    if alpha and abs(claimed + alpha) <= 4 * tolerance[0]:
        return [Cause("slope −α", f"For {side} inputs the slope has the wrong sign: −α for α.", evidence)]
    if abs(claimed - 1) <= 4 * tolerance[0]:
        sentence = (
            f"The slope is 1 everywhere: for {side} inputs, too, where it is {say(alpha)}. Is the mask overwritten?"
        )
        return [Cause("slope 1 everywhere", sentence, evidence)]
    sentence = f"Only the slope for {side} inputs is wrong: {say(claimed)} where forward has {say(alpha)}."
    return [Cause(f"wrong for {side} inputs", sentence, evidence)]
