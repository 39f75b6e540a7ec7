"""Adam and its relatives: steps scaled by running means of gradients and of their squares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.checks import number_between
from beras.optimizer_state import Joined
from beras.schedules import Schedule
from beras.update_rule import Optimizer, elementwise
from beras.variable import Variable


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with AMSGrad (Reddi et al. 2018) if wanted.

    `m ← beta_1 · m + (1 − beta_1) · g`, `v ← beta_2 · v + (1 − beta_2) · g²`, then with the corrections
    `m̂ = m / (1 − beta_1ᵗ)` and `v̂ = v / (1 − beta_2ᵗ)`: `w ← w − learning_rate · m̂ / (√v̂ + epsilon)`.
    With `amsgrad`, the largest `v` so far takes the place of `v` in `v̂`, as in Keras.
    `t` counts calls of `apply_gradients`.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: float | None,
    ) -> None:
        who = type(self).__name__
        super().__init__(learning_rate, **options)
        self.beta_1 = number_between(beta_1, who, "beta_1", 0.0, 1.0)
        self.beta_2 = number_between(beta_2, who, "beta_2", 0.0, 1.0)
        self.epsilon = number_between(epsilon, who, "epsilon", 0.0, np.inf)
        self.amsgrad = amsgrad
        self.t = 0
        self._root = self._rate = 1.0  # the corrections of this step, the same for all parameters

    def begin(self) -> None:
        """Count the step, once for all parameters."""
        self.t += 1
        self._root = math.sqrt((1 - self.beta_2**self.t) / (1 - self.beta_2))  # √V = root · √v̂
        self._rate = self.learning_rate * (1 - self.beta_1) / (1 - self.beta_1**self.t) * self._root

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return `learning_rate · m̂ / (√v̂ + epsilon)`.

        With m and v kept as M = m / (1 − beta_1) and V = v / (1 − beta_2), each needs one pass over memory less, and
        what does not vary from entry to entry goes into two numbers: the update is `rate · M / (√V + epsilon')`.
        """
        M, V, scratch, *V_max = self.state.of(parameter, 4 if self.amsgrad else 3)
        M *= self.beta_1
        M += g
        V *= self.beta_2
        V += np.multiply(g, g, out=scratch)
        if self.amsgrad:
            V = np.maximum(V_max[0], V, out=V_max[0])
        step = np.sqrt(V, out=scratch)
        step += self.epsilon * self._root
        np.divide(M, step, out=step)
        step *= self._rate
        return step


class AdamW(Adam):
    """Adam with weight decay that its moments do not see (Loshchilov & Hutter 2019).

    `w ← w − learning_rate · weight_decay · w`, then Adam's step.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: float | None,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)


class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat 2016), in the form of Keras.

    With `uₜ = beta_1 · (1 − 0.96ᵗ / 2)` and their product `Uₜ = u₁ · … · uₜ`: m and v as in Adam, then
    `m̂ = uₜ₊₁ · m / (1 − Uₜ₊₁) + (1 − uₜ) · g / (1 − Uₜ)` and `w ← w − learning_rate · m̂ / (√v̂ + epsilon)`.
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: float | None,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, False, **options)
        self._product = self._of_m = self._of_g = self._of_v = 1.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: value for name, value in super().get_config().items() if name != "amsgrad"}

    def begin(self) -> None:
        """Count the step, once for all parameters."""
        self.t += 1
        now, later = (self.beta_1 * (1 - 0.5 * 0.96**t) for t in (self.t, self.t + 1))
        self._product *= now
        self._of_m, self._of_g = later / (1 - self._product * later), (1 - now) / (1 - self._product)
        self._of_v = 1 / (1 - self.beta_2**self.t)

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return `learning_rate · m̂ / (√v̂ + epsilon)`."""
        m, v, step = self.state.of(parameter, 3)
        m *= self.beta_1
        m += (1 - self.beta_1) * g
        v *= self.beta_2
        v += (1 - self.beta_2) * np.square(g)
        root = np.sqrt(v * self._of_v) + self.epsilon
        np.multiply(m, self.learning_rate * self._of_m, out=step)
        step += self.learning_rate * self._of_g * g
        step /= root
        return step
