"""Plain functions with a hand-written derivative beside them: `jac`, `vjp`, `jvp` or `grad`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import returned, source
from gradcheck.errors import UsageError
from gradcheck.problem import Array, Method, Problem, Sizes, Subject, Values, Variable

Function = Callable[..., Any]


def function_subject(
    f: Function,
    args: Sequence[Any],
    jac: Function | None = None,
    vjp: Function | None = None,
    jvp: Function | None = None,
    grad: Function | None = None,
    names: Sequence[str] | None = None,
    name: str | None = None,
) -> Subject:
    """Return the subject "`f` at `args`".

    - `jac(*args)`: the Jacobian by each argument, of shape `output.shape + argument.shape`, or the matrix
      `(output.size, argument.size)`; one array for one argument, else a list of them;
    - `vjp(*args, *cotangents)`: one array per argument, of its shape;
    - `jvp(*args, *tangents)`: one array per output, of its shape;
    - `grad(*args)`: the gradient of the sum of all outputs (of `f` itself, where it is a scalar).

    Raises UsageError where `args` are no numbers or no derivative is given.
    """
    claims = {"jac": jac, "vjp": vjp, "jvp": jvp, "grad": grad}
    given = {key: claim for key, claim in claims.items() if claim is not None}
    if not callable(f):
        raise UsageError(f"expected a function, but got {type(f).__name__}")
    for key, claim in given.items():
        if not callable(claim):
            raise UsageError(f"expected {key}= to be a function, but got {type(claim).__name__}")
    if not given:
        raise UsageError("nothing to check: give jac=, vjp=, jvp= or grad=")
    examples = [_example(value, number) for number, value in enumerate(args)]
    if not examples:
        raise UsageError("nothing to differentiate by: give the point at which to check, one argument or more")
    labels = list(names) if names is not None else argument_names(f, len(examples))
    if len(labels) != len(examples) or len(set(labels)) != len(labels):
        raise UsageError(f"expected {len(examples)} different names, but got {labels}")
    variables = tuple(Variable(label, "input", array) for label, array in zip(labels, examples, strict=True))

    forward = Forward(f, tuple(labels))
    methods = tuple(_METHODS[key](f, claim, variables) for key, claim in given.items())
    problem = Problem(variables, forward, methods, call=lambda values: f(*(values[label] for label in labels)))

    def build(sizes: Sizes, rng: np.random.Generator) -> Problem:
        return problem

    code = (f, *given.values())
    return Subject(name or source.title(f), source.location(f), source.documentation(f), build, fixed=True, code=code)


@dataclass(frozen=True)
class Forward:
    """A function of named arrays (an object, so that it can be sent to other processes).

    `pick` takes the output out of what the function returns.
    """

    f: Function
    names: tuple[str, ...]
    pick: Callable[[Any], Any] | None = None

    def __call__(self, values: Values) -> list[Array]:
        # Copies: a function that writes into its argument must not change the point at which it is checked.
        said = self.f(*(np.array(values[name]) for name in self.names))
        return returned.outputs(said if self.pick is None else self.pick(said))


def _example(value: Any, number: int) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"expected argument {number + 1} to be an array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        raise UsageError(f"expected argument {number + 1} to be an array of real numbers, but got dtype {array.dtype}")
    return array if array.dtype.kind == "f" else array.astype(float)


def argument_names(f: Function, count: int) -> list[str]:
    """Return the names of the first `count` arguments of `f`; `x0`, `x1`, … where it says `*args` or nothing."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # built-in functions and ufuncs have no signature
        parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    starred = positional[:count]
    missing = count > len(starred)
    if missing and count == 1:
        return ["x"]
    return starred + [f"x{n}" for n in range(len(starred), count)]


def _point(values: Values, variables: Sequence[Variable]) -> list[Array]:
    return [np.asarray(values[v.name]) for v in variables]


def _vjp(f: Function, vjp: Function, variables: Sequence[Variable]) -> Method:
    names, shapes = [v.name for v in variables], [v.example.shape for v in variables]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        x = _point(values, variables)
        return lambda cotangents: list(returned.listed(vjp(*x, *cotangents), names, shapes, "vjp"))

    return Method("vjp", "vjp", tuple(names), at, source=vjp)


def _jvp(f: Function, jvp: Function, variables: Sequence[Variable]) -> Method:
    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        x = _point(values, variables)
        return lambda tangents: list(returned.outputs(jvp(*x, *tangents)))

    return Method("jvp", "jvp", tuple(v.name for v in variables), at, source=jvp)


def _grad(f: Function, grad: Function, variables: Sequence[Variable]) -> Method:
    names, shapes = [v.name for v in variables], [v.example.shape for v in variables]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        x = _point(values, variables)
        return lambda _: list(returned.listed(grad(*x), names, shapes, "grad"))

    return Method("grad", "sum", tuple(names), at, source=grad)


def _jac(f: Function, jac: Function, variables: Sequence[Variable]) -> Method:
    """A full Jacobian answers for every cotangent by multiplication: exact for one row, and no zero meets a NaN."""
    names, shapes = [v.name for v in variables], [v.example.shape for v in variables]

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        x = _point(values, variables)
        said = jac(*x)
        said = [said] if len(names) == 1 and not isinstance(said, (list, tuple)) else said
        claimed = [returned.own(one) for one in returned.listed(said, names, shapes, "jac")]
        parts = returned.outputs(f(*(array.copy() for array in x)))

        def ask(cotangents: list[Array]) -> list[Any]:
            row = np.concatenate([np.ravel(g) for g in cotangents])
            return [
                None if one is None else _times(row, one, [part.shape for part in parts], shape)
                for one, shape in zip(claimed, shapes, strict=True)
            ]

        return ask

    return Method("jac", "vjp", tuple(names), at, source=jac)


def _times(row: Array, jacobian: Array, outputs: Sequence[tuple[int, ...]], shape: tuple[int, ...]) -> Array:
    size, rows = int(np.prod(shape)), sum(int(np.prod(output)) for output in outputs)
    fits = [(*output, *shape) for output in outputs[:1] if len(outputs) == 1] + [(rows, size)]
    if jacobian.shape not in fits:
        raise ValueError(f"expected a Jacobian of shape {fits[0]}, but got shape {jacobian.shape}")
    used = np.flatnonzero(row)
    matrix = jacobian.reshape(rows, size)
    return np.asarray(row[used].astype(jacobian.dtype) @ matrix[used]).reshape(shape)


_METHODS = {"jac": _jac, "vjp": _vjp, "jvp": _jvp, "grad": _grad}
