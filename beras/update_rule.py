"""What optimizers are derived from: a rule that updates parameters in place."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import number_between
from beras.clipping import Clipping
from beras.constructing import Constructing
from beras.constructor_arguments import arguments_of
from beras.optimizer_state import Joined, State, state_type
from beras.schedules import Schedule, rate_of
from beras.variable import Variable

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
SMALL = 2**14  # entries: below that, calling NumPy takes longer than the arithmetic of a step

Pairs = list[tuple[Variable, Array]]  # parameters with their gradients
Step = TypeVar("Step", bound=Callable[..., Array])


def elementwise(step: Step) -> Step:
    """Mark a `step` that treats every entry alike and asks the parameter for its state only."""
    step.elementwise = True  # type: ignore[attr-defined]
    return step


class Optimizer(metaclass=Constructing):
    """An update rule. A subclass writes `step`: what is taken off a parameter.

    Small parameters are updated as one where the rule is marked as `elementwise`.

    `learning_rate`: a number, or a schedule (see `beras.schedules`), which is asked at every step. Before a rule sees
    the gradients, `clipvalue` keeps every entry within ±clipvalue, `clipnorm` shortens a parameter's gradient to that
    norm, `global_clipnorm` all of them together (Pascanu, Mikolov & Bengio 2013). `weight_decay` takes
    `learning_rate · weight_decay · w` off every parameter besides (Loshchilov & Hutter 2019). All as in Keras.

    `apply_gradients(trainable_params, grads)` goes through parameters and gradients in pairs and updates each parameter
    in place; a gradient that is `None` is stepped over. The gradients must not share memory with the parameters: what
    is updated first would change the others' gradients.

    What is kept per parameter belongs to that very object. Copied (`copy.deepcopy`, `pickle`) together with the
    parameters, as in a model that is compiled with it, an optimizer goes on with the copies as the original does with
    the originals. Copied without them it keeps its numbers (`t`, say), but has state for no parameter in use. A shallow
    `copy.copy` shares the state.
    """

    schedule: Schedule | None = None
    weight_decay: float = 0.0
    clipping: Clipping | None = None

    def __init__(
        self,
        learning_rate: float | Schedule,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        who = type(self).__name__
        if callable(learning_rate):
            self.schedule, learning_rate = learning_rate, rate_of(learning_rate, 0)
        self.learning_rate = number_between(learning_rate, who, "learning_rate", 0.0, np.inf)
        if weight_decay is not None:
            self.weight_decay = number_between(weight_decay, who, "weight_decay", 0.0, np.inf)
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.clipping = Clipping.of(who, clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        self.iterations = 0
        self.state = State()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        found = arguments_of(self)
        return found if self.schedule is None else found | {"learning_rate": self.schedule}

    def apply_gradients(
        self, trainable_params: Iterable[Any], grads: Iterable[npt.ArrayLike | None] | None = None
    ) -> None:
        """Update every parameter once. Alone, the first argument is Keras': `zip(grads, trainable_params)`.

        The arithmetic is in the parameter's type, at least float32, whatever the gradient's type.

        Raises `ValueError` if there are not as many gradients as parameters or a gradient has another shape than its
        parameter, `TypeError` for a parameter that cannot be assigned to or has no floating type and for a gradient
        that cannot be taken as one (complex for a real parameter, text), all before anything is changed.
        """
        if grads is None:
            given = _checked(trainable_params)
            trainable_params, grads = [variable for _, variable in given], [g for g, _ in given]
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
        if self.schedule is not None:
            self.learning_rate = rate_of(self.schedule, self.iterations)
        self.iterations += 1
        if self.clipping is not None:
            pairs = self.clipping.clipped(pairs)
        if self.weight_decay:
            for parameter, _ in pairs:
                self._decay(parameter)
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

    def apply(self, grads: Iterable[npt.ArrayLike | None], trainable_variables: Iterable[Variable]) -> None:
        """Do what `apply_gradients` does, with the arguments in Keras' order."""
        self.apply_gradients(trainable_variables, grads)

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

    def _decay(self, parameter: Variable) -> None:
        off = np.asarray(parameter) * (self.learning_rate * self.weight_decay)
        parameter.assign(np.asarray(parameter) - off)

    def begin(self) -> None:
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


def _checked(pairs: Iterable[Any]) -> list[Any]:
    """Return what should be pairs (gradient, variable) as a list."""
    found = list(pairs)
    for pair in found:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not hasattr(pair[1], "assign"):
            raise TypeError(
                "apply_gradients expects two lists, apply_gradients(variables, gradients), or pairs of a gradient and "
                "its variable, apply_gradients(zip(gradients, variables))"
            )
    return found
