"""Warnings of what a training step uses and does not train, for nothing else would tell."""

from __future__ import annotations

import warnings
from collections.abc import Callable as Function
from collections.abc import Iterable
from typing import Any

from beras.core import Tensor, Variable, Weighted
from beras.gradient_tape import GradientTape
from beras.weights import Composite


def warn_of_hidden_weights(
    model: Composite, tape: GradientTape, data: Iterable[Any], loss_fn: Function[..., Any]
) -> None:
    """Say so when a step on `data` uses a layer, or a Variable, that the model cannot find.

    A loss that is a layer may have weights: they are its own affair.
    """
    known = {id(array) for array in (*model.weights, *data)}
    who = type(model).__name__
    for layer in tape.previous_layers.values():
        if layer is loss_fn:
            continue
        if isinstance(layer, Weighted) and any(id(weight) not in known for weight in layer.trainable_variables):
            _warn_of_hidden(f"{who}.forward uses a {type(layer).__name__}")
        for x in layer.inputs:
            if isinstance(x, Variable) and x.trainable and id(x) not in known:
                known.add(id(x))
                _warn_of_hidden(f"{who}.forward, or the loss, uses a Variable of shape {x.shape}")


def _warn_of_hidden(uses: str) -> None:
    warnings.warn(
        f"{uses} that is not among the model's weights and will not be trained: keep it in an attribute (or a list or "
        "dict in one), or set its `trainable` to False",
        stacklevel=5,  # who called batch_step
    )


def warn_of_lost_gradients(model: Composite, trainable: list[Tensor], gradients: list[Tensor | None]) -> None:
    """Say so when the loss does not depend on a weight: unused, or cut off (`np.asarray` in `forward`)."""
    lost = {id(weight) for weight, gradient in zip(trainable, gradients, strict=True) if gradient is None}
    if lost:
        names = [name for name, weight in model.named_weights().items() if id(weight) in lost]
        warnings.warn(f"the loss does not depend on {', '.join(names)}: they will not be trained", stacklevel=4)
