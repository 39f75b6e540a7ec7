"""A loss that is never written: the code starts from `A − Y`, which says which loss it is.

Where predictions of a sample add up to 1 it is cross-entropy after a softmax, where they lie in (0, 1) cross-entropy
after a sigmoid, else half the squared error; summed, or averaged over the batch, as most of the gradients say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.adapters.calls.measure import off
from gradcheck.adapters.calls.program import Leaf, Output, Step
from gradcheck.adapters.calls.search import Filled
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array

TINY = 1e-8


@dataclass(frozen=True)
class Loss:
    """One reading of the loss: its kind, the axis of classes, and whether it is averaged over the batch."""

    kind: str
    axis: int
    averaged: bool

    def __call__(self, prediction: Array, labels: Array) -> Array:
        target = as_target(prediction, np.asarray(labels), self.axis)
        if self.kind == "softmax":
            value = -np.sum(target * np.log(prediction))
        elif self.kind == "sigmoid":
            value = -np.sum(target * np.log(prediction) + (1 - target) * np.log(1 - prediction))
        else:
            value = 0.5 * np.sum((prediction - target) ** 2)
        samples = prediction.size / prediction.shape[self.axis] if prediction.ndim > 1 else prediction.size
        return np.asarray(value / samples if self.averaged else value)

    @property
    def words(self) -> str:
        """The loss as a report calls it."""
        named = {
            "softmax": "cross-entropy after a softmax",
            "sigmoid": "cross-entropy after a sigmoid",
            "squares": "half the squared error",
        }[self.kind]
        return f"{named}, {'averaged' if self.averaged else 'summed'} over the batch"


def as_target(prediction: Array, labels: Array, axis: int) -> Array:
    """Labels in the shape of a prediction: class numbers as one-hot, a vector as a row or a column."""
    if labels.shape == prediction.shape:
        return labels
    if labels.size == prediction.size:
        return labels.reshape(prediction.shape)
    hot = np.moveaxis(np.eye(prediction.shape[axis], dtype=prediction.dtype)[labels.astype(int).ravel()], -1, axis)
    return np.asarray(hot.reshape(prediction.shape))


def with_loss(filled: Filled) -> Filled:
    """Return the program with the loss that its derivative starts from.

    Raises CannotBuild where no reading makes any of the gradients right: nothing says which was meant.
    """
    labels = filled.program.unwritten
    prediction = np.asarray(filled.trial.outputs[0])
    for loss in _readings(prediction):
        step = Step(loss, "loss", (("prediction", filled.program.outputs[0]), ("labels", Leaf(labels))))
        program = replace(
            filled.program,
            steps=(*filled.program.steps, step),
            outputs=(Output(len(filled.program.steps)),),
            told=f"; its loss is not written, and read as {loss.words}",
        )
        found = filled.of(program)
        if found.trial.stage == 2 and any(value < TINY for value in off(found).values()):
            return found
    raise CannotBuild(
        f"the loss is not written, and no gradient of {filled.program.derivatives[0].name} is that of cross-entropy "
        "or half the squared error: write the loss as a function"
    )


def _readings(prediction: Array) -> Iterator[Loss]:
    axis, kind = -1, "squares"
    inside = bool(((prediction > 0) & (prediction < 1)).all())
    for number in range(prediction.ndim):
        if inside and prediction.shape[number] > 1 and np.allclose(prediction.sum(axis=number), 1):
            axis, kind = number, "softmax"
    if kind != "softmax" and inside:
        kind = "sigmoid"
    for one in dict.fromkeys((kind, "squares")):
        for at in (axis,) if kind == "softmax" else range(prediction.ndim):
            yield Loss(one, at, True)
        yield Loss(one, axis, False)
