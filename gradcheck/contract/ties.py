"""Where entries tie, each may follow a convention of its own, but not all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradcheck import sampling
from gradcheck.contract.setting import ROUNDINGS, NotTried, Setting, needed
from gradcheck.problem import Array

# How far all inputs are moved, and which share of all gradients may be missing: a tie that is counted twice or not at
# all is far more, so that two evaluations of forward are enough.
STEP = 2.0**-13
SLACK = 1e-6


def add_up(s: Setting) -> Iterator[str]:
    """The gradients by all inputs add up to the derivative along the direction in which all inputs move alike.

    Ties stay ties on that way, so that a maximum, say, is smooth: if each of two equal entries claims the whole
    gradient, or neither does, each claim alone is a one-sided derivative, and together they are twice too large, or
    nothing.
    """
    if s.subject.fixed and not s.subject.examples:
        raise NotTried("it is checked at the given point only")
    inputs = [v for v in s.problem.variables if v.role == "input" and not v.constant]
    names = [v.name for v in inputs if v.data == "real" and v.domain is None and s.values[v.name].dtype.kind == "f"]
    if len(names) < len(inputs) or sum(s.values[name].size for name in names) < 2:
        raise NotTried("its inputs cannot tie")
    values = s.copies() | {name: sampling.ties(s.rng, s.values[name].shape) for name in names}
    behind, here, ahead = (_outputs(s, values, names, step) for step in (-STEP, 0.0, STEP))
    asked = [method for method in s.methods if method.kind == "vjp" and set(names) <= set(method.wrt)]
    for method in needed(asked, "no method takes a gradient and answers for all inputs"):
        g = s.arguments(method)
        answer = s.ask(method, values={name: np.array(value) for name, value in values.items()}, arguments=g)
        said = [np.asarray(answer[method.wrt.index(name)], dtype=float) for name in names]
        claimed, size = sum(float(one.sum()) for one in said), sum(float(np.abs(one).sum()) for one in said)
        moved, bound = _moved(g, behind, here, ahead)
        if abs(claimed - moved) > bound + SLACK * (size + abs(moved)):
            yield f"{method.name} adds up to {claimed:.4g} over all inputs, where f moves by {moved:.4g} with them"


def _outputs(s: Setting, values: dict[str, Array], names: Sequence[str], step: float) -> list[Array]:
    outputs = s.problem.forward(values | {name: values[name] + step for name in names})
    return [np.asarray(output, dtype=float) for output in outputs]


def _moved(
    g: Sequence[Array], behind: Sequence[Array], here: Sequence[Array], ahead: Sequence[Array]
) -> tuple[float, float]:
    """Return the derivative of ⟨g, f⟩ along the way, and a bound: twice what the two sides disagree about."""
    moved = bound = 0.0
    for upstream, low, middle, high in zip(g, behind, here, ahead, strict=True):
        moved += float((upstream * (high - low)).sum()) / (2 * STEP)
        apart = 2 * np.abs(high - 2 * middle + low) + ROUNDINGS * np.finfo(float).eps * np.abs(middle)
        bound += float((np.abs(upstream) * apart).sum()) / STEP
    return moved, bound
