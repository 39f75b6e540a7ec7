"""Nobody writes into what they are given: inputs, weights, upstream gradients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.contract.setting import Setting, agree, copied, copies_of, identical, labels, needed


def forward_leaves_its_inputs(s: Setting) -> Iterator[str]:
    """The arrays that go into a call are the same after it."""
    calls = [s.problem.call] if s.problem.call is not None else [method.at for method in needed(s.methods)]
    for call in calls:
        given = s.copies()
        call(given)
        for variable in s.problem.variables:
            if variable.role == "input" and not identical(given[variable.name], s.values[variable.name]):
                yield f"forward changes its input {variable.name} in place"


def derivatives_leave_inputs_and_weights(s: Setting) -> Iterator[str]:
    """The arrays that go into a call are the same after its derivatives were asked for."""
    for method in needed(s.methods):
        given = s.copies()
        derivative = method.at(given)
        before = {name: np.array(value) for name, value in given.items()}
        derivative(s.arguments(method))
        for name, value in given.items():
            if not identical(value, before[name]):
                yield f"{method.name} changes {name} in place"


def derivatives_leave_the_upstream_gradient(s: Setting) -> Iterator[str]:
    """Cotangents (tangents) are read, not written; a read-only array is accepted."""
    asked = needed([method for method in s.methods if method.kind in ("vjp", "jvp")], "no method takes a gradient")
    for method in asked:
        given = s.arguments(method)
        kept = [np.array(one) for one in given]
        derivative = method.at(s.copies())
        derivative(given)
        if not all(identical(one, was) for one, was in zip(given, kept, strict=True)):
            yield f"{method.name} changes the upstream gradient in place"
            continue
        for one in given:
            one.flags.writeable = False
        try:
            method.at(s.copies())(given)
        except ValueError as error:
            if "read-only" in str(error):
                yield f"{method.name} writes into the upstream gradient ({error})"


def gradients_are_their_own(s: Setting) -> Iterator[str]:
    """A caller may scale or add up gradients in place: that changes no input, no weight and no later answer."""
    for method in needed(s.methods):
        given, arguments = s.copies(), s.arguments(method)
        derivative = method.at(given)
        said = derivative(copies_of(arguments))
        before = copied(said)
        arrays = [one if one is None else np.asarray(one) for one in said]
        for name, array in zip(labels(method, said), arrays, strict=True):
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
