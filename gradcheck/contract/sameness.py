"""The same question has the same answer: again, from a fresh object, after other data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.contract.setting import NotTried, Setting, agree, copied, copies_of, identical, needed, reordered
from gradcheck.problem import Method, Problem, Sizes


def forward_is_deterministic(s: Setting) -> Iterator[str]:
    """The same values give the same outputs; random numbers come from a seed that can be pinned."""
    for _ in range(2):
        again = s.problem.forward(s.copies())
        if not all(identical(np.asarray(a), b) for a, b in zip(again, s.outputs, strict=True)):
            yield "forward is random: the same inputs give different outputs, and no seed was found to pin"
            return


def derivatives_are_deterministic(s: Setting) -> Iterator[str]:
    """Two calls with the same values answer the same question alike."""
    for method in needed(s.methods):
        arguments = s.arguments(method)
        if not agree(s.ask(method, arguments=copies_of(arguments)), s.ask(method, arguments=copies_of(arguments))):
            yield f"{method.name} is random: two calls with the same inputs give different gradients"


def asking_twice(s: Setting) -> Iterator[str]:
    """The second answer about one call is the first one."""
    for method in needed(s.methods):
        arguments = s.arguments(method)
        derivative = method.at(s.copies())
        first = copied(derivative(copies_of(arguments)))
        second = copied(derivative(copies_of(arguments)))
        if not agree(first, second):
            doubled = agree([_times(2, one) for one in first], second)
            how = "twice the first one (added up, not replaced)" if doubled else "another one"
            yield f"{method.name}: asked again about the same call, the answer is {how}"


def earlier_calls_leave_no_trace(s: Setting) -> Iterator[str]:
    """A fresh object, and one that was called with other data before (or in between), give the same answer."""
    other = {name: reordered(value) for name, value in s.values.items()}
    for number, method in enumerate(needed(s.methods)):
        arguments = s.arguments(method)
        fresh, used = _rebuilt(s, method), _rebuilt(s, method)
        if fresh is None or used is None:
            raise NotTried(f"a second object could not be built for {method.name}")
        wanted = s.ask(fresh[1], arguments=copies_of(arguments))
        s.ask(used[1], values=other, arguments=copies_of(arguments))
        if not agree(wanted, s.ask(used[1], arguments=copies_of(arguments))):
            yield f"{method.name} depends on an earlier call: after one with other inputs the answer changes"
            continue
        derivative = used[1].at(s.copies())
        used[0].forward({name: np.array(value) for name, value in other.items()})
        if not agree(wanted, copied(derivative(copies_of(arguments)))):
            yield f"{method.name} answers for another call: forward on other data in between changes it"
        if number >= 4:
            return


def _times(factor: float, one: Any) -> Any:
    return None if one is None else factor * one


def _rebuilt(s: Setting, method: Method) -> tuple[Problem, Method] | None:
    """Build the subject anew, and return the same method of it; `None` where the shapes come out differently."""
    problem = s.subject.build(Sizes(), np.random.default_rng(0))
    shapes = {v.name: np.shape(v.example) for v in problem.variables}
    if shapes != {name: value.shape for name, value in s.values.items()}:
        return None
    found = next((one for one in problem.methods if one.name == method.name), None)
    return None if found is None else (problem, found)
