"""The tape: it records calls and runs their derivatives backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from beras import dispatch
from beras.checks import gradient_dtype
from beras.tensor import Array, Tensor, memory, recording, versions

if TYPE_CHECKING:
    from beras.core import Diffable


class Call:
    """The record of one call: the layer's state as `forward` left it, what went in and what came out.

    It keeps the tensors alive, so that no `id` is given away while the tape relies on it, and knows their versions,
    so that a value overwritten after the call is noticed.
    """

    __slots__ = ("input_ids", "inputs", "layer", "output_ids", "outputs", "state", "versions", "weight_ids", "weights")

    def __init__(
        self, layer: Any, state: Any, inputs: Sequence[Any], outputs: list[Tensor], weights: Sequence[Tensor], read: Any
    ) -> None:
        self.layer = layer
        self.state = state
        self.inputs, self.outputs, self.weights = inputs, outputs, weights
        self.input_ids = [id(x) for x in inputs]
        self.output_ids = [id(y) for y in outputs]
        self.weight_ids = [id(w) for w in weights]
        owners = [memory(t) for t in (*inputs, *outputs, *read) if isinstance(t, np.ndarray)]
        self.versions = [(owner, versions.of(owner)) for owner in owners]

    def require_unchanged(self) -> None:
        """Raise `RuntimeError` if an input, output or weight of this call has been written to since."""
        for owner, version in self.versions:
            if versions.of(owner) != version:
                kind = "weight" if any(owner is memory(w) for w in self.weights) else "value"
                raise RuntimeError(
                    f"a {kind} of shape {owner.shape} that {type(self.layer).__name__} used was overwritten between "
                    "the forward pass and gradient(): ask for the gradient first, then assign"
                )


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
        self._known: set[int] = set()

    def __enter__(self) -> GradientTape:
        if recording.tape is not None:
            raise RuntimeError("a GradientTape is already open: tapes do not nest")
        self._calls, self._known = [], set()
        recording.tape = self
        return self

    def __exit__(self, *exception: object) -> None:
        recording.tape = None

    @property
    def previous_layers(self) -> dict[int, Diffable]:
        """The layer that made each recorded tensor, by the tensor's `id`."""
        return {i: call.layer for call in self._calls for i in call.output_ids}

    def record(self, layer: Diffable, inputs: list[Array], outputs: list[Tensor]) -> list[Tensor]:
        """Keep one call. Return its outputs, each a tensor that this tape has not seen before.

        A layer may hand on its very input, or a tensor that it keeps: that gets a view of its own, for one tensor
        cannot be the output of two calls.
        """
        taken = self._known
        taken.update(map(id, inputs))
        taken.update(map(id, layer.weights))
        for k, output in enumerate(outputs):
            if id(output) in taken:
                outputs[k] = output = np.ndarray.view(output, Tensor)
            taken.add(id(output))
        state = layer.snapshot()
        state.outputs = outputs
        self._calls.append(Call(layer, state, inputs, outputs, layer.weights, layer.weights_read()))
        return outputs

    def record_operation(self, operation: Any, inputs: Sequence[Any], outputs: list[Tensor]) -> None:
        """Keep one NumPy operation, whose outputs are fresh tensors."""
        self._known.update(map(id, inputs))
        self._known.update(map(id, outputs))
        self._calls.append(Call(operation, operation, inputs, outputs, (), ()))

    def numpy_ufunc(self, function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """NumPy applies a ufunc to a Tensor in this tape's scope."""
        return dispatch.ufunc(self, function, method, inputs, kwargs)

    def numpy_function(self, function: Any, inherited: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """NumPy applies another of its functions to a Tensor."""
        return dispatch.function(self, function, inherited, args, kwargs)

    def numpy_method(self, name: str, inherited: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """A method of ndarray is called on a Tensor."""
        return dispatch.method(self, name, inherited, args, kwargs)

    def numpy_item(self, tensor: Tensor, index: Any) -> Tensor:
        """A Tensor is indexed."""
        return dispatch.item(self, tensor, index)

    def refuse_write(self) -> None:
        """A Tensor is about to be written in place."""
        dispatch.refuse_write()

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

        Raises `RuntimeError` if a value that the derivative needs was overwritten since, `ValueError` if a layer
        returns derivatives of the wrong number or shape.
        """
        single = isinstance(sources, np.ndarray)
        wanted: list[Array] = [sources] if single else list(sources)
        for source in wanted:
            if not isinstance(source, np.ndarray):
                raise TypeError(f"a source must be an array that the tape has seen, got {type(source).__name__}")
        kept = {id(s) for s in wanted if getattr(s, "trainable", True)}
        pending = _seed(target, output_gradients)
        tape, recording.tape = recording.tape, None  # derivatives are not recorded
        try:
            self._run_backwards(pending, kept)
        finally:
            recording.tape = tape
        given_away = {id(memory(g)) for g in _arrays(output_gradients)}
        gradients = [
            _result(pending[id(s)], s, given_away) if id(s) in kept and id(s) in pending else None for s in wanted
        ]
        return gradients[0] if single else gradients

    def _run_backwards(self, pending: dict[int, Array], kept: set[int]) -> None:
        needed = set(kept)  # tensors on a way from a source
        route = []
        for call in self._calls:
            into_inputs = not needed.isdisjoint(call.input_ids)
            into_weights = not needed.isdisjoint(call.weight_ids)
            if into_inputs or into_weights:
                needed.update(call.output_ids)
                route.append((call, into_inputs, into_weights))
        for call, into_inputs, into_weights in reversed(route):
            upstream = [pending.get(i) if i in kept else pending.pop(i, None) for i in call.output_ids]
            if all(g is None for g in upstream):
                continue
            call.require_unchanged()
            state = call.state
            if into_inputs:
                gradients = state.input_gradients_for(upstream, [i in needed for i in call.input_ids])
                _add(pending, needed, call.input_ids, call.inputs, gradients, state)
            if into_weights:
                _add(pending, needed, call.weight_ids, call.weights, state.compose_weight_gradients(upstream), state)


def _seed(target: Tensor | Sequence[Tensor], output_gradients: Any) -> dict[int, Array]:
    """Return the upstream gradient of each target by its `id`."""
    single = isinstance(target, np.ndarray)
    targets: list[Any] = [target] if single else list(target)
    weights = [output_gradients] if single or output_gradients is None else list(output_gradients)
    if output_gradients is None:
        weights = [None] * len(targets)
    if len(weights) != len(targets):
        raise ValueError(f"gradient() got {len(targets)} target(s) but {len(weights)} output gradient(s)")
    seeds: dict[int, Array] = {}
    for t, weight in zip(targets, weights, strict=True):
        if not isinstance(t, np.ndarray):
            raise TypeError(f"the target must be a tensor, got {type(t).__name__}")
        g = np.ones(t.shape, gradient_dtype(t)) if weight is None else np.asarray(weight, dtype=gradient_dtype(t))
        if g.shape != t.shape:
            raise ValueError(f"output_gradients must have the target's shape {t.shape}, got {g.shape}")
        seeds[id(t)] = seeds[id(t)] + g if id(t) in seeds else g
    return seeds


def _add(
    pending: dict[int, Array],
    needed: set[int],
    ids: list[int],
    variables: Sequence[Array],
    gradients: Sequence[npt.ArrayLike | None],
    layer: Diffable,
) -> None:
    """Add a call's gradients to what is known already about the tensors that they belong to."""
    if len(gradients) != len(ids):
        raise ValueError(f"{type(layer).__name__} returned {len(gradients)} gradient(s) for {len(ids)} variable(s)")
    for i, variable, gradient in zip(ids, variables, gradients, strict=True):
        if gradient is None or i not in needed:
            continue
        g = np.asarray(gradient)
        if g.shape != variable.shape:
            raise ValueError(
                f"{type(layer).__name__} returned a gradient of shape {g.shape} for a variable of shape "
                f"{variable.shape}"
            )
        pending[i] = pending[i] + g if i in pending else g


def _result(gradient: Array, source: Array, given_away: set[int]) -> Tensor:
    """Return a gradient as a tensor that shares its memory with nothing else the caller has."""
    g = np.asarray(gradient, dtype=gradient_dtype(source))
    if id(memory(g)) in given_away or not g.flags.writeable:
        g = g.copy()
    given_away.add(id(memory(g)))
    return g.view(Tensor)


def _arrays(value: Any) -> list[Array]:
    parts = value if isinstance(value, list | tuple) else [value]
    return [part for part in parts if isinstance(part, np.ndarray)]
