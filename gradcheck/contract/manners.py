"""Nobody writes into what others hold: inputs, weights, upstream gradients, and what was handed out before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.contract.setting import NotTried, Setting, agree, copied, copies_of, identical, needed, reordered
from gradcheck.problem import Array


def forward_leaves_its_inputs(s: Setting) -> Iterator[str]:
    """The arrays that go into a call are the same after it."""
    calls = [s.problem.call] if s.problem.call is not None else [method.at for method in needed(s.methods)]
    for call in calls:
        given = s.copies()
        call(given)
        for variable in s.problem.variables:
            if variable.role == "input" and not identical(given[variable.name], s.values[variable.name]):
                yield f"forward changes its input {variable.name} in place: wrong where two branches share it"


def derivatives_leave_inputs(s: Setting) -> Iterator[str]:
    """The inputs that went into a call are the same after its derivatives were asked for."""
    yield from _changed(s, "input", ": wrong where two branches share it")


def derivatives_leave_weights(s: Setting) -> Iterator[str]:
    """The weights are the same after the derivatives were asked for."""
    yield from _changed(s, "weight", "")


def _changed(s: Setting, role: str, so: str) -> Iterator[str]:
    names = [v.name for v in s.problem.variables if v.role == role]
    for method in needed(s.methods):
        given = s.copies()
        derivative = method.at(given)
        before = {name: np.array(given[name]) for name in names}
        derivative(s.arguments(method))
        for name in names:
            if not identical(given[name], before[name]):
                yield f"{method.name} changes {name} in place{so}"


def derivatives_leave_the_upstream_gradient(s: Setting) -> Iterator[str]:
    """Cotangents (tangents) are read, not written; a read-only array is accepted."""
    asked = needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        given = s.arguments(method)
        kept = [np.array(one) for one in given]
        derivative = method.at(s.copies())
        derivative(given)
        if not all(identical(one, was) for one, was in zip(given, kept, strict=True)):
            yield f"{method.name} changes the upstream gradient in place: wrong where two branches share it"
            continue
        for one in given:
            one.flags.writeable = False
        try:
            method.at(s.copies())(given)
        except ValueError as error:
            if "read-only" in str(error):
                yield f"{method.name} writes into the upstream gradient ({error})"


def outputs_are_their_own(s: Setting) -> Iterator[str]:
    """The arrays that a call handed out are the same after the next call."""
    if s.problem.call is None:
        raise NotTried("its forward hands out copies")
    first = _arrays(s.problem.call(s.copies()))
    before = [np.array(one) for one in first]
    s.problem.call({name: reordered(value) for name, value in s.values.items()})
    if not all(identical(one, was) for one, was in zip(first, before, strict=True)):
        yield "forward hands out one array again and again: the next call overwrites it"


def gradients_are_their_own(s: Setting) -> Iterator[str]:
    """A caller may scale or add up gradients in place: that changes no input, no weight and no later answer."""
    for method in needed(s.methods):
        given, arguments = s.copies(), s.arguments(method)
        derivative = method.at(given)
        said = derivative(copies_of(arguments))
        before = copied(said)
        arrays = [one if one is None else np.asarray(one) for one in said]
        for name, array in s.judged(method, arrays):
            if array is not None and not array.flags.writeable:
                yield f"{method.name}[{name}] cannot be written to"
        written = [
            (one, was) for one, was in zip(arrays, before, strict=True) if one is not None and one.flags.writeable
        ]
        held = {name: np.array(value) for name, value in given.items()}
        try:
            for one, was in written:
                one[...] = was + 1
            for name, value in given.items():
                if not identical(value, held[name]):
                    yield f"what is written into the answer of {method.name} changes {name}"
            if not agree(before, copied(derivative(copies_of(arguments)))):
                yield f"what is written into the answer of {method.name} changes its next answer"
        finally:
            for one, was in written:
                one[...] = was  # it may be a constant that others go on using


def _arrays(said: object) -> list[Array]:
    """The arrays in what a call returned."""
    if isinstance(said, np.ndarray):
        return [said]
    return [one for one in said if isinstance(one, np.ndarray)] if isinstance(said, (list, tuple)) else []
