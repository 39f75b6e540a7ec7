"""Optimizers: rules that update parameters in place."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import number_between
from beras.optimizer_state import Joined, State, state_type
from beras.variable import Variable

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
SMALL = 2**14  # entries: below that, calling NumPy takes longer than the arithmetic of a step

Pairs = list[tuple[Variable, Array]]  # parameters with their gradients
Step = TypeVar("Step", bound=Callable[..., Array])


def elementwise(step: Step) -> Step:
    """Mark a `step` that treats every entry alike and asks the parameter for its state only."""
    step.elementwise = True  # type: ignore[attr-defined]
    return step


class Optimizer(ABC):
    """An update rule. A subclass writes `step`: what is taken off a parameter.

    Small parameters are updated as one where the rule is marked as `elementwise`.

    `apply_gradients(trainable_params, grads)` goes through parameters and gradients in pairs and updates each parameter
    in place; a gradient that is `None` is stepped over. The gradients must not share memory with the parameters: what
    is updated first would change the others' gradients.

    What is kept per parameter belongs to that very object. Copied (`copy.deepcopy`, `pickle`) together with the
    parameters, as in a model that is compiled with it, an optimizer goes on with the copies as the original does with
    the originals. Copied without them it keeps its numbers (`t`, say), but has state for no parameter in use. A shallow
    `copy.copy` shares the state.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = number_between(learning_rate, type(self).__name__, "learning_rate", 0.0, np.inf)
        self.state = State()

    def apply_gradients(self, trainable_params: Iterable[Variable], grads: Iterable[npt.ArrayLike | None]) -> None:
        """Update every parameter once.

        The arithmetic is in the parameter's type, at least float32, whatever the gradient's type.

        Raises `ValueError` if there are not as many gradients as parameters or a gradient has another shape than its
        parameter, `TypeError` for a parameter that cannot be assigned to or has no floating type and for a gradient
        that cannot be taken as one (complex for a real parameter, text), all before anything is changed.
        """
        params, gradients = list(trainable_params), [None if g is None else np.asarray(g) for g in grads]
        if len(params) != len(gradients):
            raise ValueError(f"apply_gradients got {len(params)} parameter(s) but {len(gradients)} gradient(s)")
        pairs: Pairs = []
        for parameter, gradient in zip(params, gradients, strict=True):
            if not hasattr(parameter, "assign"):
                raise TypeError(f"apply_gradients expects Variables, got {type(parameter).__name__}")
            if gradient is None:
                continue
            if gradient.shape != parameter.shape:
                raise ValueError(
                    f"a gradient of shape {gradient.shape} came for a parameter of shape {parameter.shape}"
                )
            kind = gradient.dtype
            if kind is not parameter.dtype or (kind is not _FLOAT32 and kind is not _FLOAT64):  # `is`: at every step
                gradient = _in_state_type(parameter, gradient)
            pairs.append((parameter, gradient))
        self.begin()
        alone, together = self._parted(pairs)
        for parameter, gradient in alone:
            step = self.step(parameter, gradient)
            if isinstance(parameter, Variable):
                parameter.assign_sub(step)  # one pass over memory less than assign
            else:
                parameter.assign(np.asarray(parameter) - step)
        if together:
            self._step_together(together)

    def _parted(self, pairs: Pairs) -> tuple[Pairs, Pairs]:
        """Return what is updated one by one, and what is updated as one."""
        if not hasattr(self.step, "elementwise") or len({id(parameter) for parameter, _ in pairs}) < len(pairs):
            return pairs, []
        alone: Pairs = []
        together: Pairs = []
        kind = None
        for pair in pairs:
            parameter, g = pair
            if g.size <= SMALL and isinstance(parameter, Variable) and (kind is None or kind is g.dtype):
                kind = g.dtype
                together.append(pair)
            else:
                alone.append(pair)
        return (alone, together) if len(together) > 1 else (pairs, [])

    def _step_together(self, pairs: Pairs) -> None:
        joined = self.state.join([parameter for parameter, _ in pairs], type(self))
        step = self.step(joined, np.concatenate([g for _, g in pairs], axis=None))
        start = 0
        for parameter, g in pairs:
            stop = start + g.size
            parameter.assign_sub(step[start:stop].reshape(g.shape))
            start = stop

    def begin(self) -> None:  # noqa: B027 -- only some rules count their steps
        """Start a round of updates."""

    @abstractmethod
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return what is to be taken off `parameter`, whose gradient is `g`, in the type of the state."""


def _in_state_type(parameter: Variable, gradient: Array) -> Array:
    """Return the gradient in the type that its parameter is updated in. `TypeError` where it has no place there."""
    kind = state_type(parameter.dtype)
    if not np.can_cast(gradient.dtype, kind, "same_kind"):
        raise TypeError(
            f"a gradient of type {gradient.dtype} came for a parameter of type {parameter.dtype}: expected what can be "
            f"taken as {kind}" + (", so take its real part" if gradient.dtype.kind == "c" else "")
        )
    return np.asarray(gradient, kind)


class BasicOptimizer(Optimizer):
    """Gradient descent, with momentum if wanted (Polyak 1964, in the form of Keras).

    `v ← momentum · v + learning_rate · g`, then `w ← w − v`. Without momentum: `w ← w − learning_rate · g`.

    >>> w = Variable([1.0])
    >>> BasicOptimizer(0.1).apply_gradients([w], [[2.0]])
    >>> w
    Variable([0.8])
    """

    def __init__(self, learning_rate: float, momentum: float = 0.0) -> None:
        super().__init__(learning_rate)
        self.momentum = number_between(momentum, "BasicOptimizer", "momentum", 0.0, 1.0)

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return the velocity after this gradient."""
        # Kept from step to step: an array of a big parameter's size that is made and freed each time costs more than
        # the arithmetic, since its memory goes back to the system and comes anew.
        scaled, *velocity = self.state.of(parameter, 2 if self.momentum else 1)
        np.multiply(g, self.learning_rate, out=scaled)
        if not self.momentum:
            return scaled
        [v] = velocity
        v *= self.momentum
        v += scaled
        return v


