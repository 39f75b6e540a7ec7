"""Functions that return functions: a value with what pulls gradients back, or a function with its derivative.

softplus(x) → (y, back)                       back(dy) → dx
make_loss(X, y) → (loss, grad)                loss(w), grad(w)
make_objective(A, b) → fun                    fun(x) → (value, gradient)
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradcheck.adapters.calls import pairs, words
from gradcheck.adapters.calls.program import CALLED, Derivative, Leaf, Output, Program, Source, Step, Upstream
from gradcheck.adapters.calls.source import is_number, is_product
from gradcheck.syntax import tree

Inner = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class Call:
    """Calls a function that is handed over (an object, so that it can be sent to other processes)."""

    names: tuple[str, ...]

    @property
    def __signature__(self) -> inspect.Signature:
        """The function, and the arguments that it gets."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in (CALLED, *self.names)])

    def __call__(self, function: Callable[..., Any], *given: Any) -> Any:
        return function(*given)


def program(name: str, f: Callable[..., Any]) -> Program | None:
    """Return the program of a function that returns functions; `None` where they are not known to be derivatives."""
    node = tree(f)
    if node is None or not pairs.required(f) or pairs.takes_any_number(f):
        return None
    steps = [pairs.own_step(name, f)]
    elements = _elements(node)
    inside = _function(elements[0], node) if len(elements) == 1 else None
    if inside is not None:
        step = _call(_named(elements[0], name), inside, Output(0), steps[0])
        if step is None:
            return None
        steps, node, elements = [*steps, step], inside, _elements(inside)
    found = _pulled_back(steps, elements, node) or _told(steps, elements, node)
    return found or (_with_gradient(steps, elements) if inside is not None else None)


def _pulled_back(steps: list[Step], elements: list[ast.expr], node: Inner) -> Program | None:
    """`y, back`: what is called with the gradient by y."""
    if len(elements) != 2 or _function(elements[0], node) is not None:
        return None
    back = _function(elements[1], node)
    taken = _required(back) if back is not None else []
    called = _named(elements[1], "pullback")
    if back is None or len(taken) != 1:
        return None
    says = words.is_named_after_a_derivative(called) or words.is_named_after_a_derivative(steps[0].name)
    if not (says or words.UPSTREAM.fullmatch(taken[0])):
        return None
    last = len(steps) - 1
    takes: tuple[tuple[str, Source], ...] = ((CALLED, Output(last, 1)), (taken[0], Upstream(0)))
    step = Step(Call((taken[0],)), called, takes)
    taken = [name for one in reversed(steps) for name, source in one.takes if isinstance(source, Leaf)]
    claims = Derivative(called, "product", step, _names(back, taken))
    return Program(tuple(steps), (Output(last, 0),), (claims,))


def _told(steps: list[Step], elements: list[ast.expr], node: Inner) -> Program | None:
    """`loss, grad`: two functions of the same arguments, of which the second is the derivative of the first."""
    inner = [_function(one, node) for one in elements]
    if len(steps) > 1 or len(inner) < 2 or None in inner:
        return None
    names = [_named(one, "") for one in elements]
    values = [n for n, name in enumerate(names) if not words.is_named_after_a_derivative(name) and not _second(name)]
    first = [n for n, name in enumerate(names) if words.is_named_after_a_derivative(name) and not _second(name)]
    if len(values) != 1 or len(first) != 1:
        return None
    asked = [_call(names[n], inner[n], Output(0, n), steps[0]) for n in (values[0], first[0])]
    if asked[0] is None or asked[1] is None or len(asked[0].takes) != len(asked[1].takes):
        return None
    takes = tuple(
        (mine, source if mine == CALLED else theirs)
        for (mine, source), (_, theirs) in zip(asked[1].takes, asked[0].takes, strict=True)
    )
    ours = [one for one, source in asked[0].takes if isinstance(source, Leaf)]
    step = Step(asked[1].function, names[first[0]], takes)
    claims = Derivative(step.name, "place", step, _names(inner[first[0]], ours))
    left = tuple((name, "it is the derivative of a derivative") for name in names if _second(name))
    return Program((steps[0], asked[0]), (Output(1),), (claims,), unjudged=left)


def _with_gradient(steps: list[Step], elements: list[ast.expr]) -> Program | None:
    """`value, gradient` of the function that is returned."""
    if len(elements) != 2:
        return None
    value, gradient = elements
    written = is_number(value) and is_product(gradient)
    if not (written or words.is_gradient_name(_named(gradient, ""))):
        return None
    ours = [name for name, source in steps[-1].takes if isinstance(source, Leaf)]
    claims = Derivative(steps[-1].name, "gradient", None, _called_after([gradient], ours), (Output(1, 1),))
    return Program(tuple(steps), (Output(1, 0),), (claims,))


def _call(name: str, inner: Inner | None, source: Output, first: Step) -> Step | None:
    """The call of a function that was returned; `None` where its arguments are called as those of the outer one are."""
    taken = _required(inner) if inner is not None else []
    if not taken or set(taken) & {one for one, _ in first.takes}:
        return None
    return Step(Call(tuple(taken)), name, ((CALLED, source), *((one, Leaf(one)) for one in taken)))


def _second(name: str) -> bool:
    return bool(words.SECOND_ORDER & set(words.words_of(name)))


def _elements(node: Inner) -> list[ast.expr]:
    """What the last `return` hands back, one by one."""
    if isinstance(node, ast.Lambda):
        value: ast.expr | None = node.body
    else:
        handed = [one.value for one in _own(node) if isinstance(one, ast.Return)]
        value = handed[-1] if handed else None
    if value is None:
        return []
    return list(value.elts) if isinstance(value, (ast.Tuple, ast.List)) else [value]


def _own(node: Inner) -> list[ast.AST]:
    """What is written in a function, but for what is inside of its own functions."""
    found: list[ast.AST] = list(node.body) if isinstance(node, ast.FunctionDef) else [node.body]
    for one in found:
        if not isinstance(one, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            found.extend(ast.iter_child_nodes(one))
    return found


def _function(element: ast.expr, node: Inner) -> Inner | None:
    """The function of its own that a function returns by this expression."""
    if isinstance(element, ast.Lambda):
        return element
    if not isinstance(element, ast.Name):
        return None
    for one in _own(node):
        if isinstance(one, ast.FunctionDef) and one.name == element.id:
            return one
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Lambda) and _is_to(one, element.id):
            return one.value
    return None


def _is_to(assignment: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in assignment.targets)


def _named(element: ast.expr, otherwise: str) -> str:
    return element.id if isinstance(element, ast.Name) else otherwise


def _required(inner: Inner) -> list[str]:
    arguments = [*inner.args.posonlyargs, *inner.args.args]
    return [one.arg for one in arguments[: len(arguments) - len(inner.args.defaults)]]


def _names(inner: Inner | None, taken: list[str]) -> tuple[str, ...]:
    """What a function calls what it returns."""
    return _called_after(_elements(inner), taken) if inner is not None else ()


def _called_after(elements: list[ast.expr], taken: list[str]) -> tuple[str, ...]:
    """The names of gradients; without any, they are by what is taken, in order: first what the inner function takes."""
    names = tuple(_named(one, "") for one in elements)
    is_named = any(words.is_gradient_name(name) for name in names)
    return names if is_named or len(names) != len(taken) else tuple(f"d{name}" for name in taken)
