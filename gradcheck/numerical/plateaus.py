"""Steps in a row whose quotients agree: on a wave below the coarse steps, or between two kinks next to the point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.numerical.extrapolate import Best
from gradcheck.numerical.rounded import ROUNDING, WAVE, Point
from gradcheck.problem import Array

# So many neighbouring steps (a factor of 32) that agree are no coincidence, also where noise is underrated.
PLATEAU = 5


@dataclass
class Plateaus:
    """Runs of neighbouring quotients: the middle one, how far the others are from it, and the run's coarsest step.

    `edge`: f is flat up to a clean edge and straight beyond it (a clip next to the point), unlike rounding to a grid.
    """

    middle: Array
    spread: Array
    coarsest: Array
    steps: Array
    edge: Array
    bend: Array | None
    amplitude: Array

    @classmethod
    def of(cls, quotients: Array, steps: Array, noise: Array, bend: Array | None = None) -> Plateaus:
        """Return every run of PLATEAU quotients. `amplitude`: of f's noise at its coarsest step."""
        windows = np.lib.stride_tricks.sliding_window_view(quotients, PLATEAU, axis=0)
        middle = windows[..., PLATEAU // 2]
        with np.errstate(invalid="ignore"):
            spread = np.abs(windows - middle[..., None]).max(axis=-1)
        spread = np.where(np.isnan(spread), np.inf, spread)
        coarsest = steps[: len(middle), None]
        amplitude = coarsest * noise[: len(middle)]
        return cls(middle, spread, coarsest, steps, _edge(quotients, steps), bend, amplitude)

    def challenge(self, which: Array, found: Best, point: Point) -> tuple[Array, Array, Array]:
        """Return how far each finer plateau of entries `which` is from the value, whether it casts doubt, and
        refutes it."""
        gap = np.abs(self.middle[:, which] - found.value)
        finer = np.arange(len(gap))[:, None] >= found.level - 1
        other = finer & (gap > 10 * self.spread[:, which]) & (gap > 2 * found.bound)
        # The height of what the coarse steps do not see, against that of what they see.
        seen = np.maximum(point.height[which], np.abs(found.value) * point.near[which])
        height = gap * self.coarsest
        other &= height > point.grid[which]
        flat = (self.middle[:, which] == 0) & self.edge[which]
        heard = other & (height > self.amplitude[:, which])
        wave = (other & (height > point.eps**WAVE * seen)) | (heard & flat)
        if self.bend is not None:
            # Half-way between two different sides: no rounding of one slope, but a kink nearby.
            bend = np.minimum(self.bend[found.level, which], self.bend[found.start, which])
            wave |= heard & (bend > 0.3 * np.abs(found.value))
        return gap, other & (height > point.eps**ROUNDING * seen), wave


def _edge(quotients: Array, steps: Array) -> Array:
    """Return where f is flat at fine steps and straight from the first step on that moves it (but for that one)."""
    last = len(steps) - 1 - np.argmax((quotients != 0)[::-1], axis=0)
    at = last - np.arange(1, PLATEAU + 2)[:, None]
    here = np.arange(quotients.shape[1])
    rise = np.diff(quotients[at, here] * steps[at], axis=0) / np.diff(steps[at], axis=0)
    straight = np.abs(rise - rise[0]).max(axis=0) <= 0.05 * np.abs(rise[0])
    edge: Array = straight & (last > PLATEAU + 1) & (last < len(steps) - 3)
    return edge
