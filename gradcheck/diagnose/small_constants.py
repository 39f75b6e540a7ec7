"""The small constants of forward: is the claim the derivative without one of them?

`log(p + 1e-7)` with the derivative 1/p: the claim forgets the ε of its own forward. It is found by running forward
without it: the constants of its code that are next to a whole number become that number, one after the other, and the
claim is held against the derivative of what is left.

A tolerance at which forward stops is such a constant, too. It shows itself by the loop that ends there, by its name, or
by a forward that never ends without it; then a smaller one is tried.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence, differences, similar
from gradcheck.diagnose.loops import stops
from gradcheck.errors import TimeLimit, is_checked
from gradcheck.evaluated import Evaluated
from gradcheck.guarded import in_time
from gradcheck.problem import Array, Sizes, Subject

SMALL = 1e-3
# A claim that is further off than this has another mistake, unless the constant is one that is there to be forgotten:
# beside a probability that is 0, a tiny one is all there is.
MOST = 0.05
TINY = 1e-5
FUNCTIONS = 60

# What a tolerance is multiplied by where forward does not end without any.
TIGHTER = 2.0**-20

# A constant that is off by more than this is another one.
NEXT_TO = 0.02


@dataclass(frozen=True)
class Forgotten:
    """The constant that a claim forgets, as a cause, and how far it is off, in words."""

    cause: Cause
    where: str


def forgotten(subject: Subject, e: Evidence, here: Evaluated) -> Forgotten | None:
    """Return the small constant without which the claim would be right, or None."""
    if not e.readable:
        return None
    if not np.isfinite(e.claim[e.judged]).all():
        return _without_which_forward_is_infinite(subject, e)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = float(np.max(np.abs(e.claim - e.estimate), where=e.judged, initial=0.0)) / e.scale if e.scale else np.inf
    if not off:
        return None
    functions = list(functions_of(subject.code))
    for constant in dict.fromkeys(c for function in functions for c in _constants(function)):
        if off > MOST and abs(constant - round(constant)) > TINY:
            continue
        name, left = _named(constant), float(round(constant))
        by = f"by {off:.1g} of the derivative" if off <= MOST else "near 0 by as much as the derivative"
        without = jacobian_with(subject, e, replaced(functions, constant, left))
        tighter = without is None and not left
        if tighter:
            without = jacobian_with(subject, e, replaced(functions, constant, constant * TIGHTER))
        if without is None or not e.fits(without, loss=1e-9) or e.fits(e.estimate):
            continue
        if tighter or _is_tolerance(functions, constant):
            return Forgotten(_stops(name), f"{by} (tolerance {name})")
        sentence = f"A small constant is missing: the claim is the derivative of forward without its {name}."
        cause = Cause("missing epsilon", sentence, f"with {name} taken out of forward, every entry is right")
        return Forgotten(cause, f"{by} (ε = {name})")
    return None


def _stops(name: str) -> Cause:
    sentence = (
        f"Forward stops at a tolerance of its own, {name}, and the claim is the derivative of what it comes near to. "
        f"If that is meant, say how exact forward is, check(..., accuracy={name}), or let it stop later."
    )
    return Cause("stops at a tolerance", sentence, f"with a smaller number for {name}, every entry is right")


def _is_tolerance(functions: list[FunctionType], constant: float) -> bool:
    """Whether a loop ends at a constant, or its function names a tolerance: an argument, a variable, a keyword."""
    holders = [function for function in functions if constant in _constants(function)]
    return any(constant in stops(one) or any("tol" in name for name in _names(one.__code__)) for one in holders)


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_varnames)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
        elif isinstance(constant, tuple):  # the keywords of a call
            yield from (one for one in constant if isinstance(one, str))


def _without_which_forward_is_infinite(subject: Subject, e: Evidence) -> Forgotten | None:
    """The constant that keeps forward finite here, where a claim that forgets it is not."""
    functions = list(functions_of(subject.code))
    for constant in dict.fromkeys(c for function in functions for c in _constants(function)):
        try:
            with _taken_out(functions, constant), in_time(), np.errstate(all="ignore"):
                left = e.problem.forward({name: np.array(value) for name, value in e.values.items()})
        except (Exception, TimeLimit):  # somebody else's forward, without what it needs
            continue
        if not all(np.isfinite(one).all() for one in left):
            name = _named(constant)
            sentence = f"A small constant is missing: the claim is not finite where forward without its {name} is not."
            cause = Cause("missing epsilon", sentence, f"with {name} taken out of forward, it is infinite here, too")
            return Forgotten(cause, f"at 0 altogether (ε = {name})")
    return None


def mistyped(subject: Subject, e: Evidence) -> Cause | None:
    """Return the constant of the claim that is rounded or mistyped: next to one of forward's, or a multiple of it."""
    right, here = e.product(e.estimate), e.said()
    if here is None or similar(here, right, 1e-9):
        return None
    functions = list(functions_of(subject.code))
    held = list(dict.fromkeys(c for function in functions for c in _in_code(function.__code__) if _is_fraction(c)))
    meant = [(f"{n} × {c:g}" if n > 1 else f"{c:.17g}", n * c) for c in held for n in (1, 2, 3, 4)]
    for constant in held:
        for text, other in meant:
            if constant == other or abs(constant / other - 1) > NEXT_TO:
                continue
            with replaced(functions, constant, other):
                said = e.said()
            if said is not None and similar(said, right, 1e-9):
                sentence = f"A constant is rounded or mistyped: {constant:g} stands where {text} belongs ({other:g})."
                return Cause("constant mistyped", sentence, f"with {text} in its place every entry is right")
    return None


