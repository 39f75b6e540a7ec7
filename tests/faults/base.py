"""A tiny Beras of the tests' own, so that planted faults depend on nothing that is under test.

Calling a module keeps `inputs` and `outputs`; the derivative methods are about that call. `J` is a
list with one upstream gradient per output; without it the local gradients are handed back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Diffable:
    """Base of all planted modules; `inputs`, `outputs` and `weights` are lists."""

    def __init__(self) -> None:
        self.inputs: list[Array] = []
        self.outputs: list[Array] = []
        self.weights: list[Array] = []

    def __call__(self, *inputs: Any) -> Any:
        self.inputs = [np.asarray(array) for array in inputs]
        result = self.forward(*self.inputs)
        self.outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        return result

    def forward(self, x: Array) -> Any:
        raise NotImplementedError

    def get_input_gradients(self) -> list[Any]:
        raise NotImplementedError

    def get_weight_gradients(self) -> list[Any]:
        return []

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        raise NotImplementedError

    def compose_weight_gradients(self, J: Any = None) -> list[Any]:
        return []


def like(gradient: Any, x: Array) -> Array:
    """Give a gradient the type of what it differentiates; integers have floating gradients."""
    return np.asarray(gradient, dtype=x.dtype if x.dtype.kind == "f" else np.float64)


def upstream(J: Any) -> Any:
    """Return the first upstream gradient of `J`, `None` where there is none."""
    return None if J is None or J[0] is None else np.asarray(J[0])


class Elementwise(Diffable):
    """y = f(x), entry by entry; a subclass says `forward(x)` and `slope(x)` = f'(x)."""

    def slope(self, x: Array) -> Array:
        raise NotImplementedError

    def get_input_gradients(self) -> list[Any]:
        return [like(self.slope(self.inputs[0]), self.inputs[0])]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        slope = self.get_input_gradients()[0]
        return [slope if g is None else g * slope]


class Loss(Diffable):
    """A scalar of `y_pred` and the constant `y_true`; a subclass says `forward` and `gradient`."""

    constant_inputs = ("y_true",)

    def forward(self, y_pred: Array, y_true: Array) -> Any:  # type: ignore[override]
        raise NotImplementedError

    def gradient(self, p: Array, y: Array) -> Array:
        raise NotImplementedError

    def get_input_gradients(self) -> list[Any]:
        p, y = self.inputs
        return [like(self.gradient(p, y), p), like(np.zeros(y.shape), y)]

    def compose_input_gradients(self, J: Any = None) -> list[Any]:
        g = upstream(J)
        scale = 1.0 if g is None else g
        return [scale * local for local in self.get_input_gradients()]


@dataclass(frozen=True)
class Call:
    """What is handed to `gradcheck.check` for a plain function: the function, points and derivatives."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    derivatives: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A planted mistake: what is wrong, its corrected twin, and the name of the cause that fits.

    `wrong` and `right` are a class, or make a fresh subject (an instance, or a `Call`). `claim` is the
    derivative that is wrong where only some are ("" for all of them).
    """

    name: str
    wrong: Callable[[], Any]
    right: Callable[[], Any]
    cause: str
    claim: str = ""
