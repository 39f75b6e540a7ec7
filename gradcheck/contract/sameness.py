"""The same question has the same answer: again, from a fresh object, after other data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.contract.setting import NotTried, Setting, agree, copied, copies_of, identical, needed, reordered
from gradcheck.errors import told
from gradcheck.problem import Method, Problem, Sizes

# As many methods are asked on objects built anew.
REBUILT = 5


def forward_is_deterministic(s: Setting) -> Iterator[str]:
    """The same values give the same outputs; random numbers come from a seed that can be pinned."""
    again = s.problem.forward(s.copies())
    if not all(identical(np.asarray(a), b) for a, b in zip(again, s.outputs, strict=True)):
        yield "forward is random: the same inputs give different outputs, and no seed was found to pin"


def derivatives_are_deterministic(s: Setting) -> Iterator[str]:
    """Two calls with the same values answer the same question alike."""
    for method in needed(s.methods):
        arguments = s.arguments(method)
        if not agree(s.ask(method, arguments=copies_of(arguments)), s.ask(method, arguments=copies_of(arguments))):
            yield f"{method.name} is random: two calls with the same inputs give different gradients"


def asking_twice(s: Setting) -> Iterator[str]:
    """The second answer about one call, if there is one, is the first one."""
    for method in needed(s.methods):
        first, second = _twice(s, method)
        if isinstance(second, list) and not agree(first, second):
            doubled = agree([_times(2, one) for one in first], second)
            how = "twice the first one (added up, not replaced)" if doubled else "another one"
            yield f"{method.name}: asked again about the same call, the answer is {how}"


def asked_more_than_once(s: Setting) -> Iterator[str]:
    """There is a second answer about one call: the first one has not used up what it was computed from."""
    for method in needed(s.methods):
        _, second = _twice(s, method)
        if isinstance(second, Exception):
            yield f"{method.name} can be asked only once after each forward: the second time it raises {told(second)}"


def _twice(s: Setting, method: Method) -> tuple[list[Any], list[Any] | Exception]:
    """Ask twice about one call; what the second time raises is the answer."""
    arguments = s.arguments(method)
    derivative = method.at(s.copies())
    first = copied(derivative(copies_of(arguments)))
    try:
        return first, copied(derivative(copies_of(arguments)))
    except Exception as error:  # other people's code
        return first, error


def earlier_calls_leave_no_trace(s: Setting) -> Iterator[str]:
    """A fresh object, and one that was called with other data before (or in between), give the same answer."""
    if s.case:
        raise NotTried("a case cannot be built anew")
    other = {name: reordered(value) for name, value in s.values.items()}
    for method in needed(s.methods)[:REBUILT]:
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
