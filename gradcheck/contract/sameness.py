"""The same question has the same answer: again, from a fresh object, after other data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """Ask twice about one call; what the second time raises is the answer.

    A function that changes its arguments, which is told elsewhere, would be asked about others the second time.
    """
    arguments, values = s.arguments(method), s.copies()
    derivative = method.at(values)
    first = copied(derivative(copies_of(arguments)))
    changed = not all(identical(value, s.values[name]) for name, value in values.items())
    if changed and method.source is not None:
        return first, first
    try:
        return first, copied(derivative(copies_of(arguments)))
    except Exception as error:  # other people's code
        return first, error


def earlier_calls_leave_no_trace(s: Setting) -> Iterator[str]:
    """A fresh object, and one that was called with other data before (or in between), give the same answer.

    All methods are asked on the same two objects; where that makes a difference, each on two of its own.
    """
    if s.case:
        raise NotTried("a case cannot be built anew")
    methods = needed(s.methods)[:REBUILT]
    if list(_traces(s, methods)):
        for method in methods:
            yield from _traces(s, [method])


def _traces(s: Setting, methods: Sequence[Method]) -> Iterator[str]:
    other = {name: reordered(value) for name, value in s.values.items()}
    (_, fresh), (used, again) = (_rebuilt(s) for _ in range(2))
    for name in (method.name for method in methods):
        if name not in fresh or name not in again:
            raise NotTried(f"a second object could not be built for {name}")
        arguments = s.arguments(again[name])
        wanted = s.ask(fresh[name], arguments=copies_of(arguments))
        s.ask(again[name], values=other, arguments=copies_of(arguments))
        if not agree(wanted, s.ask(again[name], arguments=copies_of(arguments))):
            yield f"{name} depends on an earlier call: after one with other inputs the answer changes"
            continue
        derivative = again[name].at(s.copies())
        used.forward({name: np.array(value) for name, value in other.items()})
        if not agree(wanted, copied(derivative(copies_of(arguments)))):
            yield f"{name} answers for another call: forward on other data in between changes it"


def _times(factor: float, one: Any) -> Any:
    return None if one is None else factor * one


def _rebuilt(s: Setting) -> tuple[Problem, dict[str, Method]]:
    """Build the subject anew; its methods by name, none of them where the shapes come out differently."""
    problem = s.subject.build(Sizes(), np.random.default_rng(0))
    shapes = {v.name: np.shape(v.example) for v in problem.variables}
    same = shapes == {name: value.shape for name, value in s.values.items()}
    return problem, {method.name: method for method in problem.methods} if same else {}
