"""Right numbers, broken manners: each breaks one item of the contract around a derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.faults.base import Array, upstream
from tests.faults.dense import Dense
from tests.faults.elementwise import Sigmoid, Sine

FORMS = "gradients have the shape and dtype of what they differentiate"


class ForwardChangesInput(Sine):
    def forward(self, x: Array) -> Array:
        y = np.sin(x)
        if x.flags.writeable:
            x += 1
        return y

    def __call__(self, *inputs: Any) -> Any:
        kept = [np.array(array) for array in inputs]
        result = self.forward(*inputs)
        self.inputs, self.outputs = kept, [result]
        return result


class BackwardChangesUpstream(Sine):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        if J is None or J[0] is None:
            return self.get_input_gradients()
        g = J[0]
        product = g * np.cos(self.inputs[0])
        if g.flags.writeable:
            g *= 0
        return [product]


class BackwardChangesInput(Sine):
    def get_input_gradients(self) -> list[Any]:
        slope = np.cos(self.inputs[0])
        self.inputs[0][...] = 0
        return [slope]


class BackwardClipsInput(Sine):
    """Writes into its input what no second answer needs."""

    def get_input_gradients(self) -> list[Any]:
        self.slopes = self.slopes if hasattr(self, "slopes") else np.cos(self.inputs[0])
        self.inputs[0][...] = 0
        return [self.slopes]

    def __call__(self, *inputs: Any) -> Any:
        self.__dict__.pop("slopes", None)
        return super().__call__(*inputs)


class BackwardChangesWeight(Dense):
    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        result = super().compose_weight_gradients(J)
        self.w += 1.0
        return result


class RandomDerivative(Sine):
    def slope(self, x: Array) -> Array:
        return np.cos(x) * (1 + 1e-3 * np.random.normal())  # noqa: NPY002


class RandomForward(Sine):
    """Noise without a pinned seed."""

    generator = np.random.default_rng()

    def forward(self, x: Array) -> Array:
        self.factor = 1 + 0.1 * self.generator.normal(size=x.shape)
        return np.sin(x) * self.factor

    def slope(self, x: Array) -> Array:
        return np.cos(x) * self.factor


class SecondAnswerDiffers(Sine):
    """Empties its cache with the first answer."""

    def __call__(self, *inputs: Any) -> Any:
        self.asked = 0
        return super().__call__(*inputs)

    def get_input_gradients(self) -> list[Any]:
        self.asked += 1
        return [np.cos(self.inputs[0]) * (self.asked == 1)]


class AlwaysFloat64(Sine):
    def get_input_gradients(self) -> list[Any]:
        return [np.cos(self.inputs[0]).astype(np.float64)]


class IntegerGradient(Sine):
    """Right numbers: a slope of 0 and 1 is an integer array, whatever x is."""

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def get_input_gradients(self) -> list[Any]:
        return [(self.inputs[0] > 0).astype(int)]

    def slope(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, 0.0)


class FloatingGradient(IntegerGradient):
    def get_input_gradients(self) -> list[Any]:
        return Sine.get_input_gradients(self)


class SquaredUpstream(Sine):
    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_input_gradients()[0]
        return [local if g is None else g * np.abs(g) * local]


class ComposeDisagrees(Sine):
    """The local gradient is right; its product with the upstream gradient is not."""

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        local = self.get_input_gradients()[0]
        return [local if g is None else 2 * g * local]


class FirstCallKept(Sigmoid):
    """Keeps the first derivative of each shape for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: dict[Any, Array] = {}

    def slope(self, x: Array) -> Array:
        return self.cache.setdefault(x.shape, super().slope(x))


class WeightCopied(Dense):
    def get_input_gradients(self) -> list[Any]:
        return [np.array(self.w)]

    def get_weight_gradients(self) -> list[Any]:
        return [np.array(one) for one in super().get_weight_gradients()]


class WeightHandedOut(Dense):
    """Right, until a caller scales the gradient in place: it is the weight itself."""

    def get_input_gradients(self) -> list[Any]:
        return [self.w]


class ReadOnlyGradient(Dense):
    def get_input_gradients(self) -> list[Any]:
        return [np.broadcast_to(self.w, self.w.shape)]


class MaskHandedOut(Sine):
    """What is written into an answer is in the next one."""

    def __call__(self, *inputs: Any) -> Any:
        self.mask = self.slope(inputs[0])
        return super().__call__(*inputs)

    def get_input_gradients(self) -> list[Any]:
        return [self.mask]


@dataclass(frozen=True)
class Broken:
    """A subject, the contract item that it breaks (or that is noted), and a subject that keeps it."""

    subject: type
    item: str
    right: type
    verdict: str = "broken"


BROKEN = [
    Broken(BackwardChangesInput, "asking twice gives the same answer", Sine),
    Broken(BackwardChangesWeight, "derivatives leave weights alone", Dense),
    Broken(RandomForward, "forward is deterministic", Sine),
    Broken(RandomDerivative, "derivatives are deterministic", Sine),
    Broken(SecondAnswerDiffers, "asking twice gives the same answer", Sine),
    Broken(SquaredUpstream, "vector-Jacobian products are linear", Sine),
    Broken(ComposeDisagrees, "vector-Jacobian products agree with the local gradients", Sine),
    Broken(FirstCallKept, "earlier calls leave no trace", Sigmoid),
    Broken(ForwardChangesInput, "forward leaves its inputs alone", Sine, "noted"),
    Broken(BackwardChangesUpstream, "derivatives leave the upstream gradient alone", Sine, "noted"),
    Broken(BackwardClipsInput, "derivatives leave their inputs alone", Sine, "noted"),
    Broken(AlwaysFloat64, FORMS, Sine, "noted"),
    Broken(IntegerGradient, FORMS, FloatingGradient, "noted"),
    Broken(WeightHandedOut, "gradients are arrays of their own", WeightCopied, "noted"),
    Broken(ReadOnlyGradient, "gradients are arrays of their own", WeightCopied, "noted"),
    Broken(MaskHandedOut, "gradients are arrays of their own", Sine, "noted"),
]
