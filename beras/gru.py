"""GRU: a state that two gates let through."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.arrays import Array, sum_of_rows
from beras.recurrent import Recurrent


class GRU(Recurrent):
    """`hₜ = z · hₜ₋₁ + (1 − z) · g`, `z, r = σ(xₜ·w + a + hₜ₋₁·u + b)`, `g = tanh(xₜ·w + a + r · (hₜ₋₁·u + b))`.

    Each is its own part of the columns, in the order z, r, g, as in Keras (with its `reset_after=True`). Weights:
    `w (input_size, 3 · units)`, `u (units, 3 · units)`, and the biases a and b as rows of `b (2, 3 · units)`, zeros.
    Cho et al. 2014.

    >>> GRU(2, kernel_initializer="zero", recurrent_initializer="zero", input_size=1)([[[1.0], [2.0]]])
    Tensor([[0., 0.]])
    """

    gates = 3

    def _biases(self) -> Array:
        return np.zeros((2, 3 * self.units))

    def steps(self, seen: Array, u: Array, states: Array) -> tuple[Array, Array]:
        """Write the states; return the gates and the inner products of the candidate."""
        n = self.units
        bias = np.zeros(3 * n, seen.dtype) if self.b is None else np.asarray(self.b)[1].astype(seen.dtype, copy=False)
        inners = np.empty_like(states[1:])
        for t, gates in enumerate(seen):
            inner: Array = states[t] @ u
            inner += bias
            both, g = gates[:, : 2 * n], gates[:, 2 * n :]
            both += inner[:, : 2 * n]
            both *= 0.5  # σ(z) = tanh(z/2)/2 + 1/2
            np.tanh(both, out=both)
            both *= 0.5
            both += 0.5
            inners[t] = inner[:, 2 * n :]
            g += gates[:, n : 2 * n] * inners[t]
            np.tanh(g, out=g)
            states[t + 1] = g + gates[:, :n] * (states[t] - g)
        return seen, inners

    def back_through_time(self, kept: Any, states: Array, u: Array, J: Array) -> tuple[Array, Array]:
        """Return the gradients by both sides of each sum: the candidate's inner product is reset before it is added."""
        gates, inners = kept
        n = self.units
        z, r, g = gates[..., :n], gates[..., n : 2 * n], gates[..., 2 * n :]
        slopes, through = gates[..., : 2 * n] * (1 - gates[..., : 2 * n]), 1 - g * g
        by_seen, by_inner = np.empty_like(gates), np.empty_like(gates)
        by_state = np.zeros(J.shape[1:], J.dtype)
        for t in range(len(gates) - 1, -1, -1):
            by_state += J[t]
            by_z, by_r, by_g = by_seen[t, :, :n], by_seen[t, :, n : 2 * n], by_seen[t, :, 2 * n :]
            np.multiply(by_state, states[t] - g[t], out=by_z)
            np.multiply(by_state * (1 - z[t]), through[t], out=by_g)
            np.multiply(by_g, inners[t], out=by_r)
            by_seen[t, :, : 2 * n] *= slopes[t]
            by_inner[t, :, : 2 * n] = by_seen[t, :, : 2 * n]
            np.multiply(by_g, r[t], out=by_inner[t, :, 2 * n :])
            by_state = by_state * z[t] + by_inner[t] @ u.T
        return by_seen, by_inner

    def _by_bias(self, rows: Array, inner: Array) -> Array:
        return np.concatenate([sum_of_rows(rows), sum_of_rows(inner)])

    @classmethod
    def gradcheck_example(cls) -> tuple[GRU, list[Array]]:
        """Short sequences to the last state."""
        layer = cls(2, input_size=2, dtype=np.float64, seed=0)
        return layer, [np.random.default_rng(0).normal(size=(2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[GRU, list[Array]]]:
        """All states, without a bias; biases that are not zero; data in float32 before weights in float64."""
        x = np.random.default_rng(1).normal(size=(2, 3, 3))
        double: Any = {"input_size": 3, "dtype": np.float64, "seed": 0}
        biased = cls(2, **double)
        biased.weights[2][...] = np.linspace(-1, 1, 12).reshape(2, 6)
        everything = cls(2, use_bias=False, return_sequences=True, **double)
        return [(everything, [x]), (biased, [x]), (cls(2, **double), [x.astype(np.float32)])]
