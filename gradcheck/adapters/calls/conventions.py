"""Conventions that a pair may follow, each known, exact, and told by calling: never one that only some of it fits.

`averaged`: gradients by weights are divided by the batch, in every backward of the module, whose losses leave that out.
`at the output`: `sigmoid_derivative(a)` takes a = sigmoid(z), where no call in the module says otherwise. `fused`: what
is called the derivative of cross-entropy is that by the scores before the softmax (the sigmoid) of the module.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.calls import usage, words
from gradcheck.adapters.calls.measure import off
from gradcheck.adapters.calls.program import Derivative, Leaf, Output, Program, Source, Step
from gradcheck.adapters.calls.search import Filled, batch_axis, is_weight
from gradcheck.compiled import uncompiled
from gradcheck.problem import Array

# Differences of fourth order at steps of 1e-3: closer than this is the same, farther than that is another number.
SAME, OTHER = 1e-7, 1e-4
AVERAGED = "averaged over the batch, in every backward of its module: its losses leave the 1/batch out"
AT_OUTPUT = "the slope as a function of the output: it takes {name}(x), where others take x"
FUSED = "the gradient by the scores before the {name}, not by the probabilities that it takes"

Others = Callable[[Program], Sequence[Filled]]


def settled(filled: Filled, others: Others) -> Filled:
    """Return the program as it is to be read: with the convention that it follows, if it follows one exactly."""
    for number, derivative in enumerate(filled.program.derivatives):
        if derivative.step is None or filled.trial.stage < 2:
            continue
        found = off(filled, number)
        if not found or max(found.values()) < OTHER:
            continue
        for reading in (_at_output, _fused, _averaged):
            other = reading(filled, number, derivative, found, others)
            if other is not None:
                filled = other
                break
    return filled


def _replaced(filled: Filled, number: int, derivative: Derivative, **more: Any) -> Filled:
    derivatives = list(filled.program.derivatives)
    derivatives[number] = derivative
    return filled.of(replace(filled.program, derivatives=tuple(derivatives), **more))


def _at_output(
    filled: Filled, number: int, derivative: Derivative, found: dict[str, float], others: Others
) -> Filled | None:
    """The derivative's argument is what the function returns."""
    step = derivative.step
    leaves = {source.name for _, source in step.takes if isinstance(source, Leaf)} if step is not None else set()
    if step is None or derivative.form != "place" or len(leaves) != 1 or len(filled.trial.outputs) != 1:
        return None
    f = filled.program.steps[0]
    takes: tuple[tuple[str, Source], ...] = tuple(
        (name, filled.program.outputs[0] if isinstance(source, Leaf) else source) for name, source in step.takes
    )
    text = AT_OUTPUT.format(name=f.name)
    other = _replaced(filled, number, replace(derivative, step=replace(step, takes=takes), convention=text))
    if not _fits(other, number):
        return None
    said = usage.asked_at(step.function, f.name, step.name, _switched_on if derivative.switched else _any)
    if said is None:
        return None if derivative.switched or _someone_takes_the_input(filled, others) else other
    return other if said == "output" else None


def _someone_takes_the_input(filled: Filled, others: Others) -> bool:
    """Whether another pair of the module is right at the input only: then nothing is agreed upon."""
    for one in others(filled.program):
        for number, derivative in enumerate(one.program.derivatives):
            if derivative.form == "place" and not derivative.switched and len(one.trial.variables()) == 1:
                at_input = off(one, number)
                step = derivative.step
                if step is None or not at_input or max(at_input.values()) > SAME or one.trial.outputs[0].size == 1:
                    continue
                takes = tuple((name, one.program.outputs[0]) for name, _ in step.takes)
                other = _replaced(one, number, replace(derivative, step=replace(step, takes=takes)))
                if not _fits(other, number):
                    return True
    return False


def _any(call: ast.Call) -> bool:
    return True


def _switched_on(call: ast.Call) -> bool:
    values = [*call.args[1:], *(one.value for one in call.keywords)]
    return any(isinstance(one, ast.Constant) and one.value in (True, 1) for one in values)


def _fits(filled: Filled, number: int) -> bool:
    found = off(filled, number) if filled.trial.stage == 2 else {}
    return bool(found) and max(found.values()) < SAME


