"""Operations on graph nodes: `forward(*nodes)` returns a node, `backward(*nodes, gradient)` a tuple of gradients.

A node holds its array in `.value` (or in something with `.data`). The class of the nodes is found beside the operation.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import arguments, examples, returned
from gradcheck.adapters.construct import Made
from gradcheck.adapters.generations import has
from gradcheck.adapters.protocol import Interface
from gradcheck.errors import CannotBuild
from gradcheck.problem import Array, Method, Problem, Sizes, Values, Variable

# What an argument that is no node may be: an index, or a part of the array.
RAW: tuple[Any, ...] = (1, slice(0, 2), 2.0)


def recognises(thing: Any) -> bool:
    """Static methods; `backward` takes all that `forward` takes, and then the upstream gradient."""
    if not (has(thing, "forward") and has(thing, "backward")):
        return False
    if inspect.isfunction(inspect.getattr_static(thing, "forward")):
        return False
    forward, backward = _names(thing, "forward"), _names(thing, "backward")
    return bool(forward) and len(backward) == len(forward) + 1 and backward[: len(forward)] == forward


def _names(thing: Any, method: str) -> list[str]:
    try:
        written = inspect.getattr_static(thing, method)
        names = list(inspect.signature(getattr(thing, method)).parameters)
    except (TypeError, ValueError):  # a method without a signature
        return []
    return names[1:] if inspect.isclass(thing) and inspect.isfunction(written) else names


def node_class(obj: Any) -> type:
    """Return the first class beside the operation that makes a node of an array (CannotBuild where there is none)."""
    for cls in _around(type(obj)):
        try:
            if held(cls(np.ones(2))) is not None:
                return cls
        except Exception:  # another class of the module, which takes something else
            continue
    raise CannotBuild("no class was found beside it that makes a node of an array")


def _around(operation: type) -> Iterator[type]:
    for base in inspect.getmro(operation):
        module = sys.modules.get(base.__module__)
        for thing in list(vars(module).values()) if module is not None and base is not object else []:
            if (
                inspect.isclass(thing)
                and has(thing, "backward")
                and not recognises(thing)
                and not issubclass(thing, np.ndarray)
            ):
                yield thing


def held(node: Any) -> Array | None:
    """Return the array that a node holds: what its operations compute with."""
    own = getattr(node, "__dict__", {})
    for inner in own.values():
        data = getattr(inner, "data", None)
        if not isinstance(inner, np.ndarray) and isinstance(data, np.ndarray):
            return data
    for name in ("value", "data"):
        if isinstance(own.get(name), np.ndarray):
            return np.asarray(own[name])
    return None


@dataclass(frozen=True)
class Operation:
    """An operation as a function of named arrays; arguments that are no nodes are fixed."""

    obj: Any
    node: type
    order: tuple[str, ...]
    given: tuple[Any, ...]

    def arguments(self, values: Values) -> list[Any]:
        """Nodes of the values, and what is no node."""
        pairs = zip(self.order, self.given, strict=True)
        return [self.node(values[name]) if name in values else raw for name, raw in pairs]

    def __call__(self, values: Values) -> list[Array]:
        nodes = self.arguments({name: np.array(values[name]) for name in self.order if name in values})
        return returned.outputs(held(self.obj.forward(*nodes)))


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that the operation poses. Raises CannotBuild where it cannot be called."""
    obj = made.obj
    node = node_class(obj)
    meanings = arguments.roles_of(_names(obj, "forward"), obj)
    if made.inputs is not None:
        given: list[Any] = [np.asarray(v) if _is_numeric(v) else v for v in made.inputs]
    else:
        meanings, given = _probed(obj, node, meanings, sizes, rng)
    if len(given) != len(meanings):
        raise CannotBuild(f"its example gives {len(given)} inputs, but forward takes {len(meanings)}")
    variables = tuple(
        Variable(role.name, "input", array, role.constant, role.domain, role.data)
        for role, array in zip(meanings, given, strict=True)
        if isinstance(array, np.ndarray)
    )
    names = [v.name for v in variables]
    shapes = [v.example.shape for v in variables]
    constants = [v.name for v in variables if v.constant]
    order = [role.name for role in meanings]

    operation = Operation(obj, node, tuple(order), tuple(given))

    def at(values: Values) -> Callable[[list[Array]], list[Any]]:
        nodes = operation.arguments({name: np.asarray(values[name]) for name in names})
        obj(*nodes) if callable(obj) else obj.forward(*nodes)

        def ask(cotangents: list[Array]) -> list[Any]:
            return _listed(obj.backward(*nodes, *cotangents), names, shapes, constants)

        return ask

    method = Method("backward", "vjp", tuple(names), at, certain=made.inputs is not None)
    return Problem(variables, operation, (method,))


def _listed(said: Any, names: Sequence[str], shapes: Sequence[tuple[int, ...]], constants: Sequence[str]) -> list[Any]:
    """A graph walks over inputs and gradients in pairs: a bare array there gives each input a row."""
    if isinstance(said, np.ndarray):
        raise ValueError(
            f"expected backward to return a tuple with one gradient each for {', '.join(names)}, "
            f"but got a bare array of shape {said.shape}"
        )
    return list(returned.listed(said, names, shapes, "backward", constants))


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, float, list, np.floating))


def _probed(
    obj: Any, node: type, meanings: list[arguments.Role], sizes: Sizes, rng: np.random.Generator
) -> tuple[list[arguments.Role], list[Any]]:
    """Try every argument as a node first, then the last ones as an index or a slice."""
    error: CannotBuild | None = None
    for nodes in range(len(meanings), 0, -1):
        for raw in itertools.product(RAW, repeat=len(meanings) - nodes):

            def run(arrays: list[Array], raw: tuple[Any, ...] = raw) -> Any:
                return obj.forward(*map(node, arrays), *raw)

            def runs(arrays: list[Array]) -> None:
                returned.outputs(held(run(arrays)))

            def both(arrays: list[Array], raw: tuple[Any, ...] = raw) -> None:
                output = held(run(arrays))
                said = obj.backward(*map(node, arrays), *raw, np.ones_like(output, dtype=float))
                for one, array in zip(said, arrays, strict=False):
                    if one is not None and np.shape(one) != array.shape:
                        raise ValueError("another shape than the input's")

            try:
                plain = [
                    arguments.Role(r.name, r.constant and nodes == len(meanings), domain=r.domain)
                    for r in meanings[:nodes]
                ]
                found, given = examples.find(plain, sizes, (), rng, runs, both)
            except CannotBuild as problem:
                error = error or problem
                continue
            return [*found, *meanings[nodes:]], [*given, *raw]
    assert error is not None
    raise error


INTERFACE = Interface("forward(*nodes) and backward(*nodes, gradient) on a graph's nodes", recognises, build)
