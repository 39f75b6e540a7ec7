"""What was found out about many entries, one number per entry each."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from gradcheck.problem import Array


@dataclass
class Found:
    """One number per entry each. At a kink the value lies between the sides, whose bound is the bound.

    `whole`: whether the steps of a whole ladder were needed.
    """

    value: Array
    truncation: Array
    rounding: Array
    step: Array
    kink: Array
    jump: Array
    left: Array
    right: Array
    whole: Array

    @property
    def bound(self) -> Array:
        """Truncation + rounding."""
        # One number for all entries can only be the zero of a function without truncation: large arrays are dear.
        return np.add(self.truncation, self.rounding) if any(self.truncation.strides) else self.rounding

    @property
    def climbed(self) -> Array:
        """The colours for some of whose entries a whole ladder was needed."""
        return np.flatnonzero(self.whole.any(axis=1)) if any(self.whole.strides) else np.zeros(0, dtype=np.intp)

    @property
    def bent(self) -> bool:
        """Whether there is a kink or a jump."""
        # One number for all entries can only be that of a smooth function: large arrays are dear.
        return any(self.kink.strides) and bool(self.kink.any() or self.jump.any())

    @classmethod
    def nothing(cls, *shape: int) -> Found:
        """Return entries of which nothing is known."""
        zero, no = np.zeros(shape), np.zeros(shape, dtype=bool)
        return cls(zero, np.full(shape, np.inf), zero, zero, no, no, zero, zero, no).own()

    @classmethod
    def smooth(cls, value: Array, truncation: Array, rounding: Array, step: Array) -> Found:
        """Return entries without kinks, which share what they can: `own` lets them be replaced."""
        no = np.broadcast_to(False, value.shape)
        return cls(value, truncation, rounding, step, no, no, value, value, no)

    def own(self) -> Found:
        """Return the same in arrays of its own."""
        return Found(*(getattr(self, field.name).copy() for field in fields(self)))

    def where(self, which: Array, other: Found) -> Found:
        """Return the same with another's numbers where that is said."""
        return Found(*(np.where(which, getattr(other, f.name), getattr(self, f.name)) for f in fields(self)))

    def put(self, where: Array | slice, other: Found) -> None:
        """Replace entries."""
        for field in fields(self):
            getattr(self, field.name)[where] = getattr(other, field.name)

    def reshape(self, *shape: int) -> Found:
        """Return the same in another shape."""
        return Found(*(getattr(self, field.name).reshape(shape) for field in fields(self)))
