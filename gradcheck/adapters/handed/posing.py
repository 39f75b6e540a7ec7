"""The problem that a function and the derivatives handed over with it pose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.handed import conventions, derivatives, forward, writing
from gradcheck.adapters.handed.derivatives import Answer, Derivative
from gradcheck.adapters.handed.forward import Argument, Whole
from gradcheck.adapters.handed.given import Call, Given, Part
from gradcheck.adapters.handed.known import Known
from gradcheck.adapters.handed.options import Claims, Spaces
from gradcheck.adapters.handed.pinned import READING, Pinned, pinned
from gradcheck.adapters.handed.spaces import FREE_ENTRIES, PYTORCH, Complex, Real, Space, Symmetric
from gradcheck.adapters.handed.standing import shown
from gradcheck.problem import Array, Method, Problem, Values, Variable


def posed(call: Call, claims: Claims) -> Problem:
    """Return the problem. Raises CannotBuild where it cannot be asked, UsageError where the options make no sense."""
    known, claims = pinned(Known(call, pair=claims.jac is True), claims)
    found = [
        one
        for name, claim in claims.functions.items()
        for one in derivatives.KINDS[name](known, None if claim is True else claim)
    ]
    return assembled(known, claims, found)


def assembled(known: Known, claims: Claims, found: Sequence[Derivative]) -> Problem:
    """Return the problem that some derivatives of a call pose."""
    call, options = known.call, Spaces(known.call, claims)
    free = [one for one in call.arguments if any(one in claim.about for claim in found)]
    alone = sum(len(one.parts) for one in free) == 1
    spaces = {part.name: options.of(one, part, alone) for one in free for part in one.parts}
    held = {one.name: options.held(one) for one in call.arguments if one not in free}
    whole = Whole(
        call.f,
        tuple(_argument(one, spaces, held.get(one.name)) for one in call.arguments),
        call.kwargs,
        known.pair,
    )
    variables = tuple(variable for one in call.arguments for variable in _variables(one, spaces, held.get(one.name)))
    reading = [f"{one.name} by {' and '.join(by.name for by in one.about)}" for one in found]
    reading += [one.reading for one in found if one.reading]
    reading += [one for one in (claims.reading, READING if isinstance(call.f, Pinned) else "") if one]
    methods = []
    for one in found:
        own = [spaces[part.name] for part in one.parts]
        method, forms = _method(one, known, whole, own, variables, claims.convention)
        methods.append(replace(method, certain=claims.certain))
        reading += forms
    fixed = [one.name for one in call.arguments if one not in free] + list(call.kwargs)
    return Problem(
        variables,
        whole,
        tuple(methods),
        call=whole.said,
        reading="; ".join([*reading, *([f"{', '.join(fixed)} held fixed"] if fixed else [])]),
        unjudged=tuple(known.unjudged),
        notes=tuple(known.notes),
        dtype=_widest(whole, variables),
        accuracy=claims.accuracy,
        exact=claims.exact,
        written=lambda values: writing.arguments(call, whole, claims, values),
    )


def _widest(whole: Whole, variables: Sequence[Variable]) -> str:
    """The widest type that f takes: float64, or where it refuses that, the type of the point."""
    kinds = [variable.example.dtype for variable in variables if variable.example.dtype.kind == "f"]
    own = str(np.result_type(*kinds)) if kinds else "float64"
    if own not in ("float32", "float16"):
        return "float64"
    wide = {one.name: one.example.astype(float) if one.example.dtype.kind == "f" else one.example for one in variables}
    try:
        with np.errstate(all="ignore"):
            whole(wide)
    except Exception:  # somebody else's code
        return own
    return "float64"


def _argument(one: Given, spaces: Mapping[str, Space], held: Variable | None) -> Argument:
    if held is not None:
        alone: dict[Any, Space] = {(): Real((held,))}
        return Argument(one.value, alone)
    return Argument(one.value, {part.path: spaces[part.name] for part in one.parts if part.name in spaces})


def _variables(one: Given, spaces: Mapping[str, Space], held: Variable | None) -> list[Variable]:
    if held is not None:
        return [held]
    return [variable for part in one.parts if part.name in spaces for variable in spaces[part.name].variables]


def _method(
    one: Derivative, known: Known, whole: Whole, own: Sequence[Space], variables: Sequence[Variable], said: str
) -> tuple[Method, list[str]]:
    """Return a derivative as a method, and what is to be said of how it is read. `said`: the convention, if known."""
    names = tuple(variable.name for space in own for variable in space.variables)
    if one.kind == "jvp":
        at, convention, forms = _pushing(one, known.call, whole, own), "", list[str]()
    elif said and any(isinstance(space, Complex) for space in own):
        at, convention, forms = _pulling(one, known, whole, own, said), "", [said]
    else:
        reading, convention, forms = _convention(one, known, whole, own, variables)
        at = _pulling(one, known, whole, own, reading)
    return Method(one.name, one.kind, names, at, convention=convention, source=shown(one.source)), forms


def _convention(
    one: Derivative, known: Known, whole: Whole, own: Sequence[Space], variables: Sequence[Variable]
) -> tuple[str, str, list[str]]:
    """Return how a claim is read, the convention's name, and of symmetric matrices the form that it has."""
    readings = conventions.readings(own)
    if one.certain or len(readings) == 1:
        return readings[0], "", []
    ones = [np.ones(output.shape, output.dtype) for output in known.outputs]
    try:
        claims = [np.asarray(claim) for claim in one.at(known.point())(ones)]
        if any(c.dtype.kind not in "fiubc" or c.shape != p.shape for c, p in zip(claims, one.parts, strict=True)):
            return readings[0], "", []
    except Exception:  # somebody else's code: what it raises is said when it is asked as a claim
        return readings[0], "", []
    parts = [is_real for output in known.outputs for is_real in ((True, False) if _is_complex(output) else (True,))]
    real = [number for number, is_real in enumerate(parts) if is_real]
    values = {variable.name: variable.example for variable in variables}
    reading, convention, note = conventions.chosen(own, claims, whole, values, real)
    known.notes += [(one.name, note)] if note else []
    pairs = [(part.name, claim) for space, part, claim in zip(own, one.parts, claims, strict=True) if _is_tied(space)]
    return reading, convention, [] if FREE_ENTRIES in reading else [conventions.form(*pair) for pair in pairs]


