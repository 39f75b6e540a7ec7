"""Labels and predictions: the conventions that a loss takes, found by what its forward does.

Labels of −1 and 1 belong to a loss that stays the same where labels and predictions change their signs together.
Class numbers belong to one that takes them in place of rows; a column of 0 and 1 to one that takes a single column.
Numbers of either sign are predictions where forward is finite for them and moves with every one. Counts belong to
a loss that takes predictions above 1, and is a line in each label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck.problem import Array, Variable
from gradcheck.sampling import draw
from gradcheck.variants.offer import Offer, Usual
from gradcheck.variants.screen import outputs
from gradcheck.variants.variant import Variant

CLOSE = 1e-9


def labels(usual: Usual) -> Iterator[Offer]:
    """Offer the other conventions of a loss of one prediction and one label."""
    predictions = [v for v in usual.inputs if not v.constant]
    known = [v for v in usual.inputs if v.constant and v.data in ("one-hot", "class-indices")]
    if len(predictions) != 1 or len(known) != 1 or len(usual.inputs) != 2:
        return
    (pred,), (label,) = predictions, known
    for where, make in (
        ("for labels of −1 and 1", _signs),
        ("for labels that are class numbers", _numbers),
        ("for labels of 0 and 1 in one column", _column),
        ("for predictions of either sign", _either_sign),
        ("for labels that are counts", _counts),
        ("for labels that are all of one class", _one_class),
    ):
        yield Offer("labels", where, partial(_made, usual, pred, label, where, make))


Pair = tuple[Array, Array]


def _made(usual: Usual, pred: Variable, label: Variable, where: str, make: object) -> Variant | None:
    assert callable(make)
    rng = np.random.default_rng([usual.seed, 14])
    pair = make(_Loss(usual, pred, label), rng)
    if pair is None:
        return None
    of = _Loss(usual, pred, label)
    values = of.values(*pair)
    problem = usual.problem
    free = (replace(pred, example=pair[0], domain=None, data="real"), replace(label, example=pair[1], data="real"))
    given = {v.name: v for v in free}
    if where == "for labels of 0 and 1 in one column":
        given[pred.name] = replace(pred, example=pair[0])
    problem = replace(problem, variables=tuple(given.get(v.name, v) for v in problem.variables))
    return None if outputs(problem, values) is None else usual.variant("labels", where, values, problem)


class _Loss:
    """A loss as a function of its predictions and labels."""

    def __init__(self, usual: Usual, pred: Variable, label: Variable) -> None:
        self.usual = usual
        self.pred = pred
        self.label = label
        self.shape = np.shape(pred.example)

    def values(self, pred: Array, label: Array) -> dict[str, Array]:
        return {**self.usual.values, self.pred.name: pred, self.label.name: label}

    def __call__(self, pred: Array, label: Array) -> Array | None:
        """All outputs, flat; None where forward refuses."""
        found = outputs(self.usual.problem, self.values(pred, label))
        return None if found is None else np.concatenate([one.ravel() for one in found])

    def same(self, one: Array | None, other: Array | None) -> bool:
        return one is not None and other is not None and np.allclose(one, other, rtol=CLOSE, atol=CLOSE)

    @property
    def has_rows(self) -> bool:
        return len(self.shape) == 2 and np.shape(self.label.example) == self.shape

    def is_shift_invariant(self, pred: Array, label: Array) -> bool:
        """Whether only differences within a row matter, as in a softmax."""
        return self.same(self(pred, label), self(pred + 0.25, label))


def _signs(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    if np.shape(loss.label.example) != loss.shape or not loss.shape:
        return None
    pred, label = draw.generic(rng, loss.shape), rng.choice([-1.0, 1.0], loss.shape)
    return (pred, label) if loss.same(loss(pred, label), loss(-pred, -label)) else None


def _numbers(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    if not loss.has_rows or loss.label.data != "one-hot" or loss.shape[0] == loss.shape[1]:
        return None
    return loss.usual.values[loss.pred.name], np.asarray(rng.integers(0, loss.shape[1], loss.shape[0]))


def _column(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    if not loss.has_rows:
        return None
    shape = (loss.shape[0], 1)
    label = (np.arange(shape[0]) % 2).astype(float).reshape(shape)
    pred = draw.value(replace(loss.pred, example=np.zeros(shape)), rng, draw.generic)
    none = np.zeros(shape)
    moved = np.where(pred > 0.5, pred - 0.25, pred + 0.25)
    if loss.is_shift_invariant(pred, label) or loss.same(loss(pred, none), loss(moved, none)):
        return None  # a class of its own in each row: a softmax, or one that looks at the true class only
    return pred, label


def _either_sign(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    if loss.pred.data != "probabilities":
        return None
    label = loss.usual.values[loss.label.name]
    pred = draw.wide(rng, loss.shape) / 2
    base = loss(pred, label)
    if base is None or pred.size < 2:
        return None
    for entry in range(pred.size):
        moved = pred.copy()
        moved.flat[entry] += 0.25
        if loss.same(base, loss(moved, label)):
            return None  # it is clipped there, or does not matter
    return pred, label


def _counts(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    if np.shape(loss.label.example) != loss.shape or not loss.shape or loss.label.data != "one-hot":
        return None
    pred = np.abs(draw.wide(rng, loss.shape))
    none, one = np.zeros(loss.shape), np.ones(loss.shape)
    at = [loss(pred, none + n * one) for n in (0.0, 1.0, 2.0)]
    if any(found is None for found in at) or loss(-pred, one) is not None:
        return None
    is_line = np.allclose(at[2] - at[1], at[1] - at[0], rtol=CLOSE, atol=CLOSE)  # type: ignore[operator]
    if not is_line or loss.same(at[0], loss(2 * pred, none)) or loss.is_shift_invariant(pred, one):
        return None
    return pred, rng.integers(0, 6, loss.shape).astype(float)


def _one_class(loss: _Loss, rng: np.random.Generator) -> Pair | None:
    label = np.zeros_like(loss.usual.values[loss.label.name])
    if loss.label.data == "one-hot" and label.ndim:
        label[..., 0] = 1
    return loss.usual.values[loss.pred.name], label
