"""Learning rates that change with the number of the step: functions of it, for any optimizer.

A schedule is anything that is called with the number of the step, 0 at the first, and returns the learning rate.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from beras.checks import number, number_between, whole_number

Schedule = Callable[[int], float]


def rate_of(schedule: Schedule, step: int) -> float:
    """Return what a schedule says. Raises `TypeError`, `ValueError` where that is no learning rate."""
    return float(number_between(schedule(step), type(schedule).__name__, "learning_rate", 0.0, math.inf))


class PiecewiseConstantDecay:
    """In steps: `values[0]` up to and including `boundaries[0]`, `values[1]` up to `boundaries[1]`, and so on.

    >>> [PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])(step) for step in (0, 10, 11, 20, 21)]
    [0.1, 0.1, 0.01, 0.01, 0.001]
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float]) -> None:
        self.boundaries = [whole_number(b, "PiecewiseConstantDecay", "a boundary", 0) for b in boundaries]
        self.values = [number(value, "PiecewiseConstantDecay", "a value") for value in values]
        if len(self.values) != len(self.boundaries) + 1 or self.boundaries != sorted(self.boundaries):
            raise ValueError(
                "PiecewiseConstantDecay expects boundaries that ascend and one value more, got "
                f"{len(self.boundaries)} boundaries and {len(self.values)} values"
            )

    def __call__(self, step: int) -> float:
        """Return the learning rate at this step."""
        return self.values[bisect_left(self.boundaries, step)]


class ExponentialDecay:
    """`initial_learning_rate · decay_rate^(step / decay_steps)`; with `staircase=True` the exponent is rounded down.

    >>> [ExponentialDecay(0.5, 10, 0.5)(step) for step in (0, 10, 20)]
    [0.5, 0.25, 0.125]
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "ExponentialDecay", "initial_learning_rate")
        self.decay_steps = whole_number(decay_steps, "ExponentialDecay", "decay_steps")
        self.decay_rate = number_between(decay_rate, "ExponentialDecay", "decay_rate", 0.0, math.inf)
        self.staircase = bool(staircase)

    def __call__(self, step: int) -> float:
        """Return the learning rate at this step."""
        exponent = step // self.decay_steps if self.staircase else step / self.decay_steps
        return float(self.initial_learning_rate * self.decay_rate**exponent)


class CosineDecay:
    """From `initial_learning_rate` to `alpha` times that within `decay_steps`, on half a period of the cosine.

    `rate · ((1 − alpha) · (1 + cos(π · step / decay_steps)) / 2 + alpha)`, constant afterwards. With `warmup_target`,
    it first rises in a straight line from `initial_learning_rate` to that within `warmup_steps`, and decays from there.
    Loshchilov & Hutter 2017.

    >>> [round(CosineDecay(1.0, 10, alpha=0.2)(step), 3) for step in (0, 5, 10, 99)]
    [1.0, 0.6, 0.2, 0.2]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = number(initial_learning_rate, "CosineDecay", "initial_learning_rate")
        self.decay_steps = whole_number(decay_steps, "CosineDecay", "decay_steps")
        self.alpha = number_between(alpha, "CosineDecay", "alpha", 0.0, math.inf)
        self.warmup_target = None if warmup_target is None else number(warmup_target, "CosineDecay", "warmup_target")
        self.warmup_steps = whole_number(warmup_steps, "CosineDecay", "warmup_steps", 0)

    def __call__(self, step: int) -> float:
        """Return the learning rate at this step."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            step, top = step - self.warmup_steps, self.warmup_target
        falling = (1 + math.cos(math.pi * min(step / self.decay_steps, 1.0))) / 2
        return top * ((1 - self.alpha) * falling + self.alpha)


class WarmUp:
    """`after`, a learning rate or a schedule, times `step / steps` in the first `steps` steps.

    A schedule begins when the rise ends. Goyal et al. 2017.

    >>> [WarmUp(0.5, 4)(step) for step in (0, 1, 4, 9)]
    [0.0, 0.125, 0.5, 0.5]
    """

    def __init__(self, after: float | Schedule, steps: int) -> None:
        self.after = after if callable(after) else number(after, "WarmUp", "after")
        self.steps = whole_number(steps, "WarmUp", "steps")

    def __call__(self, step: int) -> float:
        """Return the learning rate at this step."""
        target = self.after(max(step - self.steps, 0)) if callable(self.after) else self.after
        return target * min(step / self.steps, 1.0)
