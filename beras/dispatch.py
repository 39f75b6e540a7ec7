"""What a tape does when NumPy meets a Tensor in its scope: record, leave alone, or refuse. Never lose a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from beras import destinations
from beras import numpy_rules as rules
from beras.arrays import Array
from beras.ops import GetItem, Operation
from beras.recorder import Recorder, recording
from beras.tensor import WRITING_METHODS, Tensor, holds_tensors, plain, tensors_in, wrap_result
from beras.write_clock import write_clock

# Options that NumPy's own code passes on although they say nothing.
_DEFAULTS = {"out": None, "dtype": None, "casting": "same_kind"}

_SEQUENCES = (list, tuple)
_OTHER = object()


class NoRule:
    """Stands in the graph for an operation whose derivative is not known: an error if a gradient has to pass it."""

    held_constant = ()

    def __init__(self, name: str, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        self.name, self.inputs, self.outputs = name, inputs, outputs

    def weights_read(self) -> tuple[()]:
        return ()

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Tensor | None]:
        raise NotImplementedError(
            f"{self.name} has no derivative rule, and the target depends on it: write it with operations of beras.ops, "
            "or as a Diffable; np.asarray(tensor) takes a value out of the graph on purpose"
        )


def run(tape: Recorder, operation: Operation, *inputs: Any) -> Tensor:
    """Evaluate one operation on plain arrays and record it."""
    values: list[Any] = [np.asarray(x) if type(x) is Tensor else _value(x) for x in inputs]
    result: Tensor = wrap_result(operation.forward(*values), inputs)
    operation.inputs, operation.outputs = list(inputs), [result]
    tape.record_operation(operation)
    return result


def _value(x: Any) -> Any:
    """Return an operand as a plain array; scalars stay as they are, since NumPy gives them no say in the type."""
    if isinstance(x, _SEQUENCES):
        _refuse_lost_tensors(x)
        return np.asarray(x)
    return plain(x)


def ufunc(tape: Recorder, function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`Tensor.__array_ufunc__` inside a tape."""
    if not kwargs and method == "__call__" and (operation := rules.UFUNCS.get(function)) is not None:
        return run(tape, operation(), *inputs)
    out = tuple(array for array in _tuple(kwargs.get("out")) if array is not None)
    if out or method == "at":
        return _write(out or inputs[:1], getattr(function, method), inputs, kwargs)
    rule = rules.UFUNC_RULES.get((function, method))

    def name() -> str:
        return f"np.{function.__name__}" if method == "__call__" else f"np.{function.__name__}.{method}"

    # NumPy 1 evaluates x ** 0 by a ufunc of its own that has no public name.
    constant = function in rules.PIECEWISE_CONSTANT_UFUNCS or function.__name__ == "_ones_like"
    constant = constant or (function in rules.CONSTANT_IN_THE_FIRST and not holds_tensors([inputs[1:], kwargs]))
    return _follow(tape, rule, getattr(function, method), inputs, kwargs, name=name, constant=constant)


def function(
    tape: Recorder, tensor: Tensor, func: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]
) -> Any:
    """`tensor.__array_function__` inside a tape."""
    if func in rules.MADE_OF_RULES:
        return np.ndarray.__array_function__(tensor, func, types, args, kwargs)  # NumPy's own code, on the Tensors
    if targets := destinations.by_function(func, args, kwargs):
        return _write(targets, func, args, kwargs)

    def name() -> str:
        return f"{func.__module__.replace('numpy', 'np')}.{func.__name__}"

    constant = func in rules.PIECEWISE_CONSTANT_FUNCTIONS or (func is np.where and len(args) == 1)
    constant = constant or (func in rules.CONSTANT_IN_THE_FIRST and not holds_tensors([args[1:], kwargs]))
    return _follow(tape, rules.FUNCTIONS.get(func), func, args, kwargs, name=name, constant=constant)


