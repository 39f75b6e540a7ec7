"""An activation inside another layer: `Dense(64, activation="relu")`."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras import activations
from beras.arrays import Array
from beras.core import Diffable
from beras.jacobians import Composed
from beras.recorder import operand, recording
from beras.tensor import Tensor, wrap

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


class Activating(Composed):
    """A layer whose output goes through an activation, if it has one."""

    activation: Diffable | None

    def activated(self, z: Array) -> Tensor:
        """Return what the activation makes of `z`, to be returned by `forward`."""
        if self.activation is None:
            return wrap(z)
        call = self.activation.snapshot()  # of this call alone
        y: Tensor = call(z)
        self._saving = call._last.call
        return y

    def on_tape(self) -> Any:
        """Return `z` once more, in operations that a tape knows. Without it, a tape cannot record the derivative."""
        return None

    def before_activation(self, J: list[Array]) -> Any:
        """Return the gradient by `z` from that by the output: plain where a tape records but could not."""
        if self.activation is None:
            return J[0]
        return self.once(J, self._before_activation)

    def _before_activation(self, J: list[Array]) -> Any:
        call, tape = self.saved, recording.tape
        if tape is None or not hasattr(call.input_gradients_for, "recordable") or (z := self.on_tape()) is None:
            recording.tape = None
            try:
                [g] = call.input_gradients_for([np.asarray(J[0])], [True])
            finally:
                recording.tape = tape
            return np.asarray(g)
        seen = call.snapshot()
        seen.__dict__ |= {"inputs": [z], "outputs": [operand(self.outputs[0])]}
        [g] = seen.input_gradients_for(J, [True])
        return g
