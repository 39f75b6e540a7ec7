"""The claim that a package's gradient tape makes about one of its layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.isolated import Live
from gradcheck.problem import Array, Kind, Method, Values, Variable


def takes_upstream(tape: type) -> bool:
    """Whether `tape.gradient` takes `output_gradients`."""
    return "output_gradients" in inspect.signature(tape.gradient).parameters  # type: ignore[attr-defined]


def takes_sources(tape: type) -> bool:
    """Whether `tape.gradient` is told target and sources (the oldest tapes return all weight gradients)."""
    return len(inspect.signature(tape.gradient).parameters) > 2  # type: ignore[attr-defined]


def method(
    tape: type, live: Live, variables: Sequence[Variable], tensor: Callable[[Array], Any], values: Values
) -> Method | None:
    """Return the tape's claim about `live`, by all variables; None where it cannot be asked.

    A tape without `output_gradients` starts at a scalar: the gradient of anything else is not its business. Many
    of these know about weights only, so that they are held to what they answer at all.
    """
    if takes_upstream(tape):
        return _method(tape, live, variables, tensor)
    outputs = live.forward(values)
    if not takes_sources(tape) or len(outputs) != 1 or outputs[0].size != 1:
        return None
    for sources in (variables, [v for v in variables if v.role == "weight"]):
        method = _method(tape, live, sources, tensor)
        if method.wrt and _answers(method, values):
            return method
    return None


def of_weights(tape: type, live: Live, variables: Sequence[Variable], tensor: Callable[[Array], Any]) -> Method:
    """Return the tape's claim about the weights, whether it can be asked or not."""
    return _method(tape, live, [v for v in variables if v.role == "weight"], tensor)


def _answers(method: Method, values: Values) -> bool:
    try:
        return any(item is not None for item in method.at(values)([]))
    except Exception:  # the tape cannot be asked this way; where it is checked itself, that is a verdict
        return False


def _method(tape: type, live: Live, variables: Sequence[Variable], tensor: Callable[[Array], Any]) -> Method:
    upstream, told = takes_upstream(tape), takes_sources(tape)
    kind: Kind = "vjp" if upstream else "sum"
    # A weight that is not trained has no gradient, and none is missed.
    frozen = {slot.name for slot in live.slots if getattr(slot.original, "trainable", True) is False}
    # Older tapes do not know what to do with data as a source.
    asked = [v for v in variables if v.name not in frozen and (upstream or not v.constant)]
    names, shapes = [v.name for v in asked], [v.example.shape for v in asked]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        call = live.prepare(values)
        call.given = [tensor(array) for array in call.given]
        with tape() as recording:
            call.run()
        by_name = dict(zip(live.inputs, call.given, strict=True)) | call.weights
        sources = [by_name[name] for name in names]

        def ask(cotangents: list[Array]) -> list[Any]:
            call.enter()
            if not told:
                said = recording.gradient()
            elif not upstream:
                said = recording.gradient(call.said, sources)
            else:
                seeds: Any = list(cotangents) if isinstance(call.said, (list, tuple)) else cotangents[0]
                said = recording.gradient(call.said, sources, output_gradients=seeds)
            return returned.listed(said, names, shapes, "tape.gradient")

        return ask

    return Method("tape.gradient", kind, tuple(names), at)


def as_tensor(tensor: type | None) -> Callable[[Array], Any]:
    """Return how an array becomes the package's tensor (the array itself where the package has none)."""
    return tensor if tensor is not None else np.asarray
