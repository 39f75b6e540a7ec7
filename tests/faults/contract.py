"""Right numbers, broken manners: each breaks one item of the contract around a derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tests.faults.base import Array, Diffable, Elementwise, upstream
from tests.faults.coupling import BatchNorm
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
    """Right at integer points, where a gradient of 0 and 1 is an integer array."""

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def get_input_gradients(self) -> list[Any]:
        x = self.inputs[0]
        return [(x > 0).astype(x.dtype)]

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


class SamplesLeak(Sine):
    """A sample's gradient gets a share of its neighbour's."""

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        (product,) = super().compose_input_gradients(J)
        return [product if J is None else product + 0.1 * np.roll(product, 1, axis=0)]


class OverflowWarning(Elementwise):
    """The textbook sigmoid: right numbers, and an overflow warning below −709."""

    def forward(self, x: Array) -> Array:
        return 1 / (1 + np.exp(-x))

    def slope(self, x: Array) -> Array:
        y = self.forward(x)
        return y * (1 - y)


class NotFiniteInSaturation(Sigmoid):
    def slope(self, x: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.exp(-x) / (1 + np.exp(-x)) ** 2


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


class UnguardedAtZero(Elementwise):
    """The right number from a division that need not have been: a warning at probabilities of 0."""

    input_data: ClassVar = {"x": "probabilities"}

    def forward(self, x: Array) -> Array:
        return -np.log(np.maximum(x, 1e-6)) if x.dtype.kind == "f" else np.zeros(x.shape)

    def slope(self, x: Array) -> Array:
        inside = x > 1e-6
        return np.where(inside, -1 / self.divisor(x, inside), 0)

    def divisor(self, x: Array, inside: Array) -> Array:
        return x


class GuardedAtZero(UnguardedAtZero):
    def divisor(self, x: Array, inside: Array) -> Array:
        return np.where(inside, x, 1)


class TiesShare(Diffable):
    """The largest entry of each row; entries that tie for it share its gradient."""

    def forward(self, x: Array) -> Array:
        return x.max(axis=1, keepdims=True)

    def share(self, largest: Array) -> Array:
        return largest / largest.sum(axis=1, keepdims=True)

    def get_input_gradients(self) -> list[Any]:
        raise NotImplementedError("it has no compact layout")

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        x = self.inputs[0]
        return [
            np.asarray(upstream(J) * self.share(x == self.outputs[0]), dtype=x.dtype if x.dtype.kind == "f" else float)
        ]


class WholeToEachTie(TiesShare):
    """The usual mask: each of two equal entries gets the whole gradient."""

    def share(self, largest: Array) -> Array:
        return largest


class NothingToTies(TiesShare):
    def share(self, largest: Array) -> Array:
        return largest & (largest.sum(axis=1, keepdims=True) == 1)


@dataclass(frozen=True)
class Broken:
    """A subject, the contract item that it breaks (or that is noted), and a subject that keeps it."""

    subject: type
    item: str
    right: type
    verdict: str = "broken"


BROKEN = [
    Broken(ForwardChangesInput, "forward leaves its inputs alone", Sine),
    Broken(BackwardChangesUpstream, "derivatives leave the upstream gradient alone", Sine),
    Broken(BackwardChangesInput, "derivatives leave inputs and weights alone", Sine),
    Broken(BackwardChangesWeight, "derivatives leave inputs and weights alone", Dense),
    Broken(RandomForward, "forward is deterministic", Sine),
    Broken(RandomDerivative, "derivatives are deterministic", Sine),
    Broken(SecondAnswerDiffers, "asking twice gives the same answer", Sine),
    Broken(AlwaysFloat64, FORMS, Sine, "noted"),
    Broken(IntegerGradient, FORMS, FloatingGradient, "noted"),
    Broken(WeightHandedOut, "gradients are arrays of their own", WeightCopied, "noted"),
    Broken(ReadOnlyGradient, "gradients are arrays of their own", WeightCopied, "noted"),
    Broken(MaskHandedOut, "gradients are arrays of their own", Sine, "noted"),
    Broken(SquaredUpstream, "vector-Jacobian products are linear", Sine),
    Broken(ComposeDisagrees, "vector-Jacobian products agree with the local gradients", Sine),
    Broken(FirstCallKept, "earlier calls leave no trace", Sigmoid),
    Broken(WholeToEachTie, "gradients at ties add up", TiesShare),
    Broken(NothingToTies, "gradients at ties add up", TiesShare),
    Broken(SamplesLeak, "samples do not leak into each other", BatchNorm),
    Broken(OverflowWarning, "no floating-point warnings", Sigmoid),
    Broken(UnguardedAtZero, "no floating-point warnings", GuardedAtZero),
    Broken(NotFiniteInSaturation, "gradients are finite", Sigmoid),
]
