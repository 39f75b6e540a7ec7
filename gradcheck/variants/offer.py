"""What may be tried: a kind, words for it, and how the variant is made, which runs the checked code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.problem import Array, Problem, Subject, Variable
from gradcheck.sampling import Point, draw
from gradcheck.variants.screen import outputs
from gradcheck.variants.variant import Kind, Variant


@dataclass(frozen=True)
class Offer:
    """`make()` returns the variant; None where it is not offered: forward refuses it, or it makes no difference.

    Of a `group`, nothing more is tried once a claim is wrong. With `quiet`, no note says that it cannot be asked.
    """

    kind: Kind
    where: str
    make: Callable[[], Variant | None]
    group: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Usual:
    """The subject, and its first ordinary point, beside which variants stand."""

    subject: Subject
    point: Point
    seed: int

    @property
    def problem(self) -> Problem:
        """The usual problem."""
        return self.point.problem

    @property
    def values(self) -> dict[str, Array]:
        """The usual values."""
        return self.point.values

    @property
    def inputs(self) -> list[Variable]:
        """The inputs, data that are held constant included."""
        return [v for v in self.problem.variables if v.role == "input"]

    def filled(self, problem: Problem) -> dict[str, Array]:
        """Values for another problem: the usual ones where they fit, else new ones of the same kind."""
        rng = np.random.default_rng([self.seed, 12])
        found = {}
        for v in problem.variables:
            usual = self.values.get(v.name)
            fits = usual is not None and usual.shape == np.shape(v.example)
            found[v.name] = usual if fits and usual is not None else draw.value(v, rng, draw.generic)
        return found

    def reshaped(self, shapes: Mapping[str, tuple[int, ...]], problem: Problem | None = None) -> Problem:
        """A problem (the usual one), asked on inputs of other shapes."""
        problem = problem or self.problem
        return replace(problem, variables=_with(problem.variables, shapes))

    @cached_property
    def with_room(self) -> Problem:
        """The usual problem with room."""
        return self.larger(self.problem)

    @cached_property
    def outputs_with_room(self) -> list[Array] | None:
        """What forward returns there."""
        return outputs(self.with_room, self.filled(self.with_room))

    @cached_property
    def outputs_elsewhere(self) -> list[Array] | None:
        """What it returns at other values."""
        return self.elsewhere(self.with_room)

    def elsewhere(self, problem: Problem) -> list[Array] | None:
        """What forward returns nearer to 0, or to where a domain begins.

        Two settings of a loss, one number, may agree by chance, or because rows of predictions and labels sum to 1.
        """
        values = self.filled(problem)
        lows = {v.name: v.domain[0] if v.domain else 0.0 for v in problem.variables if not v.constant}
        lows = {name: low if np.isfinite(low) else 0.0 for name, low in lows.items()}
        return outputs(problem, {**values, **{name: low + 0.75 * (values[name] - low) for name, low in lows.items()}})

    def larger(self, problem: Problem) -> Problem:
        """The problem with larger images or longer sequences, if forward takes them: strides and windows need room."""
        inputs = {v.name: np.shape(v.example) for v in problem.variables if v.role == "input" and not v.constant}
        first = next(iter(inputs.values()), ())
        for axes in ((2, 3), (1, 2), (2,), (1,)):
            if len(first) < 3 or axes[-1] >= len(first):
                continue
            longer = {name: _longer(shape, axes) for name, shape in inputs.items() if len(shape) == len(first)}
            made = replace(problem, variables=_with(problem.variables, longer))
            if outputs(made, self.filled(made)) is not None:
                return made
        return problem

    def variant(self, kind: Kind, where: str, values: dict[str, Array], problem: Problem | None = None) -> Variant:
        """A variant of the usual problem, at other values."""
        return Variant(kind, where, problem or self.problem, values, self.subject)


def _with(variables: Sequence[Variable], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Variable, ...]:
    return tuple(replace(v, example=_repeated(v.example, shapes[v.name])) if v.name in shapes else v for v in variables)


def _repeated(example: Array, shape: tuple[int, ...]) -> Array:
    """The example again and again along each axis, so that one-hot rows and columns stay what they are."""
    if example.ndim != len(shape) or not example.size:
        return np.resize(example, shape)
    return np.asarray(example[np.ix_(*(np.arange(n) % m for n, m in zip(shape, example.shape, strict=True)))])


def _longer(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Odd along the first of the axes, even along the second, whatever they were."""
    grown = {axis: shape[axis] + (5 if shape[axis] % 2 == number else 4) for number, axis in enumerate(axes)}
    return tuple(grown.get(axis, length) for axis, length in enumerate(shape))
