"""How far the gradients of a filled program are from what they claim to be, by differences at a few points.

This only chooses between readings of a convention; what is claimed is judged elsewhere, with bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.adapters.calls import posed
from gradcheck.adapters.calls.search import Filled
from gradcheck.problem import Array, Method, Problem

POINTS = 3
STEP = 1e-3


def off(filled: Filled, number: int = 0) -> dict[str, float]:
    """How far each claim of a derivative is off along random directions, relative to the derivative."""
    problem = posed.pose(filled, filled.trial)
    if number >= len(problem.methods) or problem.methods[number].kind == "jvp":
        return {}
    try:
        return shares_off(problem, problem.methods[number])
    except Exception:  # other people's code, at other values than those at which it ran
        return dict.fromkeys(problem.methods[number].wrt, np.inf)


def shares_off(problem: Problem, method: Method) -> dict[str, float]:
    """The same of one method of a problem: for each of its variables, 0 where it is right."""
    worst: dict[str, float] = {}
    for point in range(POINTS):
        rng = np.random.default_rng([7, point])
        values = {v.name: _moved(v.example, rng) if not v.constant else v.example for v in problem.variables}
        for name, (claimed, found) in slopes(problem, method, values, rng).items():
            size = max(abs(found), abs(claimed), 1e-30)
            share = abs(claimed - found) / size if np.isfinite([claimed, found]).all() else np.inf
            worst[name] = max(worst.get(name, 0.0), share)
    return worst


def slopes(
    problem: Problem, method: Method, values: Mapping[str, Array], rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """What a method claims, and what differences say, of ⟨cotangent, forward⟩ along a direction of each variable."""
    with np.errstate(all="ignore"):
        outputs = problem.forward(values)
        drawn = [np.asarray(rng.normal(size=one.shape)) for one in outputs]
        g = [np.ones_like(one) for one in outputs] if method.kind == "sum" else drawn
        found = {}
        said = products(problem, method, values, g)
        for name, row in said.items():
            direction = np.asarray(rng.normal(size=values[name].shape))
            moved = [_along(problem, values, name, direction, k * STEP, g) for k in (1, -1, 2, -2)]
            slope = (8 * (moved[0] - moved[1]) - (moved[2] - moved[3])) / (12 * STEP)
            found[name] = float(np.sum(row * direction)), float(slope)
        return found


def products(problem: Problem, method: Method, values: Mapping[str, Array], g: list[Array]) -> dict[str, Array]:
    """The rows `g · J` that a method claims, of those variables whose claim can be read."""
    from gradcheck.asking import layouts

    found: dict[str, Array] = {}
    copies = {name: np.array(value) for name, value in values.items()}
    answer = method.at(copies)([np.array(one) for one in g])
    for name, item in zip(method.wrt, answer, strict=True):
        if item is None:
            continue
        row: Any = np.asarray(item)
        if method.kind == "local":
            variable = problem.variable(name)
            try:
                row = layouts.read(row, variable.example.shape, g[0].shape, variable.role)(g[0])
            except ValueError:
                continue
        if row.size == values[name].size:
            found[name] = np.asarray(row, dtype=float).reshape(values[name].shape)
    return found


def _along(
    problem: Problem, values: Mapping[str, Array], name: str, direction: Array, step: float, g: list[Array]
) -> float:
    moved = problem.forward({**values, name: values[name] + step * direction})
    return float(sum(np.sum(a * b) for a, b in zip(moved, g, strict=True)))


def _moved(example: Array, rng: np.random.Generator) -> Array:
    """Other values of the same kind: of an example's size and sign."""
    return np.asarray(example * (1 + 0.2 * rng.uniform(-1, 1, size=example.shape)))