class RMSProp(Optimizer):
    """Steps scaled by a running mean of squared gradients (Hinton, Coursera lecture 6e, 2012).

    `v ← beta · v + (1 − beta) · g²`, then `w ← w − learning_rate · g / (√v + epsilon)`.
    Keras 3 adds epsilon inside the root.
    """

    def __init__(self, learning_rate: float, beta: float = 0.9, epsilon: float = 1e-6) -> None:
        super().__init__(learning_rate)
        self.beta = number_between(beta, "RMSProp", "beta", 0.0, 1.0)
        self.epsilon = number_between(epsilon, "RMSProp", "epsilon", 0.0, np.inf)

    @elementwise
    def step(self, parameter: Variable | Joined, g: Array) -> Array:
        """Return `learning_rate · g / (√v + epsilon)`."""
        [v] = self.state.of(parameter, 1)
        v *= self.beta
        v += (1 - self.beta) * np.square(g)
        step: Array = self.learning_rate * g / (np.sqrt(v) + self.epsilon)
        return step


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015), with AMSGrad (Reddi et al. 2018) if wanted.

    `m ← beta_1 · m + (1 − beta_1) · g`, `v ← beta_2 · v + (1 − beta_2) · g²`, then with the corrections
    `m̂ = m / (1 − beta_1ᵗ)` and `v̂ = v / (1 − beta_2ᵗ)`: `w ← w − learning_rate · m̂ / (√v̂ + epsilon)`.
    With `amsgrad`, the largest `v` so far takes the place of `v` in `v̂`, as in Keras.
    `t` counts calls of `apply_gradients`.
    """

    def __init__(
        self,
        learning_rate: float,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(learning_rate)
        self.beta_1 = number_between(beta_1, "Adam", "beta_1", 0.0, 1.0)
        self.beta_2 = number_between(beta_2, "Adam", "beta_2", 0.0, 1.0)
        self.epsilon = number_between(epsilon, "Adam", "epsilon", 0.0, np.inf)
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
