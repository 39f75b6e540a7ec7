"""Which names say that something is a derivative: of functions, of arguments, of what is returned."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator
from typing import Any

from gradcheck.syntax import nodes

DERIVATIVE = re.compile(
    r"(^|_)(grads?|gradients?|gradf|backwards?|bwd|back_?prop\w*|back_?pass|bprop|deriv|derivatives?|jac|jacobian|hess"
    r"|hessian|hessp|hvp|vjp|jvp|pullback)(_|\d|$)|(_prime|_der)(_|\d|$)|^d(loss|cost|err|error|out|[a-z])_?d_?\w+$"
)
# What is done with gradients, what measures or describes them, and words that mean something else.
OTHERWISE = re.compile(
    r"^(accumulate|add|apply|as|average|clear|clip|collect|compare|conjugate|demo|detach|disable|draw|enable|first|fit"
    r"|flush|has|init|is|load|log|main|mean|next|no|normali[sz]e|nth|optimi[sz]e|plot|previous|print|record|register"
    r"|requires?|reset|run|save|scale|set|show|stop|store|sum|train|unscale|update|warn|without|zero)(_|$)"
    r"|(^|_)(algorithm|approx\w*|ascent|boosting|check\w*|clipp\w+|colou?r|compatib\w+|descent|elimination|error"
    r"|estimated?|euler|fill|finite|flow|hooks?|magnitude|norms?|num|numeric|numerical|penalty|tape|tests?|update)(_|$)"
    r"|grad\w*_(dtype|index|labels?|names?|shape|size|step)$|^step$"
)
# The short ones among these would also name a distance, a time or a data frame.
RETURNED = re.compile(
    r"d[A-Z]\w*|d(prev_)?[wbha]\d*|d(theta|gamma|beta|logits|scores|out|loss)\w*|grads?\d*|gradients?"
)
# Physics writes the derivative with its sign turned: F = −∂E/∂x.
FORCE = re.compile(r"(^|_)forces?(_|$)")
ENERGY = re.compile(r"(^|_)(energy|potential)(_|$)")
LOSS = re.compile(r"(^|_)(loss|cost|objective)(_|\d|$)")
BESIDE_A_LOSS = re.compile(r"acc|cache|correct|hidden|hist|logit|out|pred|prob|score|state", re.IGNORECASE)
SWITCHES = ("deriv", "derivative", "derive", "prime", "grad", "gradient", "return_grad")


def looks_like_a_derivative(name: str, beside: Collection[str] = ()) -> bool:
    """Whether a name says that this is a derivative; `beside` are the other names around it.

    >>> [looks_like_a_derivative(n) for n in ("sigmoid_prime", "softmaxGradient", "backward", "upgrade", "zero_grad")]
    [True, True, True, False, False]
    >>> looks_like_a_derivative("dsigmoid"), looks_like_a_derivative("dsigmoid", ["sigmoid"])
    (False, True)
    """
    plain = name.strip("_")
    if re.match(r"d[A-Z]", plain) or (plain[:1] == "d" and plain[1:].strip("_") in beside):
        return True
    words = _in_snake_case(plain)
    of_an_energy = FORCE.search(words) and any(ENERGY.search(_in_snake_case(name.strip("_"))) for name in beside)
    return bool(DERIVATIVE.search(words) or of_an_energy) and OTHERWISE.search(words) is None


def hint_of_a_derivative(name: str, function: Any) -> str:
    """Return what a function of another name does that a derivative would: a switch, or a gradient that it returns."""
    words = _in_snake_case(name.strip("_"))
    if not inspect.isfunction(function) or OTHERWISE.search(words):
        return ""
    given = inspect.signature(function).parameters
    if switch := next((one for one in SWITCHES if one in given and isinstance(given[one].default, bool)), ""):
        return f"it has an argument {switch}"
    values = _returned(function)
    names = dict.fromkeys(name for value in values for name in _names(value))
    if gradients := [name for name in names if RETURNED.fullmatch(name) and name not in given]:
        return f"it returns {' and '.join(gradients)}"
    if any(_is_value_and_more(value, LOSS.search(words) is not None) for value in values):
        return "it returns a value and something that may be its gradient"
    return ""


def _in_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _returned(function: Any) -> list[ast.expr]:
    """What stands behind each `return` of a function."""
    returns = (node for node in nodes(inspect.unwrap(function)) if isinstance(node, ast.Return))
    return [node.value for node in returns if node.value is not None]


def _names(value: ast.AST, among_others: bool = False) -> Iterator[str]:
    """The names in a returned value; those of a call's arguments only where several things are returned."""
    if isinstance(value, ast.Name):
        yield value.id
    elif isinstance(value, ast.Attribute):
        yield value.attr
    inside = [value.func] if isinstance(value, ast.Call) and not among_others else ast.iter_child_nodes(value)
    several = among_others or isinstance(value, (ast.Tuple, ast.List, ast.Dict))
    for one in inside:
        yield from _names(one, several)


def _is_value_and_more(value: ast.expr, of_loss: bool) -> bool:
    """Whether `f, g` is returned, or, by what is called a loss, something else beside it that has no other name."""
    if not isinstance(value, ast.Tuple) or len(value.elts) < 2:
        return False
    if [one.id for one in value.elts if isinstance(one, ast.Name)] in (["f", "g"], ["fx", "g"], ["J", "g"]):
        return True
    return of_loss and not any(BESIDE_A_LOSS.search(name) for one in value.elts[1:] for name in _names(one, True))
