"""Layers in many styles, all right, for the tests of the adapters."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Layer:
    """A minimal base: calling keeps inputs and outputs."""

    def __call__(self, *inputs: Any) -> Any:
        self.inputs = list(inputs)
        result = self.forward(*inputs)
        self.outputs = list(result) if isinstance(result, tuple) else [result]
        return result

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError

    def get_input_gradients(self) -> Any:
        return [self.slope()]

    def slope(self) -> Array:
        raise NotImplementedError

    def compose_input_gradients(self, J: Any) -> Any:
        return [J[0] * self.slope()]


class Dense(Layer):
    def __init__(self, input_size: int, output_size: int) -> None:
        self.w = np.linspace(-1, 1, input_size * output_size).reshape(input_size, output_size)
        self.b = np.zeros((1, output_size))

    @property
    def weights(self) -> list[Array]:
        return [self.w, self.b]

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        return x @ self.w + self.b

    def get_input_gradients(self) -> Any:
        return [self.w]

    def get_weight_gradients(self) -> Any:
        return [np.repeat(self.inputs[0][:, :, None], self.w.shape[1], axis=2), np.ones(self.b.shape)]

    def compose_input_gradients(self, J: Any) -> Any:
        return [J[0] @ self.w.T]

    def compose_weight_gradients(self, J: Any) -> Any:
        return [self.inputs[0].T @ J[0], J[0].sum(axis=0, keepdims=True)]


class Kept(Dense):
    """The same weights in a list, a tuple, a dict or a part of the object, by `how`."""

    def __init__(self, how: str = "list", size: int = 3) -> None:
        w, b = np.linspace(-1, 1, 4 * size).reshape(4, size), np.ones((1, size))
        self.how = how
        self.held: Any = {"list": [w, b], "tuple": (w, b), "dict": {"w": w, "b": b}, "part": Box(w, b)}[how]

    @property
    def weights(self) -> list[Array]:
        held = self.held
        if self.how == "part":
            return [held.w, held.b]
        return list(held.values()) if self.how == "dict" else list(held)

    def forward(self, x: Array) -> Array:
        w, b = self.weights
        return x @ w + b

    get_input_gradients = None  # type: ignore[assignment]
    get_weight_gradients = None  # type: ignore[assignment]

    def compose_input_gradients(self, J: Any) -> Any:
        return [J[0] @ self.weights[0].T]


class Box:
    def __init__(self, w: Array, b: Array) -> None:
        self.w, self.b = w, b


class Scale(Layer):
    """Three weights, one of them a tensor with an attribute of its own."""

    def __init__(self, features: int) -> None:
        self.a, self.c = np.linspace(1, 2, features), np.linspace(3, 4, features)
        self.t = Marked(np.linspace(5, 6, features), "mine")
        self.weights = [self.a, self.c, self.t]

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        return x * self.a * self.c + self.t

    def slope(self) -> Array:
        return self.a * self.c + np.zeros(self.inputs[0].shape)

    def compose_weight_gradients(self, J: Any) -> Any:
        x, g = self.inputs[0], J[0]
        return (g * x * self.c).sum(axis=0), (g * x * self.a).sum(axis=0), g.sum(axis=0)


class Marked(np.ndarray[Any, Any]):
    """A tensor that knows its name."""

    def __new__(cls, data: Any, name: str = "") -> Marked:
        array = np.asarray(data).view(cls)
        array.name = name
        return array

    def __array_finalize__(self, source: Any) -> None:
        self.name = getattr(source, "name", "")


class RunningMean(Layer):
    """Batch normalisation's mean; forward updates a running mean in place and a counter."""

    def __init__(self, features: int) -> None:
        self.running = np.zeros(features)
        self.calls = 0

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        self.running *= 0.9
        self.running += 0.1 * x.mean(axis=0)
        self.calls += 1
        return x - x.mean(axis=0)

    def compose_input_gradients(self, J: Any) -> Any:
        return [J[0] - J[0].mean(axis=0)]

    get_input_gradients = None  # type: ignore[assignment]


class Counting(Layer):
    """The output depends on how often it was called: each call must start from the beginning."""

    def __init__(self) -> None:
        self.factor = 1.0

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        self.factor *= 2
        return x * self.factor

    def slope(self) -> Array:
        return np.full(self.inputs[0].shape, self.factor)


class Noise(Layer):
    """Noise from a generator of its own, or from NumPy's global one."""

    def __init__(self, own: bool = True) -> None:
        self.rng = np.random.default_rng(3) if own else None

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        draw = self.rng.normal if self.rng is not None else np.random.normal
        self.noise = draw(size=x.shape)
        return x * self.noise

    def slope(self) -> Array:
        return np.asarray(self.noise)


class Greedy(Layer):
    """Writes into its input."""

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        y = np.sin(x)
        x[...] = 0
        return y

    def slope(self) -> Array:
        return np.cos(self.inputs[0])


class Remembers(Layer):
    """Computes its derivative once and never again."""

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        return np.sin(x)

    def slope(self) -> Array:
        if not hasattr(self, "first"):
            self.first = np.cos(self.inputs[0])
        return np.asarray(self.first)


