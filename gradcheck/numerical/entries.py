"""What is known of the entries of a Jacobian, before it is handed on as an `Estimate`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.problem import Array


@dataclass
class Entries:
    """One number per entry each, of shape `(colours, outputs)`.

    At a kink the value lies between the sides `left` and `right`, whose bound is the bound. `one_sided`: +1 where f is
    known on the right alone, −1 on the left alone. A derivative that grows without limit has sides of ±∞.
    """

    value: Array
    truncation: Array
    rounding: Array
    step: Array
    kink: Array
    jump: Array
    left: Array
    right: Array
    one_sided: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        # One number for all entries can only be the zero of a function without truncation: large arrays are dear.
        return np.add(self.truncation, self.rounding) if any(self.truncation.strides) else self.rounding

    @property
    def is_smooth(self) -> bool:
        """Whether nothing is known of any entry but a value and a bound."""
        return not any(self.kink.strides)

    @classmethod
    def nothing(cls, *shape: int) -> Entries:
        """Return entries of which nothing is known."""
        return cls.smooth(np.zeros(shape), np.full(shape, np.inf), np.zeros(shape), np.zeros(shape)).own()

    @classmethod
    def smooth(cls, value: Array, truncation: Array, rounding: Array, step: Array) -> Entries:
        """Return entries without kinks, which share what they can: `own` lets them be replaced."""
        no = np.broadcast_to(False, value.shape)
        both = np.broadcast_to(np.int8(0), value.shape)
        return cls(value, truncation, rounding, step, no, no, value, value, both)

    def own(self) -> Entries:
        """Return the same in arrays of its own."""
        return Entries(*(getattr(self, field.name).copy() for field in fields(self)))

    def put(self, where: Array | slice, other: Entries) -> None:
        """Replace entries."""
        for field in fields(self):
            getattr(self, field.name)[where] = getattr(other, field.name)

    def take_surer(self, where: Array, other: Entries) -> None:
        """Replace entries of some colours by others, if these have a smaller bound. Both are without kinks."""
        surer = other.bound < self.bound[where]
        for name in ("value", "truncation", "rounding", "step"):
            own = getattr(self, name)
            own[where] = np.where(surer, getattr(other, name), own[where])

    def reshape(self, *shape: int) -> Entries:
        """Return the same in another shape."""
        return Entries(*(getattr(self, field.name).reshape(shape) for field in fields(self)))