def method(tape: Recorder, name: str, inherited: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """A method of ndarray, called on a Tensor (`args[0]`) inside a tape."""
    if name in WRITING_METHODS and (name != "byteswap" or True in (*args[1:2], kwargs.get("inplace"))):
        require_writable(args[0])
    if targets := destinations.by_method(name, args[1:], kwargs):
        return _write(targets, inherited, args, kwargs)
    if name == "view" and len(args) == 2 and isinstance(args[1], type) and issubclass(args[1], np.ndarray):
        args, kwargs = args[:1], {"type": args[1]}  # the one parameter of view() takes a dtype or a type
    if name == "view" and kwargs.get("type") is np.ndarray:
        return np.asarray(args[0])
    constant = name in rules.PIECEWISE_CONSTANT_METHODS
    rule = rules.METHODS.get(name)
    return _follow(tape, rule, inherited, args, kwargs, name=lambda: f"ndarray.{name}", constant=constant)


def item(tape: Recorder, tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]` inside a tape."""
    return run(tape, GetItem(_tuple_of_values(index)), tensor)


def _tuple_of_values(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(plain(part) for part in index)
    return plain(index)


def _follow(
    tape: Recorder,
    rule: rules.Rule | None,
    implementation: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    name: Callable[[], str],
    constant: bool,
) -> Any:
    """Go by the rule if there is one for these arguments, else evaluate and note that `name()` has none."""
    if rule is not None:
        told = {option: value for option, value in kwargs.items() if _DEFAULTS.get(option, _OTHER) is not value}
        try:
            return rule(lambda operation, *inputs: run(tape, operation, *inputs), *args, **told)
        except TypeError:  # arguments that the rule does not know: NumPy says below whether it knows them
            pass
    tensors = list(tensors_in([args, kwargs]))
    recording.tape = None
    try:
        result = wrap_result(implementation(*_plain_tree(args), **_plain_tree(kwargs)), tensors)
    finally:
        recording.tape = tape
    outputs = list(tensors_in(result))
    if outputs and not constant and not _only_counts(outputs, tensors):
        tape.record_operation(NoRule(name(), tensors, outputs))
    return result


def _write(targets: Sequence[Any], implementation: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Carry out a call that writes into `targets`, if it may."""
    for array in targets:
        require_writable(array)
    result = implementation(*_plain_tree(args), **_plain_tree(kwargs))
    return None if result is None else targets[0] if len(targets) == 1 else tuple(targets)


def unseen(tape: Recorder, source: Tensor, made: Tensor) -> None:
    """NumPy has made one Tensor from another where its protocols do not look."""
    name = "what NumPy makes of a tensor by itself (np.c_, np.asanyarray, array.dot(tensor), Tensor(tensor, dtype))"
    tape.record_operation(NoRule(name, [source], [made]))


def _only_counts(outputs: list[Tensor], inputs: list[Tensor]) -> bool:
    """Whether floating inputs gave only integers, booleans or text, which cannot vary with them smoothly."""
    return all(z.dtype.kind not in "fcO" for z in outputs) and any(x.dtype.kind in "fc" for x in inputs)


def _plain_tree(tree: Any) -> Any:
    if isinstance(tree, (list, tuple)) and type(tree) in (list, tuple):
        return type(tree)(_plain_tree(part) for part in tree)
    if isinstance(tree, dict):
        return {name: _plain_tree(part) for name, part in tree.items()}
    return plain(tree)


def _tuple(out: Any) -> tuple[Any, ...]:
    return out if isinstance(out, tuple) else (out,)


def _refuse_lost_tensors(values: Sequence[Any]) -> None:
    if holds_tensors(values):
        raise ValueError("a list of tensors would lose their gradients here: join them with np.stack or np.concatenate")


def require_writable(array: Any) -> None:
    """Raise `RuntimeError` if an array of floating numbers is about to be written; note the write of any other.

    Inside a tape, a value that was or may be recorded cannot change, and what is written into a plain array has left
    the graph. Whole numbers and booleans have no gradient to lose.
    """
    if array.dtype.kind not in "fc":
        write_clock.note_write(array)
        return
    raise RuntimeError(
        "inside a GradientTape arrays are not written in place with tensors, since a gradient may need the old values: "
        "compute a new tensor (y = y + 1, np.where), or write after the scope (Variable.assign works anywhere)"
    )
