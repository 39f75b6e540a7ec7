"""Packages without a tape: an output's `backward([g])` leaves gradients in `.grad` of inputs and parameters.

Or hands the gradient by an input on, to the `backward` of what made it: there it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.generations import has
from gradcheck.adapters.isolated import Live
from gradcheck.problem import Array, Method, Values, Variable


def recognises(obj: Any) -> bool:
    """A layer with `parameters` and a `backward`."""
    return has(obj, "backward") and hasattr(type(obj), "parameters")


def method(
    live: Live, variables: Sequence[Variable], tensor: Callable[[Array], Any], outputs: Sequence[Array]
) -> Method:
    """Return the claim that `backward([g])` leaves in `.grad`.

    A loss begins the walk: it is asked with `backward(None)`, and what it leaves is multiplied by the upstream number.
    """
    begins = len(outputs) == 1 and outputs[0].size == 1
    asked = [v for v in variables if not v.constant]
    names = [v.name for v in asked]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        call = live.prepare(values)
        call.given = [tensor(array) for array in call.given]
        call.run()
        by_name = dict(zip(live.inputs, call.given, strict=True)) | call.weights

        def ask(cotangents: list[Array]) -> list[Any]:
            call.enter()
            handed: dict[str, Any] = {}
            for name, leaf in by_name.items():
                leaf.grad = None
                if name in live.inputs and hasattr(leaf, "backward"):
                    leaf.backward = partial(handed.__setitem__, name)
            live.obj.backward(None if begins else list(cotangents))
            found = [_gradient(by_name[v.name].grad, handed.get(v.name), v) for v in asked]
            if begins:
                factor = cotangents[0].reshape(())
                return [None if one is None else np.asarray(one * factor, dtype=one.dtype) for one in found]
            return found

        return ask

    return Method("backward", "vjp", tuple(names), at)


def _gradient(stored: Any, handed: Any, variable: Variable) -> Array | None:
    """Read what was stored, or else handed on: an array or a list with one."""
    found = handed if stored is None else stored
    if found is None:
        return None
    return returned.listed(found, [variable.name], [variable.example.shape], "backward")[0]
