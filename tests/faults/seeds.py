"""Code in three older styles with the mistakes that such code was found to have, and corrected versions.

Written anew to behave like the originals, bugs included: `input_gradients` and `compose_to_input`;
`forward_propagation` and `backward_propagation`; graph nodes with operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.faults.base import Array, Call, Fault

# --- input_gradients / compose_to_input -------------------------------------------------------------


def clipped(p: Array) -> Array:
    """p, kept 10⁻⁶ away from 0 and 1."""
    return np.clip(p, 1e-6, 1 - 1e-6)


class OldBinaryCrossEntropy:
    """−mean of y·log p + (1 − y)·log(1 − p); its gradient forgets the mean over the batch, and the clip."""

    def __init__(self) -> None:
        self.inputs: Any = None
        self.truths: Any = None

    def __call__(self, inputs: Array, truths: Array) -> Any:
        return self.forward(inputs, truths)

    def forward(self, inputs: Array, truths: Array) -> Any:
        self.inputs, self.truths = inputs, truths
        return -np.mean(truths * np.log(clipped(inputs)) + (1 - truths) * np.log(clipped(1 - inputs)))

    def input_gradients(self) -> Array:
        p = self.inputs
        return (p - self.truths) / clipped(p - p**2) / p.shape[-1]

    def compose_to_input(self, J: Any) -> Array:
        return self.input_gradients() * J


class OldBinaryCrossEntropyRight(OldBinaryCrossEntropy):
    def input_gradients(self) -> Array:
        p = self.inputs
        inside = (p > 1e-6) & (p < 1 - 1e-6)
        safe = np.where(inside, p, 0.5)
        return np.where(inside, (p - self.truths) / (safe - safe**2), 0.0) / p.size


# --- forward_propagation / backward_propagation -------------------------------------------------------


class AffineUnsummed:
    """y = (W·xᵀ + b)ᵀ with W `(out, in)`, b `(out, 1)`; the bias gradient is right for one sample only."""

    def __init__(self, input_size: int = 4, output_size: int = 3) -> None:
        rng = np.random.default_rng(5)
        self.weights = rng.normal(size=(output_size, input_size)).round(2)
        self.bias = rng.normal(size=(output_size, 1)).round(2)

    def forward_propagation(self, input_data: Array) -> Array:
        self.input = input_data
        self.output = (self.weights @ input_data.T + self.bias).T
        return self.output

    def bias_gradient(self, output_grad: Array) -> Array:
        return output_grad.T

    def backward_propagation(self, output_grad: Array, learning_rate: float) -> Array:
        before = output_grad @ self.weights
        self.weights -= learning_rate * (output_grad.T @ self.input)
        self.bias -= learning_rate * self.bias_gradient(output_grad)
        return before


class AffineSummed(AffineUnsummed):
    def bias_gradient(self, output_grad: Array) -> Array:
        return output_grad.T.sum(axis=1, keepdims=True)


class Activation:
    """An elementwise function and its derivative, handed over as functions."""

    def __init__(self, activation: Callable[[Array], Array], activation_grad: Callable[[Array], Array]) -> None:
        self.activation = activation
        self.activation_grad = activation_grad

    def forward_propagation(self, input_data: Array) -> Array:
        self.input = input_data
        self.output = self.activation(input_data)
        return self.output

    def backward_propagation(self, output_grad: Array, learning_rate: float) -> Array:
        return self.activation_grad(self.input) * output_grad


def overflowing_sigmoid(x: Array) -> Array:
    """Right to the last digit, with an overflow warning below −709."""
    return 1 / (1 + np.exp(-x))


def overflowing_sigmoid_grad(x: Array) -> Array:
    return overflowing_sigmoid(x) * (1 - overflowing_sigmoid(x))


def stable_sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def stable_sigmoid_grad(x: Array) -> Array:
    return stable_sigmoid(x) * (1 - stable_sigmoid(x))


def tanh_grad(x: Array) -> Array:
    return 1 - np.tanh(x) ** 2


def mse(y_true: Array, y_pred: Array) -> Any:
    """Mean over all entries."""
    return np.mean((y_true - y_pred) ** 2)


def mse_grad(y_true: Array, y_pred: Array) -> Array:
    """Divides by the length of the first axis."""
    return -2 * (y_true - y_pred) / len(y_true)


def mse_grad_right(y_true: Array, y_pred: Array) -> Array:
    return -2 * (y_true - y_pred) / y_true.size


def squared_error(grad: Callable[[Array, Array], Array]) -> Callable[[], Call]:
    """`mse` of `y_pred` with fixed labels, beside one of the two gradients."""

    def loss(y_pred: Array) -> Any:
        return mse(Y_TRUE.astype(y_pred.dtype), y_pred)

    return lambda: Call(loss, (Y_PRED,), {"grad": lambda y_pred: grad(Y_TRUE.astype(y_pred.dtype), y_pred)})


# --- graph nodes and operations -----------------------------------------------------------------------


class Node:
    """A value in a graph, with the operation that made it; gradients add up in `grad`."""

    def __init__(self, value: Any, inputs: tuple[Any, ...] = (), parameters: tuple[Any, ...] = ()) -> None:
        self.value = np.asarray(value)
        self.input_nodes = list(inputs)
        self.func_parameters = list(parameters)
        self.func: Any = None
        self.grad: Any = None

    def backward(self, g: Any = None) -> None:
        """Walk every path; each visit adds in place to an array that others may hold."""
        g = np.ones_like(self.value) if g is None else g
        if self.grad is None:
            self.grad = g
        else:
            self.grad += g
        if self.func is not None:
            for node, gradient in zip(
                self.input_nodes, self.func.backward(*self.input_nodes, *self.func_parameters, g), strict=False
            ):
                node.backward(gradient)


class SafeNode(Node):
    """Adds into an array of its own."""

    def backward(self, g: Any = None) -> None:
        super().backward(np.ones_like(self.value) if g is None else np.array(g))


class Operation:
    """A forward on nodes and a backward that returns a tuple, one gradient per input node."""

    def __call__(self, *args: Any) -> Node:
        node: Node = self.forward(*args)
        node.func = self
        return node

    @staticmethod
    def forward(*args: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def backward(*args: Any) -> Any:
        raise NotImplementedError


class Addition(Operation):
    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return type(x)(x.value + y.value, (x, y))

    @staticmethod
    def backward(x: Any, y: Any, gradient: Array) -> Any:
        return gradient, gradient


class ReLU(Operation):
    """Its mask sets what is negative to 0, and then all that is not negative to 1: every entry."""

    @staticmethod
    def forward(x: Any) -> Any:
        return type(x)(np.maximum(x.value, 0), (x,))

    @staticmethod
    def backward(x: Any, gradient: Array) -> Any:
        mask = np.array(x.value)
        mask[mask < 0] = 0
        mask[mask >= 0] = 1
        return (mask * gradient,)


class ReLURight(ReLU):
    @staticmethod
    def backward(x: Any, gradient: Array) -> Any:
        return (np.where(x.value > 0, gradient, 0),)


def spread_tanh(x: Array) -> Array:
    """tanh with max |x| taken off both exponents: 0/0 for an entry that is much smaller than the largest."""
    top = np.abs(x).max()
    up, down = np.exp(x - top), np.exp(-x - top)
    with np.errstate(invalid="ignore"):
        return (up - down) / (up + down)


class TanH(Operation):
    """Its values are right near the largest input, and 0/0 far below it, derivative included."""

    @staticmethod
    def forward(x: Any) -> Any:
        return type(x)(spread_tanh(x.value), (x,))

    @staticmethod
    def backward(x: Any, gradient: Array) -> Any:
        return ((1 - spread_tanh(x.value) ** 2) * gradient,)


class TanHSpreadBackward(TanH):
    """The same derivative beside a forward that is right."""

    @staticmethod
    def forward(x: Any) -> Any:
        return type(x)(np.tanh(x.value), (x,))


class TanHRight(TanHSpreadBackward):
    @staticmethod
    def backward(x: Any, gradient: Array) -> Any:
        return ((1 - np.tanh(x.value) ** 2) * gradient,)


class Selection(Operation):
    """x[slice]; its backward forgets the comma that makes a tuple."""

    def gradcheck_example(self) -> tuple[Any, ...]:
        return np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]]), (slice(None), slice(0, 2))

    @staticmethod
    def forward(x: Any, slice: Any) -> Any:
        return type(x)(x.value[slice], (x,), (slice,))

    @staticmethod
    def backward(x: Any, slice: Any, gradient: Array) -> Any:
        whole = np.zeros(x.value.shape, gradient.dtype)
        whole[slice] = gradient
        return whole


class SelectionRight(Selection):
    @staticmethod
    def backward(x: Any, slice: Any, gradient: Array) -> Any:
        return (Selection.backward(x, slice, gradient),)


class Power(Operation):
    """x ** power; the gradient by `power` takes the logarithm of x, whatever its sign."""

    def gradcheck_example(self) -> tuple[Any, ...]:
        return np.array([[-1.5, 0.5, -2.0]]), np.array([[2.0, 3.0, 3.0]])

    @staticmethod
    def forward(x: Any, power: Any) -> Any:
        return type(x)(x.value**power.value, (x, power))

    @staticmethod
    def backward(x: Any, power: Any, gradient: Array) -> Any:
        base, exponent = x.value, power.value
        return exponent * base ** (exponent - 1) * gradient, np.log(base) * base**exponent * gradient


class PowerRight(Power):
    """The power is data: x may be negative, and there is no derivative by its exponent."""

    constant_inputs = ("power",)

    @staticmethod
    def backward(x: Any, power: Any, gradient: Array) -> Any:
        return power.value * x.value ** (power.value - 1) * gradient, None


class PowerPositive(Power):
    def gradcheck_example(self) -> tuple[Any, ...]:
        return np.array([[1.5, 0.5, 2.0]]), np.array([[2.0, -3.0, 0.5]])


def walk(node: type[Node]) -> Callable[[], Call]:
    """(x + x) + y, its gradient by walking the graph of `node`s."""

    def forward(x: Array, y: Array) -> Array:
        return x + x + y

    def gradients(x: Array, y: Array, g: Array) -> tuple[Array, Array]:
        first, second = node(x), node(y)
        add = Addition()
        add(add(first, first), second).backward(np.array(g))
        return first.grad, second.grad

    return lambda: Call(forward, (np.array([0.5, -1.5]), np.array([2.0, 0.25])), {"vjp": gradients})


Y_TRUE = np.array([[1.0, 0.0, 0.5], [0.25, -1.0, 2.0]])
Y_PRED = np.array([[0.5, 0.75, -0.5], [1.0, -2.0, 0.25]])

FAULTS = [
    Fault("001's cross-entropy without 1/batch", OldBinaryCrossEntropy, OldBinaryCrossEntropyRight, "1/batch missing"),
    Fault(
        "003's squared error",
        squared_error(mse_grad),
        squared_error(mse_grad_right),
        "1/features missing",
    ),
    Fault("004's ReLU", ReLU, ReLURight, "slope 1 everywhere"),
    Fault("004's tanh beside a right forward", TanHSpreadBackward, TanHRight, "not finite"),
    Fault("004's selection without a tuple", Selection, SelectionRight, "array instead of a list"),
    Fault("004's power of a negative base", Power, PowerRight, "not finite"),
    Fault("004's walk adds in place", walk(Node), walk(SafeNode), "extra factor 2"),
]

RIGHT = [
    lambda: Activation(np.tanh, tanh_grad),
    lambda: Activation(stable_sigmoid, stable_sigmoid_grad),
    AffineSummed,
    PowerPositive,
]
