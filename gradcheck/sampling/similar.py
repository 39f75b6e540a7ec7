"""Points like one that is known, to see whether what was found there holds elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.errors import CannotBuild
from gradcheck.problem import Subject
from gradcheck.sampling import Point, draw, points

NEAR = 2


def similar(subject: Subject, first: Point, seed: int) -> Iterator[Point]:
    """Yield points of another seed that are like the first one.

    A generic point has generic ones of other sizes, a special one those with its label; where the values are given, it
    is the values near them.
    """
    with contextlib.suppress(CannotBuild):
        for point in points(subject, seed):
            special = point.special or point.edge or point.size
            if subject.fixed and not special:
                yield from (_near(point, np.random.default_rng([seed, 12, number])) for number in range(NEAR))
            elif first.special or first.edge or first.size:
                if point.label == first.label:
                    yield point
            elif not special and not subject.fixed and _shapes(point) != _shapes(first):
                yield point


def _shapes(point: Point) -> list[tuple[int, ...]]:
    return [np.shape(point.values[v.name]) for v in point.problem.variables if v.role == "input"]


def _near(point: Point, rng: np.random.Generator) -> Point:
    values = dict(point.values)
    for v in point.problem.variables:
        if not v.constant and v.data == "real":
            values[v.name] = draw.near(np.asarray(values[v.name]), rng)
    return replace(point, values=values, label="near what is given")
