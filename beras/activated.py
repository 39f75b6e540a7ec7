"""An activation inside another layer: `Dense(64, activation="relu")`."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras import activations
from beras.arrays import Array
from beras.core import Diffable
from beras.recorder import recording

NAMES: dict[str, type[Diffable]] = {
    "relu": activations.ReLU,
    "leaky_relu": activations.LeakyReLU,
    "sigmoid": activations.Sigmoid,
    "tanh": activations.Tanh,
    "softmax": activations.Softmax,
    "log_softmax": activations.LogSoftmax,
    "gelu": activations.GELU,
    "elu": activations.ELU,
    "selu": activations.SELU,
    "silu": activations.SiLU,
    "swish": activations.SiLU,
    "softplus": activations.Softplus,
}


def activation_of(given: Any, who: str) -> Diffable | None:
    """Return the activation that an option says: an object, a name, or none (`None`, "linear").

    Raises `TypeError` for a class and for anything else, `ValueError` for an unknown name.
    """
    if given is None or given == "linear":
        return None
    if isinstance(given, str):
        if given not in NAMES:
            raise ValueError(f"{who} does not know the activation {given!r}; known are {', '.join(map(repr, NAMES))}")
        return NAMES[given]()
    if isinstance(given, type):
        raise TypeError(f"{who} expects an activation, got the class {given.__name__}: write {given.__name__}()")
    if not isinstance(given, Diffable) or given.weights:
        raise TypeError(f"{who} expects an activation without weights, or its name, got {given!r}")
    return given


class Activated:
    """One call of an activation in a layer, with a state of its own: `y` from `z`, and the gradient back through it."""

    def __init__(self, activation: Diffable, z: Array) -> None:
        self.call = activation.snapshot()
        self.y = np.asarray(self.call(z))

    def back(self, g: Any, z: Any = None, y: Any = None) -> Any:
        """Return the gradient by `z` from `g`, that by `y`: plain where a tape records but could not.

        `z`, `y`: the tensors that a tape knows them by, where one records.
        """
        call = self.call
        if recording.tape is None or not hasattr(call.input_gradients_for, "recordable"):
            tape, recording.tape = recording.tape, None
            try:
                [by_z] = Diffable.snapshot(call._last.call).input_gradients_for([np.asarray(g)], [True])
            finally:
                recording.tape = tape
            return np.asarray(by_z)
        seen = call.snapshot()
        seen.__dict__ |= {"inputs": [z], "outputs": [y]}
        [by_z] = seen.input_gradients_for([g], [True])
        return by_z
