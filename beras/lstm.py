"""LSTM: a state that is kept, forgotten and shown by gates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.initializers import Initializer, Seed
from beras.recurrent import Recurrent


class LSTM(Recurrent):
    """`cₜ = f · cₜ₋₁ + i · g` and `hₜ = o · tanh(cₜ)`, with the gates `i, f, o = σ(z)` and `g = tanh(z)`.

    Each `z` is its own part of `xₜ · w + hₜ₋₁ · u + b`, in the order i, f, g, o, as in Keras. Weights:
    `w (input_size, 4 · units)`, `u (units, 4 · units)`, `b (4 · units,)`: zeros, but ones for f with
    `unit_forget_bias=True` (Jozefowicz et al. 2015). Hochreiter & Schmidhuber 1997; Gers et al. 2000.

    >>> LSTM(2, kernel_initializer="zero", recurrent_initializer="zero", input_size=1)([[[1.0], [2.0]]])
    Tensor([[0., 0.]])
    """

    gates = 4

    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        return_sequences: bool = False,
        kernel_initializer: str | Initializer = "xavier uniform",
        recurrent_initializer: str | Initializer = "orthogonal",
        input_size: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        self.unit_forget_bias = bool(unit_forget_bias)
        super().__init__(
            units,
            use_bias=use_bias,
            return_sequences=return_sequences,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            input_size=input_size,
            dtype=dtype,
            seed=seed,
        )

    def _biases(self) -> Array:
        biases = super()._biases()
        if self.unit_forget_bias:
            biases[self.units : 2 * self.units] = 1
        return biases

    def _parts(self, gates: Array) -> tuple[Array, ...]:
        n = self.units
        return gates[..., :n], gates[..., n : 2 * n], gates[..., 2 * n : 3 * n], gates[..., 3 * n :]

    def steps(self, seen: Array, u: Array, states: Array) -> tuple[Array, Array, Array]:
        """Write the states; return the gates, the cells and their hyperbolic tangents."""
        # σ(z) = tanh(z/2)/2 + 1/2, so that one call of tanh does for all gates.
        scale, shift = np.full(4 * self.units, 0.5, seen.dtype), np.full(4 * self.units, 0.5, seen.dtype)
        self._parts(scale)[2][...], self._parts(shift)[2][...] = 1, 0
        cells = np.zeros_like(states)
        shown = np.empty_like(states[1:])
        for t, gates in enumerate(seen):
            gates += states[t] @ u
            gates *= scale
            np.tanh(gates, out=gates)
            gates *= scale
            gates += shift
            i, f, g, o = self._parts(gates)
            cell = np.multiply(f, cells[t], out=cells[t + 1])
            cell += i * g
            np.multiply(o, np.tanh(cell, out=shown[t]), out=states[t + 1])
        return seen, cells, shown

    def back_through_time(self, kept: Any, states: Array, u: Array, J: Array) -> tuple[Array, Array]:
        """Return the gradient by the gates' arguments, twice: they are the sum of both."""
        gates, cells, shown = kept
        slopes = gates * (1 - gates)
        _, _, g, _ = self._parts(gates)
        self._parts(slopes)[2][...] = 1 - g * g
        through = 1 - shown * shown
        by_z = np.empty_like(gates)
        by_state, by_cell = np.zeros(J.shape[1:], J.dtype), np.zeros(J.shape[1:], J.dtype)
        for t in range(len(gates) - 1, -1, -1):
            i, f, g, o = self._parts(gates[t])
            by_i, by_f, by_g, by_o = self._parts(by_z[t])
            by_state += J[t]
            np.multiply(by_state, shown[t], out=by_o)
            by_cell += by_state * o * through[t]
            np.multiply(by_cell, g, out=by_i)
            np.multiply(by_cell, cells[t], out=by_f)
            np.multiply(by_cell, i, out=by_g)
            by_z[t] *= slopes[t]
            by_cell *= f
            by_state = by_z[t] @ u.T
        return by_z, by_z

    @classmethod
    def gradcheck_example(cls) -> tuple[LSTM, list[Array]]:
        """Short sequences to the last state."""
        layer = cls(2, input_size=2, dtype=np.float64, seed=0)
        return layer, [np.random.default_rng(0).normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[LSTM, list[Array]]]:
        """All states, without a bias; data in float32 before weights in float64."""
        x = np.random.default_rng(1).normal(size=(2, 3, 3))
        double: Any = {"input_size": 3, "dtype": np.float64, "seed": 0}
        everything = cls(2, use_bias=False, return_sequences=True, **double)
        return [(everything, [x]), (cls(2, **double), [x.astype(np.float32)])]
