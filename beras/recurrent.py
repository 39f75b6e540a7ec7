"""Recurrent layers: what they have in common, and the simplest of them. Time is the first axis inside."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from beras.activated import activation_of
from beras.arrays import Array, sum_of_rows
from beras.checks import floating_dtype, real, whole_number
from beras.elementwise import Elementwise
from beras.initializers import Initializer, Seed, initialize
from beras.jacobians import Composed
from beras.tensor import Tensor, wrap
from beras.variable import Variable


class Recurrent(Composed):
    """Sequences `x (batch, time, input_size)` to the last state `(batch, units)`, or all, `(batch, time, units)`.

    The state is zeros before the first step. A subclass has `gates` parts of `units` columns in its weights, and writes
    `steps` and `back_through_time`. Weights: `w (input_size, gates · units)`, "xavier uniform" by default,
    `u (units, gates · units)`, "orthogonal" by default, both as in Keras, and `b`, zeros. They are made at the first
    call, or at once where `input_size` is given. Gradients flow through all steps (Werbos 1990).

    Raises `ValueError` for input of another shape or an empty batch.
    """

    gates: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        return_sequences: bool = False,
        kernel_initializer: str | Initializer = "xavier uniform",
        recurrent_initializer: str | Initializer = "orthogonal",
        input_size: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        who = type(self).__name__
        self.units = whole_number(units, who, "units")
        self.use_bias, self.return_sequences = bool(use_bias), bool(return_sequences)
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.dtype, self.seed = floating_dtype(dtype, who), seed
        self.built = False
        if input_size is not None:
            self.build((1, 1, whole_number(input_size, who, "input_size")))

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make `w`, `u` and `b` for sequences of this shape."""
        [shape] = input_shapes
        self.built_for = input_shapes
        if len(shape) != 3:
            raise ValueError(f"{type(self).__name__} expects sequences of shape (batch, time, size), got shape {shape}")
        self.input_size, columns = shape[-1], self.gates * self.units
        random = np.random.default_rng(self.seed)  # one for both, else the same numbers stand in both
        w = initialize(self.kernel_initializer, self.input_size, columns, dtype=self.dtype, seed=random)
        u = initialize(self.recurrent_initializer, self.units, columns, dtype=self.dtype, seed=random)
        self.w, self.u = Variable(w), Variable(u)
        self.b = Variable(self._biases().astype(self.dtype)) if self.use_bias else None
        self.built = True

    def _biases(self) -> Array:
        return np.zeros(self.gates * self.units)

    @property
    def weights(self) -> list[Tensor]:
        """`[w, u, b]`."""
        if not self.built:
            return []
        return [self.w, self.u] if self.b is None else [self.w, self.u, self.b]

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Return the last state, or all states."""
        x, w = real(x, type(self).__name__), np.asarray(self.w)
        if x.ndim != 3 or x.shape[-1] != len(w):
            raise ValueError(
                f"{type(self).__name__} expects sequences of shape (batch, time, {len(w)}), got shape {x.shape}"
            )
        dtype = np.result_type(x, w)
        x = np.ascontiguousarray(x.swapaxes(0, 1), dtype)
        seen: Array = (x.reshape(-1, len(w)) @ w.astype(dtype, copy=False)).reshape(*x.shape[:2], -1)
        if self.b is not None:
            seen += np.atleast_2d(np.asarray(self.b))[0].astype(dtype, copy=False)
        states = np.zeros((len(x) + 1, x.shape[1], self.units), dtype)
        kept = self.steps(seen, np.asarray(self.u).astype(dtype, copy=False), states)
        self._saving = x, states, kept
        return wrap(np.ascontiguousarray(states[1:].swapaxes(0, 1)) if self.return_sequences else states[-1].copy())

    @abstractmethod
    def steps(self, seen: Array, u: Array, states: Array) -> Any:
        """Write the state after each step into `states[1:]`; return what the derivative needs again.

        `seen (time, batch, gates · units)` is `x · w + b`; it may be written to.
        """

    @abstractmethod
    def back_through_time(self, kept: Any, states: Array, u: Array, J: Array) -> tuple[Array, Array]:
        """Return the gradients by `x · w + b` and by `state · u`, each of the shape of `seen`.

        `J (time, batch, units)` flows back into each state from outside.
        """

    def _back(self, J: list[Array]) -> tuple[Array, Array]:
        _, states, kept = self.saved
        if self.return_sequences:
            upstream = np.ascontiguousarray(np.asarray(J[0]).swapaxes(0, 1), states.dtype)
        else:
            upstream = np.zeros(states[1:].shape, states.dtype)
            upstream[-1] = J[0]
        return self.back_through_time(kept, states, np.asarray(self.u).astype(states.dtype, copy=False), upstream)

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Array]:
        """Return what flows back into the sequences."""
        by_seen, _ = self.once(J, self._back)
        w = np.asarray(self.w).astype(by_seen.dtype, copy=False)
        by_x = (by_seen.reshape(-1, by_seen.shape[-1]) @ w.T).reshape(*by_seen.shape[:2], -1)
        return [np.ascontiguousarray(by_x.swapaxes(0, 1))]

    def weight_gradients_for(self, J: list[Array]) -> list[Array]:
        """Return what flows back into the weights, summed over batch and time."""
        by_seen, by_inner = self.once(J, self._back)
        x, states, _ = self.saved
        rows = by_seen.reshape(-1, by_seen.shape[-1])
        inner = by_inner.reshape(rows.shape)
        found = [np.dot(x.reshape(-1, x.shape[-1]).T, rows), np.dot(states[:-1].reshape(-1, self.units).T, inner)]
        return found if self.b is None else [*found, self._by_bias(rows, inner)]

    def _by_bias(self, rows: Array, inner: Array) -> Array:
        total: Array = sum_of_rows(rows)[0]
        return total


class SimpleRNN(Recurrent):
    """`hₜ = activation(xₜ · w + hₜ₋₁ · u + b)`. Elman 1990.

    `activation`: of each entry, or its name; "tanh" by default.

    >>> layer = SimpleRNN(1, activation=None, kernel_initializer="one", recurrent_initializer="one", input_size=1)
    >>> layer([[[1.0], [2.0], [3.0]]])
    Tensor([[6.]])
    """

    def __init__(self, units: int, activation: Any = "tanh", **options: Any) -> None:
        self.activation = activation_of(activation, "SimpleRNN")
        if self.activation is not None and not isinstance(self.activation, Elementwise):
            raise TypeError(f"SimpleRNN expects an activation of each entry, got {type(self.activation).__name__}")
        super().__init__(units, **options)

    def steps(self, seen: Array, u: Array, states: Array) -> Array:
        """Write the states; return the activation's arguments."""
        for t, z in enumerate(seen):
            z += states[t] @ u
            states[t + 1] = z if self.activation is None else self.activation.forward(z)
        return seen

    def back_through_time(self, kept: Array, states: Array, u: Array, J: Array) -> tuple[Array, Array]:
        """Return the gradient by the activation's arguments, twice: they are the sum of both."""
        slope = np.ones_like(kept) if self.activation is None else np.asarray(self._slope(kept))
        g = np.empty_like(kept)
        later: Any = 0  # what flows back from the next step
        for t in range(len(kept) - 1, -1, -1):
            np.multiply(J[t] + later, slope[t], out=g[t])
            later = g[t] @ u.T
        return g, g

    def _slope(self, z: Array) -> Any:
        assert isinstance(self.activation, Elementwise)
        return self.activation.slope(z)

    @classmethod
    def gradcheck_example(cls) -> tuple[SimpleRNN, list[Array]]:
        """Short sequences to the last state."""
        layer = cls(3, input_size=2, dtype=np.float64, seed=0)
        return layer, [np.random.default_rng(0).normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[SimpleRNN, list[Array]]]:
        """All states, without a bias; no activation; data in float32 before weights in float64."""
        x = np.random.default_rng(1).normal(size=(2, 3, 3))
        double: Any = {"input_size": 3, "dtype": np.float64, "seed": 0}
        return [
            (cls(2, "sigmoid", use_bias=False, return_sequences=True, **double), [x]),
            (cls(2, None, **double), [x]),
            (cls(2, **double), [x.astype(np.float32)]),
        ]