def _is_complex(output: Array) -> bool:
    return output.dtype.kind == "c"


def _is_tied(space: Space) -> bool:
    return isinstance(space, Symmetric)


def _pulling(
    one: Derivative, known: Known, whole: Whole, own: Sequence[Space], reading: str
) -> Callable[[Values], Answer]:
    """Ask with cotangents; turn what is said of arrays into what it says of their variables."""
    are_complex = [_is_complex(output) for output in known.outputs] if one.kind == "vjp" else []

    def at(values: Values) -> Answer:
        answer = one.at([argument.at(values) for argument in whole.arguments])

        def ask(cotangents: list[Array]) -> list[Any]:
            items = answer(forward.joined(cotangents, are_complex, PYTORCH in reading))
            triples = zip(own, items, one.parts, strict=True)
            return [array for space, item, part in triples for array in pulled(space, item, part)]

        return ask

    def pulled(space: Space, item: Any, part: Part) -> Sequence[Any]:
        if item is None:
            return [None] * len(space.variables)
        if not isinstance(space, Real) and np.shape(item) != part.shape:
            raise ValueError(f"expected a gradient of shape {part.shape}, but got shape {np.shape(item)}")
        # By a real x, dL = Re(c·J·dx).
        found = space.pull(np.real(item) if one.certain and not isinstance(space, Complex) else item, reading)
        if any(map(np.iscomplexobj, found)):
            raise TypeError(f"expected {one.name} by the real {part.name} to be real, but got complex numbers")
        return found

    return at


def _pushing(one: Derivative, call: Call, whole: Whole, own: Sequence[Space]) -> Callable[[Values], Answer]:
    """Ask with the tangents in which the arrays move when their variables do."""
    pairs = list(zip(call.arguments, whole.arguments, strict=True))
    moving = [(given, argument) for about in one.about for given, argument in pairs if given is about]

    def at(values: Values) -> Answer:
        answer = one.at([argument.at(values) for argument in whole.arguments])

        def ask(tangents: list[Array]) -> list[Any]:
            left = iter(tangents)
            moves = {
                part.name: space.push([next(left) for _ in space.variables])
                for space, part in zip(own, one.parts, strict=True)
            }
            return answer(
                [argument.filled({part.path: moves[part.name] for part in given.parts}) for given, argument in moving]
            )

        return ask

    return at
