"""A function of arrays with its derivatives: what layers, activations and losses are."""

from __future__ import annotations

import copy
import inspect
import threading
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from beras.arrays import Array
from beras.callables import Callable, Weighted
from beras.checks import gradient_dtype
from beras.gradients import Upstream, as_gradient, per_row
from beras.last_call import NOTHING, LastCall, OfTheLastCall
from beras.modes import modes
from beras.recorder import recording
from beras.symbol import Symbol, symbolic
from beras.tensor import Tensor, holds_tensors

_SEVERAL = (list, tuple)

# The tape's methods, and the public ones that they stand for: what a subclass writes of those counts.
_SHORTCUTS = {
    "input_gradients_for": ("compose_input_gradients", "get_input_gradients"),
    "weight_gradients_for": ("compose_weight_gradients", "get_weight_gradients"),
}


# What belongs to a call, and not to the layer.
_LEFT = frozenset({"inputs", "outputs", "saved"})
_OF_THE_CALL = _LEFT | {"_saving", "training"}

_beginning = threading.RLock()  # reentrant: a layer may be built of others

F = TypeVar("F")


def on_plain_arrays(forward: F) -> F:
    """Mark a `forward` that computes on plain arrays, sets `_saving` at most and returns a new tensor.

    A tape has nothing to see in it.
    """
    forward.plain = True  # type: ignore[attr-defined]
    return forward


