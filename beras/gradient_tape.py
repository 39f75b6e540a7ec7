"""The tape: it records calls and runs their derivatives backwards."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from beras import dispatch
from beras.arrays import Array, memory, ones
from beras.checks import gradient_dtype
from beras.core import as_gradient
from beras.recorder import recording
from beras.tensor import Tensor, wrap_result
from beras.write_clock import write_clock

if TYPE_CHECKING:
    from beras.core import Diffable


# The record of one call: the copy of the layer that `forward` ran on, the layer itself, its inputs, outputs and
# weights, and when the call was made. It keeps the tensors alive, so that no `id` is given away meanwhile.
# A plain tuple, since one is made for every operation.
Call = tuple[Any, Any, Sequence[Any], Sequence[Tensor], Sequence[Tensor], int]


class GradientTape:
    """Records the calls made inside its scope and differentiates through them, in reverse order.

    `with GradientTape() as tape: loss = f(x)`, then `tape.gradient(loss, sources)`: right for any acyclic graph, since
    every call has a record of its own and is visited once, after all calls that use its outputs.
    Reverse accumulation: Linnainmaa 1970; Griewank & Walther, *Evaluating Derivatives*, 2008, ch. 3.

    Opening a tape while another is open in the same thread is a `RuntimeError`.

    >>> from beras.activations import Sin
    >>> x = Tensor([0.0, 1.0])
    >>> with GradientTape() as tape:
    ...     y = Sin()(x)
    >>> tape.gradient(y, [x])
    [Tensor([1.        , 0.54030231])]
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._made: set[int] = set()  # the outputs so far

    def __enter__(self) -> GradientTape:
        if recording.tape is not None:
            raise RuntimeError("a GradientTape is already open: tapes do not nest")
        self._calls, self._made = [], set()
        recording.tape = self
        return self

    def __exit__(self, *exception: object) -> None:
        recording.tape = None

    @property
    def previous_layers(self) -> dict[int, Diffable]:
        """The layer that made each recorded tensor, by the tensor's `id`."""
        calls = [call for call in self._calls if not isinstance(call[1], dispatch.NoRule)]
        return {id(output): layer for _, layer, _, outputs, _, _ in calls for output in outputs}

    def record_call(self, call: Diffable, layer: Diffable, inputs: list[Array], outputs: list[Tensor]) -> None:
        """Keep a call that `layer` has just made (`call`: its state then); no output of it is one of another call.

        A layer may hand on its very input, or a tensor that it keeps: that gets a view of its own, for one tensor
        cannot be the output of two calls.
        """
        weights, made = layer.weights, self._made
        for k, output in enumerate(outputs):
            i = id(output)
            if not layer.plain_forward and (i in made or i in map(id, inputs) or i in map(id, weights)):
                outputs[k] = wrap_result(np.asarray(output), [output])
                i = id(outputs[k])
            made.add(i)
        self._calls.append((call, layer, inputs, outputs, weights, write_clock.now))

    def record_operation(self, operation: Any) -> None:
        """Keep one NumPy operation, whose outputs are fresh tensors."""
        self._made.update(map(id, operation.outputs))
        self._calls.append((operation, operation, operation.inputs, operation.outputs, (), write_clock.now))

    def numpy_ufunc(self, function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """NumPy applies a ufunc to a Tensor in this tape's scope."""
        return dispatch.ufunc(self, function, method, inputs, kwargs)

    def numpy_function(self, tensor: Tensor, function: Any, types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """NumPy applies another of its functions to a Tensor."""
        return dispatch.function(self, tensor, function, types, args, kwargs)

    def numpy_method(self, name: str, inherited: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """A method of ndarray is called on a Tensor."""
        return dispatch.method(self, name, inherited, args, kwargs)

    def numpy_item(self, tensor: Tensor, index: Any) -> Tensor:
        """A Tensor is indexed."""
        return dispatch.item(self, tensor, index)

    def numpy_unseen(self, source: Tensor, made: Tensor) -> None:
        """NumPy makes one Tensor from another without saying so."""
        dispatch.unseen(self, source, made)

    def require_writable(self, tensor: Tensor) -> None:
        """A Tensor is about to be written in place."""
        dispatch.require_writable(tensor)

    def gradient(
        self,
        target: Tensor | Sequence[Tensor],
        sources: Any,
        output_gradients: Any = None,
    ) -> Any:
        """Return the gradient of `target` by each of `sources`, of that source's shape and type.

        `target`: a tensor, or several, whose gradients add. `output_gradients` weighs the target's entries (one array
        of its shape per target; ones by default, which makes it the gradient of the sum). `sources`: a list of arrays,
        or a single one, which gives a single gradient. A source that the target does not depend on, or that is not
        trainable, gives `None`.

        Raises `RuntimeError` if a value that the derivative needs was overwritten since; `ValueError` if a layer
        returns derivatives of the wrong number or shape, or the way to a source leads through an input that is held
        constant (a loss' `y_true`); `NotImplementedError` if it leads through something without a rule.
        """
        single = isinstance(sources, np.ndarray)
        wanted: list[Array] = [sources] if single else list(sources)
        kept: set[int] = set()
        for source in wanted:
            if not isinstance(source, np.ndarray):
                raise TypeError(f"a source must be an array that the tape has seen, got {type(source).__name__}")
            if getattr(source, "trainable", True):
                kept.add(id(source))
        pending = _seed(target, output_gradients)
        tape, recording.tape = recording.tape, None  # derivatives are not recorded
        try:
            self._run_backwards(pending, kept)
        finally:
            recording.tape = tape
        given_away = {id(memory(g)) for g in _arrays(output_gradients)}
        gradients: list[Tensor | None] = []
        for source in wanted:
            i = id(source)
            gradients.append(_result(pending[i], given_away) if i in kept and i in pending else None)
        if tape is not None:
            dispatch.second_derivative(tape, [output for call in self._calls for output in call[3]], gradients)
        return gradients[0] if single else gradients

    def _run_backwards(self, pending: dict[int, Array], kept: set[int]) -> None:
        needed = set(kept)  # tensors on a way from a source
        route = []
        for call in self._calls:
            _, _, inputs, outputs, weights, _ = call
            wanted = []  # plain loops: for one input or two, anything cleverer takes longer
            for x in inputs:
                wanted.append(id(x) in needed)  # noqa: PERF401
            into_weights = False
            for weight in weights:
                if id(weight) in needed:
                    into_weights = True
                    break
            if into_weights or True in wanted:
                for output in outputs:
                    needed.add(id(output))
                route.append((call, wanted, into_weights))
        for call, wanted, into_weights in reversed(route):
            state, _, inputs, outputs, weights, time = call
            upstream, nothing = [], True
            for output in outputs:
                i = id(output)
                g = pending.get(i) if i in kept else pending.pop(i, None)  # only the sources' own gradients stay
                upstream.append(g)
                if g is not None:
                    nothing = False
            if nothing:
                continue
            if write_clock.now != time:
                _require_unchanged(call)
            if True in wanted:
                for k in state.held_constant:
                    if wanted[k] and id(inputs[k]) not in kept:
                        _refuse_constant(state, k)
                _add(pending, needed, inputs, state.input_gradients_for(upstream, wanted), state)
            if into_weights:
                _add(pending, needed, weights, state.weight_gradients_for(upstream), state)


def _refuse_constant(layer: Any, k: int) -> None:
    """Raise `ValueError`: the way from a source leads through an input whose gradient is taken as zeros."""
    names = list(inspect.signature(layer.forward).parameters)
    raise ValueError(
        f"{type(layer).__name__} holds {names[k]} constant, but it depends on a source of the gradient: are the "
        f"arguments in the order ({', '.join(names)})? If so, np.asarray(tensor) takes a value out of the "
        "graph on purpose"
    )


def _require_unchanged(call: Call) -> None:
    """Raise `RuntimeError` if an input, output or weight of this call has been written to since."""
    state, layer, inputs, outputs, _, time = call
    kinds = {"weight": state.weights_read(), "value": [*inputs, *outputs]}
    for kind, arrays in kinds.items():
        for array in arrays:
            if isinstance(array, np.ndarray) and write_clock.last_write(array) > time:
                raise RuntimeError(
                    f"a {kind} of shape {array.shape} that {type(layer).__name__} used was overwritten between the "
                    "forward pass and gradient(): ask for the gradient first, then assign"
                )


def _seed(target: Tensor | Sequence[Tensor], output_gradients: Any) -> dict[int, Array]:
    """Return the upstream gradient of each target by its `id`."""
    if isinstance(target, Tensor) and output_gradients is None:
        return {id(target): ones(target.shape, gradient_dtype(target))}
    several = isinstance(target, list | tuple)
    targets: list[Any] = list(target) if several else [target]
    weights = list(output_gradients) if several and output_gradients is not None else [output_gradients]
    if output_gradients is None:
        weights = [None] * len(targets)
    if len(weights) != len(targets):
        raise ValueError(f"gradient() got {len(targets)} target(s) but {len(weights)} output gradient(s)")
    seeds: dict[int, Array] = {}
    for t, weight in zip(targets, weights, strict=True):
        if not isinstance(t, Tensor):
            raise TypeError(
                f"the target must be a Tensor, got {type(t).__name__}: float(), np.asarray() and NumPy on a list of "
                "tensors lose the gradient (np.stack joins them)"
            )
        g = np.ones(t.shape, gradient_dtype(t)) if weight is None else np.asarray(weight, dtype=gradient_dtype(t))
        if g.shape != t.shape:
            raise ValueError(f"output_gradients must have the target's shape {t.shape}, got {g.shape}")
        seeds[id(t)] = seeds[id(t)] + g if id(t) in seeds else g
    return seeds


def _add(
    pending: dict[int, Array],
    needed: set[int],
    variables: Sequence[Array],
    gradients: Sequence[npt.ArrayLike | None],
    layer: Diffable,
) -> None:
    """Add a call's gradients, as plain arrays of the variables' types, to what is known already about these."""
    if len(gradients) != len(variables):
        raise ValueError(
            f"{type(layer).__name__} returned {len(gradients)} gradient(s) for {len(variables)} variable(s)"
        )
    k = 0  # counted by hand: zip takes as long as all the rest of the loop
    for variable in variables:
        gradient, i = gradients[k], id(variable)
        k += 1
        if gradient is None or i not in needed:
            continue
        g = np.asarray(gradient)
        if g.shape != variable.shape:
            raise ValueError(
                f"{type(layer).__name__} returned a gradient of shape {g.shape} for a variable of shape "
                f"{variable.shape}"
            )
        if g.dtype is not variable.dtype:
            g = np.asarray(as_gradient(g, variable))
        pending[i] = np.asarray(pending[i] + g) if i in pending else g


def _result(gradient: Array, given_away: set[int]) -> Tensor:
    """Return a gradient as a tensor that shares its memory with none before it, nor with `output_gradients`."""
    owner = id(gradient if gradient.base is None else memory(gradient))
    if owner in given_away or not gradient.flags.writeable:
        gradient = gradient.copy()
    given_away.add(owner)
    return gradient.view(Tensor)


def _arrays(value: Any) -> list[Array]:
    parts = value if isinstance(value, list | tuple) else [value]
    return [part for part in parts if isinstance(part, np.ndarray)]
