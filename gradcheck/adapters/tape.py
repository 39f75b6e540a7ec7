"""The claim that a package's gradient tape makes about one of its layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import answers
from gradcheck.adapters.live import Live
from gradcheck.problem import Array, Kind, Method, Values, Variable


def takes_upstream(tape: type) -> bool:
    """Whether `tape.gradient` takes `output_gradients`."""
    return "output_gradients" in inspect.signature(tape.gradient).parameters  # type: ignore[attr-defined]


def takes_sources(tape: type) -> bool:
    """Whether `tape.gradient` is told target and sources (the oldest tapes return all weight gradients)."""
    return len(inspect.signature(tape.gradient).parameters) > 2  # type: ignore[attr-defined]


def method(
    tape: type, live: Live, variables: Sequence[Variable], tensor: Callable[[Array], Any], outputs: Sequence[Array]
) -> Method | None:
    """Return the tape's claim about `live`; None where this tape cannot be asked about such outputs.

    A tape without `output_gradients` starts at a scalar: the gradient of anything else is not its business.
    """
    upstream = takes_upstream(tape)
    if not takes_sources(tape) or (not upstream and (len(outputs) != 1 or outputs[0].size != 1)):
        return None
    kind: Kind = "vjp" if upstream else "sum"
    names = [v.name for v in variables]
    shapes = [v.example.shape for v in variables]
    constants = [v.name for v in variables if v.constant]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        call = live.prepare(values)
        call.given = [tensor(array) for array in call.given]
        with tape() as recording:
            call.said = live._pinned(live.call, call.given)
        sources = [*call.given, *(call.weights[slot.name] for slot in live.slots)]

        def ask(cotangents: list[Array]) -> list[Any]:
            call.enter()
            if not upstream:
                said = recording.gradient(call.said, sources)
            else:
                seeds: Any = list(cotangents) if isinstance(call.said, (list, tuple)) else cotangents[0]
                said = recording.gradient(call.said, sources, output_gradients=seeds)
            return answers.listed(said, names, shapes, "tape.gradient", constants)

        return ask

    return Method("tape.gradient", kind, tuple(names), at)


def as_tensor(tensor: type | None) -> Callable[[Array], Any]:
    """Return how an array becomes the package's tensor (the array itself where the package has none)."""
    return (lambda array: tensor(array)) if tensor is not None else np.asarray