class Product(Layer):
    """Two inputs of different shapes: a matrix product."""

    def forward(self, x: Array, y: Array) -> Array:  # type: ignore[override]
        if x.ndim != 2 or y.ndim != 2 or x.shape == y.shape:
            raise ValueError("two matrices that fit")
        return x @ y

    get_input_gradients = None  # type: ignore[assignment]

    def compose_input_gradients(self, J: Any) -> Any:
        x, y = self.inputs
        return J[0] @ y.T, x.T @ J[0]


class Sum(Layer):
    """Any number of inputs."""

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) < 2:
            raise TypeError("at least two")
        return sum(inputs)

    def compose_input_gradients(self, J: Any) -> Any:
        return [J[0]] * len(self.inputs)

    get_input_gradients = None  # type: ignore[assignment]


class Pool(Layer):
    """Means over 2 × 2 squares of images, (batch, height, width, channels)."""

    def forward(self, x: Array) -> Array:  # type: ignore[override]
        n, h, w, c = x.shape
        return np.asarray(x.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4)))

    get_input_gradients = None  # type: ignore[assignment]

    def compose_input_gradients(self, J: Any) -> Any:
        return [np.repeat(np.repeat(J[0], 2, axis=1), 2, axis=2) / 4]


# --- forward and backward, gradients left in attributes -----------------------------------------------


class LeavesAttributes:
    """x @ W + b, rows; `dW` and `db` are left behind."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.W = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out)
        self.b = np.linspace(0, 1, n_out)

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy: Array) -> Array:
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


class LeavesDict:
    """The same in dicts, `params` and `grads`."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.params = {"W": np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out), "b": np.linspace(0, 1, n_out)}
        self.grads: dict[str, Array] = {}

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy: Array) -> Array:
        self.grads = {"W": self.x.T @ dy, "b": dy.sum(axis=0)}
        return dy @ self.params["W"].T


class Parameter:
    def __init__(self, value: Array) -> None:
        self.value = value
        self.grad: Array | None = None


class LeavesInParameters:
    """Parameters with `.value` and `.grad`."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.weight = Parameter(np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out))
        self.bias = Parameter(np.linspace(0, 1, n_out))

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.weight.value + self.bias.value

    def backward(self, dy: Array) -> Array:
        self.weight.grad, self.bias.grad = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.weight.value.T


class ReturnsAll:
    """`backward` returns dx, dW, db."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.W = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out)
        self.b = np.linspace(0, 1, n_out)

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy: Array) -> tuple[Array, Array, Array]:
        return dy @ self.W.T, self.x.T @ dy, dy.sum(axis=0)


class ColumnSoftmax:
    """One sample, a column; `backward` knows no batch."""

    def forward(self, x: Array) -> Array:
        e = np.exp(x - x.max())
        self.y = e / e.sum()
        return np.asarray(self.y)

    def backward(self, dy: Array) -> Array:
        if self.y.shape[-1] != 1:
            raise ValueError("columns only")
        return (np.diag(self.y[:, 0]) - self.y @ self.y.T) @ dy


class SquaredLoss:
    """A loss whose `backward` takes nothing."""

    def forward(self, y_pred: Array, y_true: Array) -> Any:
        self.difference = y_pred - y_true
        return np.mean(self.difference**2)

    def backward(self) -> Array:
        return 2 * self.difference / self.difference.size


# --- updates on the way back ---------------------------------------------------------------------------


class Updates:
    """Learns in `backward_propagation`, in place or by rebinding."""

    def __init__(self, input_size: int, output_size: int, rebind: bool = False) -> None:
        self.weights = np.linspace(-1, 1, input_size * output_size).reshape(input_size, output_size)
        self.bias = np.linspace(0, 1, output_size).reshape(1, output_size)
        self.rebind = rebind

    def forward_propagation(self, input: Array) -> Array:
        self.input = input
        return input @ self.weights + self.bias

    def backward_propagation(self, output_error: Array, learning_rate: float) -> Array:
        input_error = output_error @ self.weights.T
        step_w = learning_rate * (self.input.T @ output_error)
        step_b = learning_rate * output_error.sum(axis=0, keepdims=True)
        if self.rebind:
            self.weights, self.bias = self.weights - step_w, self.bias - step_b
        else:
            self.weights -= step_w
            self.bias -= step_b
        return input_error


class ColumnUpdates:
    """W·x + b on a column, `backward(gradient, learning_rate)`: no batch axis at all."""

    def __init__(self, input_size: int, output_size: int) -> None:
        self.weights = np.linspace(-1, 1, input_size * output_size).reshape(output_size, input_size)
        self.bias = np.linspace(0, 1, output_size).reshape(output_size, 1)

    def forward(self, input: Array) -> Array:
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient: Array, learning_rate: float) -> Array:
        before = self.weights.T @ output_gradient
        self.weights = self.weights - learning_rate * (output_gradient @ self.input.T)
        self.bias = self.bias - learning_rate * output_gradient
        return before