@dataclass(frozen=True)
class Squashed:
    """A softmax over the last axis, or a sigmoid."""

    kind: str

    def __call__(self, scores: Array) -> Array:
        if self.kind == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-scores)))
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _fused(
    filled: Filled, number: int, derivative: Derivative, found: dict[str, float], others: Others
) -> Filled | None:
    """The loss is one of probabilities, and its derivative that by the scores of which they are made."""
    step, f = derivative.step, filled.program.steps[0]
    if step is None or derivative.form != "place" or len(filled.program.derivatives) != 1:
        return None
    if len(filled.trial.matched[number]) != 1:
        return None
    [leaf] = filled.trial.matched[number]
    names = {name.lower() for name in getattr(uncompiled(f.function), "__globals__", {})}
    for kind in ("softmax", "sigmoid"):
        if not any(kind in name for name in names):
            continue
        squash = Step(Squashed(kind), kind, (("scores", Leaf(leaf)),))

        def moved(takes: tuple[tuple[str, Source], ...]) -> tuple[tuple[str, Source], ...]:
            return tuple((name, Output(0) if source == Leaf(leaf) else source) for name, source in takes)

        claims = replace(derivative, step=replace(step, takes=moved(step.takes)), convention=FUSED.format(name=kind))
        steps = (squash, replace(f, takes=moved(f.takes)))
        other = filled.of(Program(steps, (Output(1, filled.program.outputs[0].index),), (claims,)), real=leaf)
        if _fits(other, number):
            return other
    return None


def _averaged(
    filled: Filled, number: int, derivative: Derivative, found: dict[str, float], others: Others
) -> Filled | None:
    """Every weight's gradient is divided by the batch, and the inputs' are not."""
    if derivative.form != "product" or batch_axis(filled.trial) is None or not averages(filled, number):
        return None
    for one in others(filled.program):
        if any(_has_weights(one, n) and not averages(one, n) for n in range(len(one.program.derivatives))):
            return None
        if _is_loss_that_divides(one):
            return None
    return _replaced(filled, number, replace(derivative, convention=AVERAGED, averaged=True))


def averages(filled: Filled, number: int) -> bool:
    """Whether the gradients by weights are right but for 1/batch, and all others are right."""
    derivative = filled.program.derivatives[number]
    if derivative.form != "product" or filled.trial.stage < 2 or batch_axis(filled.trial) is None:
        return False
    plain, scaled = off(filled, number), off(_replaced(filled, number, replace(derivative, averaged=True)), number)
    return bool(plain) and max(scaled.values()) < SAME and max(plain.values()) > OTHER


def _has_weights(filled: Filled, number: int) -> bool:
    matched = filled.trial.matched[number] if number < len(filled.trial.matched) else {}
    return filled.program.derivatives[number].form == "product" and any(
        words.WEIGHTS.fullmatch(filled.trial.places[name].key) and is_weight(filled.trial, name) for name in matched
    )


def _is_loss_that_divides(filled: Filled) -> bool:
    """A loss of predictions (not of weights) with a gradient, whose value is a mean: half of it for twice the rows."""
    trial = filled.trial
    claimed = [name for matched in trial.matched for name in matched]
    if trial.stage < 2 or not trial.known.of_loss or any(is_weight(trial, name) for name in claimed):
        return False
    return trial.outputs[0].size == 1 and any(_is_mean(filled, name) for name in claimed)


def _is_mean(filled: Filled, name: str) -> bool:
    from gradcheck.adapters.calls.posed import pose

    problem = pose(filled, filled.trial)
    values = {v.name: v.example for v in problem.variables}
    rows = {len(value) for value in values.values() if value.ndim}
    if len(rows) != 1:
        return False
    twice = {key: np.concatenate([value, value]) if value.ndim else value for key, value in values.items()}
    try:
        once, again = problem.forward(values)[0], problem.forward(twice)[0]
    except Exception:  # it does not take twice as many rows
        return False
    return bool(np.allclose(once, again, rtol=1e-9))


def texts(filled: Filled) -> Iterator[str]:
    """The conventions that are followed, by derivative."""
    yield from (one.convention for one in filled.program.derivatives)
