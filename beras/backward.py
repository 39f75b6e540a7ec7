"""The way back through recorded calls: each runs its derivative once, after all calls that use its outputs."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.core import as_gradient
from beras.dispatch import NoRule
from beras.recorder import recording
from beras.tensor import Tensor, plain, tensors_in
from beras.write_clock import write_clock

# The record of one call: the copy of the layer that `forward` ran on, the layer itself, its inputs, outputs and
# weights, when the call was made, and in debug mode the fingerprints of these arrays. It keeps the tensors alive, so
# that no `id` is given away meanwhile. A plain tuple, since one is made for every operation.
Call = tuple[Any, Any, Sequence[Any], Sequence[Tensor], Sequence[Tensor], int, tuple[int, ...] | None]
Gradients = dict[int, Any]
"""What is known so far of the gradient by each array, by its `id`: plain arrays, or tensors where a tape records."""


def run_backwards(calls: Sequence[Call], gradients: Gradients, kept: set[int], known: Collection[int] | None) -> None:
    """Take `gradients`, those by the targets at first, back to the arrays whose ids are `kept`.

    `known`: the ids of the calls that the open tape has recorded too, so that it can record their derivatives; `None`
    where nothing is to be recorded.
    """
    needed = set(kept)  # tensors on a way from a source
    route = []
    for call in calls:
        _, _, inputs, outputs, weights, _, _ = call
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
        state, _, inputs, outputs, weights, time, prints = call
        upstream, nothing = [], True
        for output in outputs:
            i = id(output)
            g = gradients.get(i) if i in kept else gradients.pop(i, None)  # only the sources' own gradients stay
            upstream.append(g)
            if g is not None:
                nothing = False
        if nothing:
            continue
        if write_clock.now != time or prints is not None:
            _require_unchanged(call)
        if True in wanted:
            for k in state.held_constant:
                if k < len(inputs) and wanted[k] and id(inputs[k]) not in kept:  # it may be optional
                    _refuse_constant(state, k)
            derivative, arguments = state.input_gradients_for, (upstream, wanted)
            found = derivative(*arguments) if known is None else _recorded(call, derivative, arguments, known)
            _add(gradients, needed, inputs, found, state)
        if into_weights:
            derivative = state.weight_gradients_for
            found = derivative(upstream) if known is None else _recorded(call, derivative, (upstream,), known)
            _add(gradients, needed, weights, found, state)


def _recorded(call: Call, derivative: Callable[..., Any], arguments: Any, known: Collection[int]) -> Sequence[Any]:
    """Return gradients as tensors that the open tape knows, or knows not to have a derivative that it knows."""
    state, _, inputs, outputs, weights, _, _ = call
    if id(call) in known and hasattr(derivative, "recordable"):
        found: Sequence[Any] = derivative(*arguments)
        if all(g is None or isinstance(g, Tensor) for g in found):
            return found
    upstream, *rest = arguments
    tape, recording.tape = recording.tape, None
    try:
        found = derivative([plain(g) for g in upstream], *rest)
        tensors = [None if g is None else np.asarray(g).view(Tensor) for g in found]
    finally:
        recording.tape = tape
    assert tape is not None
    upon = [*tensors_in([list(inputs), list(outputs), list(weights), list(upstream)])]
    name = f"the gradient of {type(state).__name__}"
    tape.record_operation(NoRule(name, upon, [g for g in tensors if g is not None]))
    return tensors


def _refuse_constant(layer: Any, k: int) -> None:
    """Raise `ValueError`: the way from a source leads through an input whose gradient is taken as zeros."""
    names = list(inspect.signature(layer.forward).parameters)
    raise ValueError(
        f"{type(layer).__name__} holds {names[k]} constant, but it depends on a source of the gradient: are the "
        f"arguments in the order ({', '.join(names)})? If so, np.asarray(tensor) takes a value out of the "
        "graph on purpose"
    )


def fingerprints(inputs: Sequence[Any], outputs: Sequence[Any], weights: Sequence[Any]) -> tuple[int, ...]:
    """Return checksums of the arrays of a call, which say whether anybody has written to them since."""
    arrays = [np.asarray(x) for x in (*inputs, *outputs, *weights)]
    return tuple(0 if x.dtype.hasobject else zlib.crc32(x.tobytes()) for x in arrays)


def _require_unchanged(call: Call) -> None:
    """Raise `RuntimeError` if an input, output or weight of this call has been written to since."""
    state, layer, inputs, outputs, weights, time, prints = call
    read = state.weights_read()
    kinds = {"weight": read, "value": [*inputs, *outputs]}
    for kind, arrays in kinds.items():
        for array in arrays:
            if isinstance(array, np.ndarray) and write_clock.last_write(array) > time:
                _refuse_overwritten(kind, array, layer)
    if prints is None:
        return
    now = fingerprints(inputs, outputs, weights)
    ids = {id(weight) for weight in read}
    values = len(inputs) + len(outputs)
    for k, array in enumerate((*inputs, *outputs, *weights)):
        if now[k] != prints[k] and (k < values or id(array) in ids):
            _refuse_overwritten("value" if k < values else "weight", array, layer)


def _refuse_overwritten(kind: str, array: Array, layer: Any) -> None:
    raise RuntimeError(
        f"a {kind} of shape {array.shape} that {type(layer).__name__} used was overwritten between the "
        "forward pass and gradient(): ask for the gradient first, then assign"
    )


def _add(
    known: Gradients,
    needed: set[int],
    variables: Sequence[Array],
    gradients: Sequence[npt.ArrayLike | None],
    layer: Any,
) -> None:
    """Add a call's gradients, in the variables' types, to what is known already about these."""
    if len(gradients) != len(variables):
        raise ValueError(
            f"{type(layer).__name__} returned {len(gradients)} gradient(s) for {len(variables)} variable(s)"
        )
    recorded = recording.tape is not None
    k = 0  # counted by hand: zip takes as long as all the rest of the loop
    for variable in variables:
        gradient, i = gradients[k], id(variable)
        k += 1
        if gradient is None or i not in needed:
            continue
        g: Any = gradient if recorded else np.asarray(gradient)
        if g.shape != variable.shape:
            raise ValueError(
                f"{type(layer).__name__} returned a gradient of shape {g.shape} for a variable of shape "
                f"{variable.shape}"
            )
        if g.dtype is not variable.dtype:
            g = as_gradient(g, variable)
        known[i] = g if i not in known else known[i] + g if recorded else np.asarray(known[i] + g)