def _is_fraction(constant: Any) -> bool:
    return isinstance(constant, float) and np.isfinite(constant) and constant != round(constant)


def _named(constant: float) -> str:
    return f"{constant:g}" if constant < 0.5 else f"1 − {1 - constant:.3g}"


def jacobian_with(subject: Subject, e: Evidence, changed: contextlib.AbstractContextManager[None]) -> Array | None:
    """The Jacobian of forward where something is changed; None where it cannot be run so, or never ends."""
    try:
        with changed:
            problem = subject.build(Sizes(), np.random.default_rng(0))
            shapes = {v.name: np.shape(v.example) for v in problem.variables}
            if shapes != {name: np.shape(value) for name, value in e.values.items()}:
                problem = e.problem
            jacobian = differences(problem, e.values, e.variable.name)
            return jacobian.sum(axis=0, keepdims=True) if e.method.kind == "sum" else jacobian
    except (Exception, TimeLimit):  # somebody else's forward, without what it needs
        return None


def functions_of(code: tuple[Any, ...]) -> Iterator[FunctionType]:
    """The functions of the checked things: methods of classes, and what they name of their modules (a net its loss)."""
    queue = [one for thing in code for one in _own(thing)]
    seen: set[int] = set()
    while queue and len(seen) < FUNCTIONS:
        function = queue.pop(0)
        if id(function) in seen:
            continue
        seen.add(id(function))
        yield function
        queue += [other for one in _called(function) if _is_checked(one) for other in _own(one)]


def _called(function: FunctionType) -> Iterator[Any]:
    """The functions and classes that a function names, also those of modules that it names (`F.softmax`)."""
    names = function.__code__.co_names
    held = [function.__globals__.get(name) for name in names]
    held += [vars(module).get(name) for module in held if isinstance(module, ModuleType) for name in names]
    yield from (one for one in held if isinstance(one, (FunctionType, type)))


def _is_checked(thing: Any) -> bool:
    """Whether a function or class is written in the checked code."""
    file = getattr(sys.modules.get(thing.__module__), "__file__", None)
    return file is not None and is_checked(file)


def _own(thing: Any) -> Iterator[FunctionType]:
    thing = getattr(thing, "__func__", thing)
    if isinstance(thing, FunctionType):
        yield thing
        return
    cls = thing if inspect.isclass(thing) else type(thing)
    for base in cls.__mro__:
        for member in vars(base).values():
            held = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(held, FunctionType):
                yield held


def _constants(function: FunctionType) -> Iterator[float]:
    held = [*_in_code(function.__code__), *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    held += [function.__globals__.get(name) for name in function.__code__.co_names]
    yield from (one for one in held if _is_small(one))


def _in_code(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _in_code(constant)
        else:
            yield constant


def _is_small(constant: Any) -> bool:
    """Whether a constant is next to a whole number, and none itself."""
    return isinstance(constant, float) and 0 < abs(constant - round(constant)) <= SMALL


@contextlib.contextmanager
def _taken_out(functions: list[FunctionType], constant: float) -> Iterator[None]:
    """Let functions run with the whole number next to a constant in its place."""
    with replaced(functions, constant, float(round(constant))):
        yield


@contextlib.contextmanager
def replaced(functions: list[FunctionType], constant: float, by: float) -> Iterator[None]:
    """Let functions run with another number for a constant."""
    before = [(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in functions]
    names = [(f.__globals__, name) for f in functions for name in f.__code__.co_names]
    held = [(module, name) for module, name in names if _is_number(module.get(name), constant)]

    def other(value: Any) -> Any:
        return by if _is_number(value, constant) else value

    def rewritten(code: CodeType) -> CodeType:
        consts = (rewritten(one) if isinstance(one, CodeType) else other(one) for one in code.co_consts)
        return code.replace(co_consts=tuple(consts))

    try:
        for f in functions:
            f.__code__ = rewritten(f.__code__)
            f.__defaults__ = None if f.__defaults__ is None else tuple(map(other, f.__defaults__))
            if f.__kwdefaults__ is not None:
                f.__kwdefaults__ = {key: other(value) for key, value in f.__kwdefaults__.items()}
        for module, name in held:
            module[name] = by
        yield
    finally:
        for module, name in held:
            module[name] = constant
        for f, code, defaults, keywords in before:
            f.__code__, f.__defaults__, f.__kwdefaults__ = code, defaults, keywords


def _is_number(value: Any, constant: float) -> bool:
    return type(value) is type(constant) and value == constant
