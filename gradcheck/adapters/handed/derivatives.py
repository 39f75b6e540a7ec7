"""The derivatives that can be handed over, each as a question about the arrays of the arguments that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import returned
from gradcheck.adapters.handed import answers, forward, jacobians, trees
from gradcheck.adapters.handed.given import Function, Given, Part
from gradcheck.adapters.handed.known import Known, positional
from gradcheck.errors import CannotBuild
from gradcheck.problem import Kind

# With a cotangent for each output of f: an item for each array. With a tangent for each argument: one for each output.
Answer = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Derivative:
    """One derivative. `at(arguments)` evaluates it there, and returns what answers for cotangents or tangents.

    `certain`: in complex numbers it is the derivative itself, dy = J·dz, which no convention can turn into another.
    """

    name: str
    kind: Kind
    about: tuple[Given, ...]
    at: Callable[[list[Any]], Answer]
    source: Function | None = None
    certain: bool = False
    reading: str = ""

    @property
    def parts(self) -> list[Part]:
        """The arrays that it is about."""
        return [part for one in self.about for part in one.parts]


def grad(known: Known, claim: Function, name: str = "grad") -> list[Derivative]:
    """∂ Σ f / ∂x, of the shape of x; of a complex function the complex derivative."""
    if any(part.array.dtype.kind == "c" for one in known.call.candidates for part in one.parts) and known.is_complex:
        return jac(known, claim, name)
    known.hold_signature(name, claim, known.point())
    answer = None if known.is_plain else known.answer(name, claim)
    about = known.about(name, answer, answers.fits_gradient)

    def at(arguments: list[Any]) -> Answer:
        return lambda _: _gradients(claim(*arguments, **known.call.kwargs), about, name)

    return [Derivative(name, "sum", about, at, claim)]


def vjp(known: Known, claim: Function, name: str = "vjp") -> list[Derivative]:
    """g · J, of the shape of x, for a cotangent g of each output."""
    ones = [np.ones_like(one) for one in known.outputs]
    known.hold_signature(name, claim, known.called(claim, known.point(), list(ones)))
    answer = None if known.is_plain else known.answer(name, claim, *ones)
    about = known.about(name, answer, answers.fits_gradient)

    def at(arguments: list[Any]) -> Answer:
        def ask(cotangents: list[Any]) -> list[Any]:
            return _gradients(claim(*known.called(claim, arguments, cotangents), **known.call.kwargs), about, name)

        return ask

    return [Derivative(name, "vjp", about, at, claim)]


def _gradients(answer: Any, about: Sequence[Given], name: str) -> list[Any]:
    parts = [part for one in about for part in one.parts]
    items = answers.items(answer, about, name)
    return [answers.gradient(item, part, name) for item, part in zip(items, parts, strict=True)]


def jvp(known: Known, claim: Function, name: str = "jvp", after_point: bool = False) -> list[Derivative]:
    """J · v, of the shape of the output, for a tangent v of each argument."""
    about = known.call.wrt or _with_tangents(known, claim)
    directions = [known.argument(one) for one in about]
    known.hold_signature(name, claim, known.called(claim, known.point(), directions, after_point))

    def at(arguments: list[Any]) -> Answer:
        def ask(tangents: list[Any]) -> list[Any]:
            called = known.called(claim, arguments, tangents, after_point)
            return list(forward.split(returned.outputs(claim(*called, **known.call.kwargs))))

        return ask

    return [Derivative(name, "jvp", about, at, claim)]


def _with_tangents(known: Known, claim: Function) -> tuple[Given, ...]:
    """The arguments for which a jvp takes tangents: the first, by how many more arguments than f it takes."""
    names = positional(claim)
    more = len(names) - len(known.call.arguments)
    for some in (known.call.floats, known.call.candidates):
        if not names or more == len(some):
            return some
    return known.call.floats[: max(1, more)]


def deriv(known: Known, claim: Function, name: str = "deriv") -> list[Derivative]:
    """f′ of an elementwise f, of the shape of the output."""
    if len(known.outputs) != 1:
        count = len(known.outputs)
        raise CannotBuild(f"deriv= is for an elementwise function, which has one output, but f returns {count}")
    [shape] = known.shapes
    answer = known.answer(name, claim)

    def fits(item: Any, parts: Sequence[Part]) -> bool:
        return len(parts) == 1 and jacobians.shape_of(answers.array_of(item)) == shape

    about = known.about(name, answer, fits)
    _note_whole(known, name, answer)
    return [Derivative(name, "vjp", about, _slopes(known, claim, about, name), claim, certain=known.is_complex)]


def _slopes(known: Known, claim: Function, about: tuple[Given, ...], name: str) -> Callable[[list[Any]], Answer]:
    """g ∘ f′"""
    [shape] = known.shapes
    parts = [part for one in about for part in one.parts]

    def at(arguments: list[Any]) -> Answer:
        said = answers.items(claim(*arguments, **known.call.kwargs), about, name)
        kept = [None if item is None else np.array(jacobians.slopes(item, shape, name)) for item in said]
        return lambda cotangents: [
            None if slope is None else jacobians.scaled(cotangents[0], slope, part.shape)
            for slope, part in zip(kept, parts, strict=True)
        ]

    return at


def jac(known: Known, claim: Function | None, name: str = "jac") -> list[Derivative]:
    """The Jacobian, of the shape output.shape + x.shape; without a `claim` it is what f returns beside its value."""
    shapes = known.shapes
    ask_for = _second_of(known.call.f) if claim is None else claim
    source = known.call.f if claim is None else claim
    answer = _beside(known) if claim is None else known.answer(name, claim)
    about = known.about(name, answer, jacobians.fits(shapes))
    parts = [part for one in about for part in one.parts]
    _note_whole(known, name, answer)
    if jacobians.is_operator(answer):
        return _operator(known, ask_for, about, name, answer, source)
    if len(parts) == 1 and _has_slopes(known, answer, parts[0]):
        what = "f" if name == "jac" else "the gradient"
        reading = f"{name} holds one slope for each entry, {what} being elementwise"
        sloping = _slopes(known, ask_for, about, name)
        return [Derivative(name, "vjp", about, sloping, source, certain=known.is_complex, reading=reading)]

    def at(arguments: list[Any]) -> Answer:
        said = ask_for(*arguments, **known.call.kwargs)
        cut = jacobians.apart(said, shapes, [part.shape for part in parts]) if len(parts) > 1 else None
        items = cut if cut is not None else answers.items(said, about, name)
        pairs = zip(items, parts, strict=True)
        kept = [None if item is None else jacobians.product(item, shapes, part, name) for item, part in pairs]

        def ask(cotangents: list[Any]) -> list[Any]:
            row = np.concatenate([np.ravel(one) for one in cotangents])
            return [None if one is None else one(row) for one in kept]

        return ask

    in_rows = len(parts) > 1 and jacobians.apart(answer, shapes, [part.shape for part in parts]) is not None
    reading = f"{name} is one matrix: a row for each output" if in_rows and jacobians.is_in_rows(answer) else ""
    return [Derivative(name, "vjp", about, at, source, certain=known.is_complex, reading=reading)]


def _beside(known: Known) -> Any:
    """What f returns beside its value at the point. Raises CannotBuild where that is nothing to read."""
    found = _second(known.said)
    if isinstance(found, list) and not found:
        raise CannotBuild("jac=True: expected f to return (value, derivative), but beside its value are no numbers")
    return found


def _second_of(f: Function) -> Function:
    return lambda *arguments, **kwargs: _second(f(*arguments, **kwargs))


def _second(said: Any) -> Any:
    """What f returns beside its value: one derivative, or several; text, functions and the like are none."""
    rest = [one for one in said[1:] if one is None or trees.is_tree(one) or answers.is_numeric(one)]
    return rest[0] if len(rest) == 1 else rest


def _note_whole(known: Known, name: str, answer: Any) -> None:
    array = None if answer is None else answers.array_of(answer)
    if array is not None and array.dtype.kind in "iub":
        kind = "truth values" if array.dtype.kind == "b" else "whole numbers"
        known.notes.append((name, f"it is an array of {kind} ({array.dtype}), which can hold no other slopes"))


def _has_slopes(known: Known, answer: Any, part: Part) -> bool:
    """Whether a Jacobian came as one number for each entry, of a function that is elementwise at this point."""
    array = None if answer is None else answers.array_of(answer)
    if array is None or len(known.shapes) != 1 or not array.shape == known.shapes[0] == part.shape:
        return False
    return array.shape not in jacobians.shapes(known.shapes, [part.shape]) and jacobians.is_elementwise(known, part)


def _operator(
    known: Known, claim: Function, about: tuple[Given, ...], name: str, answer: Any, source: Function
) -> list[Derivative]:
    """A linear operator makes two claims: its product with a vector, and that of its adjoint."""
    if len(about) != 1 or about[0].nested:
        raise CannotBuild(f"{name} returns a linear operator, which is by one array: say by which with wrt=")
    [part] = about[0].parts
    ends = np.cumsum([one.size for one in known.outputs])[:-1]

    def matvec(arguments: list[Any]) -> Answer:
        operator = claim(*arguments, **known.call.kwargs)

        def ask(tangents: list[Any]) -> list[Any]:
            pieces = np.split(np.asarray(operator.matvec(np.ravel(tangents[0]))).ravel(), ends)
            return forward.split([one.reshape(shape) for one, shape in zip(pieces, known.shapes, strict=True)])

        return ask

    def rmatvec(arguments: list[Any]) -> Answer:
        operator = claim(*arguments, **known.call.kwargs)

        def ask(cotangents: list[Any]) -> list[Any]:
            row = np.concatenate([np.ravel(one) for one in cotangents])
            return [np.conj(np.asarray(operator.rmatvec(np.conj(row)))).reshape(part.shape)]

        return ask

    forwards = Derivative(f"{name}.matvec", "jvp", about, matvec, source, certain=known.is_complex)
    if not jacobians.has_adjoint(answer):
        known.unjudged.append((f"{name}.rmatvec", "the operator does not implement it"))
        return [forwards]
    return [forwards, Derivative(f"{name}.rmatvec", "vjp", about, rmatvec, source, certain=known.is_complex)]


KINDS: dict[str, Callable[[Known, Any], list[Derivative]]] = {
    "jac": jac,
    "grad": grad,
    "deriv": deriv,
    "vjp": vjp,
    "jvp": jvp,
}
