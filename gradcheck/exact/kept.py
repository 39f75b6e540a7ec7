"""How many digits of an exact derivative a claim keeps in floats, and at which line it loses them."""

from __future__ import annotations

import numpy as np

from gradcheck.exact import session
from gradcheck.exact.arrays.array import Array
from gradcheck.exact.comparison import MOST_DIGITS, digits


def digits_kept(floats: Array, exact: Array, column: Array, sizes: Array, dtype: str) -> tuple[float, int]:
    """The fewest decimal digits that any entry of a gradient keeps of the scale of its rows, and which entry that is.

    `column`, `(colours, outputs)`: the entry of the variable that moves an output, −1 for none (as in an estimate): the
    scale of an output is the largest exact entry that moves it, or its own of `sizes`, `(outputs,)`, where several
    outputs cancel; that of an entry is the largest of its outputs'. Entries whose scale the type cannot hold are left
    out; where there is no other, all digits are kept.
    """
    entries = np.array([abs(float(ball)) if ball.is_finite() else np.nan for ball in exact])
    named = column >= 0
    moved = np.where(named, np.nan_to_num(entries)[column], 0.0)
    outputs = np.broadcast_to(np.maximum(moved.max(axis=0, initial=0.0), sizes), column.shape)
    scale = np.zeros(entries.size)
    np.maximum.at(scale, column[named], outputs[named])
    smallest = float(np.finfo(dtype).tiny)
    fewest, at = MOST_DIGITS, 0
    with session.precisely():
        for entry in np.flatnonzero(np.isfinite(entries) & (scale >= smallest)):
            kept = digits(float(floats[entry]), exact[entry], float(scale[entry]))
            if kept < fewest:
                fewest, at = kept, int(entry)
    return float(fewest), at