class Diffable(Callable, Weighted):
    """A function of arrays with its derivatives.

    A subclass writes `forward` and either the local derivatives (`get_input_gradients`, `get_weight_gradients`), whose
    layout the defaults of `compose_*` understand, or `compose_*` itself.

    Calling it runs `forward`, keeps `inputs` and `outputs` (lists, of the last call) for the four derivative methods,
    and, inside a `GradientTape`, records the call. `forward` alone does neither. While `forward` runs, nothing else is
    recorded: a Diffable is one step of the graph, with a derivative of its own.

    What a derivative needs from `forward` beyond inputs and outputs (a dropout mask, say) goes into `self._saving`
    there and is read from `self.saved` here: it changes with calls only, as `inputs` and `outputs` do.

    A call belongs to itself: `forward` runs on a shallow copy of the layer, which is what the tape keeps. What it sets
    besides is set on the layer too once it is done. So one layer can be called in several threads at a time; the
    derivative methods of the layer are about the last call of the thread that asks.
    """

    __slots__ = ("_last",)  # beside the attributes, so that a call's copy of them does not hold the last call
    _last: LastCall

    inputs: Any = OfTheLastCall()
    outputs: Any = OfTheLastCall()
    saved: Any = OfTheLastCall(default=None)
    _saving: Any = None
    _state_is_a_dict: bool = True
    plain_forward: bool = False
    built: bool = True

    constant_inputs: tuple[str, ...] = ()
    """Names of the inputs of `forward` that are data and held constant."""

    held_constant: tuple[int, ...] = ()
    """Which inputs those are."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = self._positional(args, kwargs)
        inputs: list[Array] = []
        for a in args:  # a loop: at one input or two it is faster than a comprehension, at every call
            if isinstance(a, np.ndarray):
                inputs.append(a)
            elif isinstance(a, Symbol):
                return symbolic(self, args, {})
            else:
                inputs.append(self._as_input(a))
        if not self.built:
            self._build(inputs)
        call = self.snapshot()
        state = call.__dict__
        before = None if self.plain_forward else state.copy()
        state["inputs"] = inputs
        if modes.training and (training := modes.training.get(id(self))) is not None:
            state["training"] = training
        several = False
        tape = recording.tape
        suspended = tape is not None and before is not None
        try:
            if suspended:
                recording.tape = None
            result = call.forward(*inputs)
        finally:
            if suspended:
                recording.tape = tape
        if "_saving" in state:
            state["saved"] = state["_saving"]
        if type(result) is Tensor:
            outputs = [result]
        elif several := isinstance(result, _SEVERAL):
            outputs = [Tensor(r) for r in result]
        else:
            outputs = [Tensor(result)]
        state["outputs"] = outputs
        if before is not None:
            self._take_over(call, before)
        own = self.__dict__
        if "inputs" in own or "outputs" in own:  # set by hand, or by `forward` alone
            for name in _OF_THE_CALL & own.keys():
                del own[name]
        try:
            self._last.call = call
        except AttributeError:
            self._begin().call = call
        if tape is not None:
            tape.record_call(call, self, inputs, outputs)
        return type(result)(outputs) if several else outputs[0]

    def _begin(self) -> LastCall:
        with _beginning:  # two threads that make the first call together must not undo each other's
            if not hasattr(self, "_last"):
                self._last = LastCall()
            return self._last

    def _take_over(self, call: Self, before: dict[str, Any]) -> None:
        """Set here what the `forward` of a call has set there."""
        for name, value in call.__dict__.items():
            if before.get(name, NOTHING) is not value and name not in _OF_THE_CALL:
                self.__dict__[name] = value
        if not self._state_is_a_dict:
            for name in _slots(type(self)):
                if hasattr(call, name):
                    setattr(self, name, getattr(call, name))

    def _build(self, inputs: list[Array]) -> None:
        with _beginning:
            if not self.built:
                self.build(*[x.shape for x in inputs])

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make the weights for inputs of these shapes: a layer that is not `built` is, before its first call."""

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        bound = inspect.signature(self.forward).bind(*args, **kwargs)
        if bound.kwargs:
            raise TypeError(f"{type(self).__name__} takes arrays only, got the option {next(iter(bound.kwargs))!r}")
        return bound.args

    def _as_input(self, value: Any) -> Tensor:
        if recording.tape is not None and isinstance(value, (list, tuple)) and holds_tensors(value):
            raise TypeError(
                f"{type(self).__name__} got a {type(value).__name__} of tensors, which would lose their gradients: "
                "pass them as separate arguments, or join them with np.stack or np.concatenate"
            )
        try:
            return Tensor(value)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__} expects rectangular arrays of numbers: {error}") from None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._state_is_a_dict = not (any(_slots(cls)) or any("__copy__" in c.__dict__ for c in cls.__mro__))
        cls.plain_forward = hasattr(cls.forward, "plain")
        if cls.constant_inputs or cls.held_constant:
            names = list(inspect.signature(cls.forward).parameters)[1:]
            cls.held_constant = tuple(k for k, name in enumerate(names) if name in cls.constant_inputs)
        for shortcut, public in _SHORTCUTS.items():
            latest = next(c for c in cls.__mro__ if not c.__dict__.keys().isdisjoint((shortcut, *public)))
            if shortcut not in latest.__dict__:  # a parent's shortcut would bypass what the subclass writes
                setattr(cls, shortcut, Diffable.__dict__[shortcut])

    def snapshot(self) -> Self:
        """Return a shallow copy: this object's state as it is now, for one call."""
        if not self._state_is_a_dict:
            return copy.copy(self)
        twin = object.__new__(type(self))  # what copy.copy does, at a tenth of its time
        twin.__dict__ = self.__dict__.copy()
        return twin

    def __getstate__(self) -> Any:
        """Copy and pickle the last call of this thread along with the rest."""
        state: Any = super().__getstate__()
        own, slots = state if isinstance(state, tuple) else (state, {})
        last = slots.pop("_last", None)
        if last is not None and last.call is not None:
            of_call = last.call.__dict__
            own = {name: of_call[name] for name in _LEFT & of_call.keys()} | (own or {})
        return (own, slots) if slots else own

    @property
    def weights(self) -> Sequence[Tensor]:
        """No weights, unless a subclass says otherwise."""
        return []

    def weights_read(self) -> Sequence[Tensor]:
        """The weights that the derivatives of the last call depend on: assigning one makes them unknown."""
        return self.weights

    @abstractmethod
    def get_input_gradients(self) -> list[Tensor]:
        """Return the local derivative by each input of the last call, in the layout of the class."""

    def get_weight_gradients(self) -> list[Tensor]:
        """Return the local derivative by each weight at the last call, in the layout of the class."""
        return []

    def compose_input_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the vector-Jacobian product for each input, of that input's shape and type.

        `J`: one upstream gradient per output, of that output's shape. Without one, the local derivatives. This default
        reads a local derivative of two axes as a matrix `(in, out)` shared by all rows, one of three axes as a matrix
        per row, and that of a scalar output as its gradient.
        """
        upstream = self.upstream(J)
        if upstream is None:
            return self.get_input_gradients()
        [g] = self._single(upstream)
        pairs = zip(self.inputs, self.get_input_gradients(), strict=False)
        return [as_gradient(self._through(np.asarray(local), g, x), x) for x, local in pairs]

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> Sequence[Any]:
        """Return what `compose_input_gradients` does, for the tape: a shortcut that a class may write besides it.

        `J` is plain and of the outputs' shapes (`None` for one of several outputs with nothing upstream). Plain arrays
        of the inputs' shapes will do as an answer: the tape makes them the inputs' type. What stands for an input that
        is not `wanted` is not looked at.
        """
        return self.compose_input_gradients(J)

    def compose_weight_gradients(self, J: Upstream = None) -> list[Tensor]:
        """Return the vector-Jacobian product for each weight, summed over the batch, of that weight's shape and type.

        `J` as for `compose_input_gradients`. This default multiplies a local derivative `(batch, *weight)`, or one
        `(*weight)` that all rows share, by the upstream rows and sums over the batch.
        """
        local = self.get_weight_gradients()
        upstream = self.upstream(J)
        if upstream is None or not local:
            return local
        [g] = self._single(upstream)
        result = []
        for weight, d in zip(self.weights, local, strict=True):
            rows = g.reshape(len(g), *[1] * (weight.ndim - 1), -1)
            result.append(as_gradient((np.asarray(d) * rows).sum(axis=0).reshape(weight.shape), weight))
        return result

    def weight_gradients_for(self, J: list[Array]) -> Sequence[Any]:
        """Return what `compose_weight_gradients` does, for the tape: a shortcut as `input_gradients_for` is."""
        return self.compose_weight_gradients(J)

    def upstream(self, J: Upstream) -> list[Array] | None:
        """Return `J` as plain arrays, checked against the outputs; `None` if there is nothing upstream.

        Where only some entries are `None`, those are zeros. Raises `ValueError` where count or shapes do not fit.
        """
        self._require_call()
        if J is None:
            return None
        given, outputs = list(J), self.outputs
        if len(given) == len(outputs) == 1 and type(g := given[0]) is np.ndarray and g.shape == outputs[0].shape:
            return [g]  # the tape's way, which leaves nothing to convert
        if all(g is None for g in given):
            return None
        name = type(self).__name__
        if len(given) != len(outputs):
            raise ValueError(f"{name} has {len(outputs)} output(s), got {len(given)} upstream gradient(s)")
        arrays = []
        for g, output in zip(given, outputs, strict=True):
            array = np.zeros(output.shape, gradient_dtype(output)) if g is None else np.asarray(g)
            if array.shape != output.shape:
                raise ValueError(
                    f"{name} expects an upstream gradient of its output's shape {output.shape}, got shape {array.shape}"
                )
            arrays.append(array)
        return arrays

    def _require_call(self) -> None:
        if not hasattr(self, "outputs"):
            raise RuntimeError(f"{type(self).__name__} has no derivative yet: call it on an input first")

    def _single(self, upstream: list[Array]) -> list[Array]:
        if len(upstream) != 1:
            raise NotImplementedError(
                f"{type(self).__name__} has {len(upstream)} outputs: it must write compose_* itself"
            )
        return upstream

    def _through(self, local: Array, g: Array, x: Array) -> Array:
        """Apply one local derivative to the upstream gradient `g`."""
        if g.size == 1 and local.shape == x.shape:
            return g.reshape(()) * local
        shared = local.shape == x.shape[-1:] + g.shape[-1:]
        elementwise = local.shape == x.shape == g.shape
        if shared and elementwise:
            raise ValueError(
                f"a local derivative of shape {local.shape} can be a matrix or one factor per entry here: derive "
                f"{type(self).__name__} from Activation, or write its compose_input_gradients"
            )
        if shared:
            return g @ local.T
        if elementwise:
            return g * local
        if local.ndim == x.ndim + 1:
            return per_row(local, g)
        raise ValueError(
            f"{type(self).__name__} returned a local derivative of shape {local.shape}, which does not take "
            f"an upstream gradient of shape {g.shape} to an input of shape {x.shape}"
        )


def _slots(cls: type) -> Iterator[str]:
    """Yield the names in `__slots__` of a class derived from Diffable, and of its other bases."""
    for c in cls.__mro__:
        names = () if c is Diffable else c.__dict__.get("__slots__", ())
        yield from [names] if isinstance(names, str) else names
