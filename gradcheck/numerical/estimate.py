"""What the numerical stage hands on: a value and a bound for every entry of a Jacobian."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradcheck.problem import Array


class TooLarge(Exception):
    """A Jacobian has more entries to estimate than it may."""


@dataclass(frozen=True)
class Cost:
    """`forward` calls and rows (first-axis length, summed) by stage: structure, steps, certificate, …"""

    calls: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """The Jacobian of all outputs (flattened and concatenated) by one variable.

    Inputs that share no output are one *colour* and were perturbed together (Curtis, Powell & Reid
    1974), so an entry stands at `[colour, output]`. All arrays have shape `(colours, outputs)`:

    - `value`, `bound`: the derivative, and what its error cannot exceed (truncation + rounding);
    - `truncation`, `rounding`: the two parts of `bound`;
    - `step`: the step of the chosen difference;
    - `column`: the flat index of the variable's entry, −1 where the colour does not touch the output.

    Every entry of the full Jacobian that no `column` names is zero by structure, and certified to be:
    its bound is `zero_bound`, one number per output. `variation`, one number per output too, is how far f moves
    over steps of the size of x, divided by them: the size of a derivative where none is known; 0 if f stays as it is.

    `kink` marks entries whose one-sided derivatives disagree beyond their bounds; `left` and `right`
    hold these. `jump` marks a discontinuity of the value itself. `infinite (2, colours, outputs)` is the sign of a
    one-sided derivative (left, right) that grows without limit, else 0. `one_sided` is 1 where f is known on the right
    of the point alone, and −1 on the left alone: the derivative is that side's. These are None where there are none.
    An entry that could not be estimated has an infinite bound, and `reason` says why.
    """

    wrt: str
    variable_shape: tuple[int, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    structure: str
    value: Array
    bound: Array
    truncation: Array
    rounding: Array
    step: Array
    column: Array
    zero_bound: Array
    variation: Array
    kink: Array | None = None
    jump: Array | None = None
    left: Array | None = None
    right: Array | None = None
    infinite: Array | None = None
    one_sided: Array | None = None
    reason: str | None = None
    cost: Cost = field(default_factory=Cost)

    def dense(self, field_name: str = "value") -> Array:
        """Return one of the arrays as a full `(outputs, variable size)` matrix."""
        outputs = self.value.shape[1]
        size = int(np.prod(self.variable_shape))
        source = getattr(self, field_name)
        matrix = np.zeros((outputs, size), dtype=source.dtype)
        if field_name == "bound":
            matrix[:] = self.zero_bound[:, None]
        colour, output = np.nonzero(self.column >= 0)
        matrix[output, self.column[colour, output]] = source[colour, output]
        return matrix


def largest_known(value: Array, bound: Array) -> float:
    """Return the largest |value| that is above its bound: the size of a derivative that is not zero. 0 if all may be.

    >>> largest_known(np.array([1.0, -3.0, 5.0]), np.array([0.1, 0.1, np.inf]))
    3.0
    """
    if not value.size:
        return 0.0
    # Mostly the largest of all is known; these two need no array of their own.
    at = max(int(value.argmax()), int(value.argmin()), key=lambda i: abs(value.flat[i]))
    if abs(value.flat[at]) > bound.flat[at]:
        return float(abs(value.flat[at]))
    size = np.abs(value)
    return float(np.max(size, where=size > bound, initial=0.0))


def size_of_derivative(value: Array, bound: Array, outputs: Array, x: Array) -> float:
    """Return the largest derivative that is known; where all may be zero, what f's size lets expect: |f| / max(|x|, 1).

    >>> nothing = np.zeros(2)
    >>> size_of_derivative(nothing, nothing, np.array([6.0, np.nan]), np.array([0.5, 2.0]))
    3.0
    """
    f = float(np.max(np.abs(outputs), where=np.isfinite(outputs), initial=0.0))
    return largest_known(value, bound) or f / max(float(np.abs(x).max(initial=0.0)), 1.0)


def size_of_rows(value: Array, bound: Array, variation: Array) -> Array:
    """Return the largest |value| of each output `(outputs,)` above its bound; its variation if all may be zero."""
    largest = np.maximum(value.max(axis=0, initial=0), -value.min(axis=0, initial=0))
    # Where the largest of all is known, no array of the others is needed.
    if value.size and not (largest > np.max(bound, axis=0)).all():
        size = np.abs(value)
        largest = np.max(size, axis=0, where=size > bound, initial=0.0)
    return np.where(largest > 0, largest, variation)
