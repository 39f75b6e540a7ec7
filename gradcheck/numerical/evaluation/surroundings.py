"""What is known of f around the point before any derivative is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.evaluation.evaluate import Evaluator
from gradcheck.numerical.evaluation.steps import Domain, random_numbers, scales
from gradcheck.numerical.evaluation.structure import Structure
from gradcheck.problem import Array

# How far an entry moves along a random direction, as shares of its scale. Few bits, so that x + h is exact at all but
# the finest steps, and below 1, so that no entry changes its sign. Eight of them: three bits of a number say which.
SHARES = np.array([-7, -6, -5, -4, 4, 5, 6, 7]) / 8


@dataclass(frozen=True)
class Surroundings:
    """f around the point.

    `wide`: f computed in long double, where forward takes it; `scale (entries,)`: what steps are shares of;
    `directions (2, entries)`: random ones, in which every entry moves by about its scale; `ends (2, outputs)`: how f
    changes ahead and behind along the first; `inexact (outputs,)`: how inexact f is said to be.
    """

    evaluator: Evaluator
    wide: Evaluator | None
    scale: Array
    domain: Domain
    directions: Array
    ends: Array
    inexact: Array

    @classmethod
    def of(cls, evaluator: Evaluator, domain: Domain, accuracy: float, rng: np.random.Generator) -> Surroundings:
        """Look around. `accuracy`: relative, of f."""
        scale = scales(evaluator.x, domain)
        drawn = random_numbers(rng, 2 * scale.size, np.uint8) & (len(SHARES) - 1)
        directions = np.take(SHARES, drawn).reshape(2, -1) * scale
        ends, _ = evaluator.along(directions[0], np.array([1.0, -1.0]), domain, "surroundings")
        inexact = accuracy * np.abs(evaluator.f0)
        return cls(evaluator, evaluator.in_long_double(), scale, domain, directions, ends, inexact)

    def stack(self, names: tuple[str, ...]) -> None:
        """Have variables repeated along the batch, so that several points take one call."""
        for evaluator in (self.evaluator, self.wide):
            if evaluator is not None:
                evaluator.perturbed.stacked = names

    @property
    def best(self) -> Evaluator:
        """The evaluator that rounds least."""
        return self.wide or self.evaluator

    def variation(self, structure: Structure) -> Array:
        """Return how far outputs move over steps of the size of x, divided by the norm of those that move them."""
        moved = np.where(np.isfinite(self.ends), np.abs(self.ends), 0).max(axis=0)
        with np.errstate(over="ignore"):
            squares = np.square(self.directions[0])[structure.index].sum(axis=0)
        norm = np.sqrt(np.broadcast_to(structure.spread(squares), moved.shape))
        variation: Array = np.divide(moved, norm, out=np.zeros(moved.shape), where=norm > 0)
        return variation
