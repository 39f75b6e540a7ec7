"""What stands for an array before there are numbers: layers called on it make a graph, of which a model is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import whole_number
from beras.modes import modes
from beras.recorder import recording

UNKNOWN = 16  # the size that an axis of unknown length has in examples


@dataclass(frozen=True)
class NumPyCall:
    """Something of NumPy as a step of a graph: a function or ufunc by name, a method of arrays, or indexing."""

    kind: str
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it."""
        if self.kind == "item":
            return args[0][args[1]]
        if self.kind == "method":
            return getattr(args[0], self.name)(*args[1:], **kwargs)
        return function_named(self.name)(*args, **kwargs)


def function_named(name: str) -> Callable[..., Any]:
    """Return NumPy's function of this name, "linalg.norm" say. Raises `AttributeError` where there is none."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Node:
    """One step of a graph: what was called, on what, and what came of it."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Symbol]


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that is still to come: it has a shape, `(None, …)`, a dtype, and where it comes from.

    Layers and NumPy take it as they take an array, and return another one.
    """

    def __init__(self, example: Array, node: Node | None = None) -> None:
        self.example, self.node = example, node

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, of which the first axis, that of the samples, is not known."""
        return (None, *self.example.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self.example.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are, that of the samples included."""
        return self.example.ndim

    def __repr__(self) -> str:
        return f"<Symbol of shape {self.shape}, {self.dtype}>"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or "out" in kwargs:
            raise TypeError(f"np.{ufunc.__name__}.{method} does not work on an Input, which holds no numbers yet")
        return symbolic(NumPyCall("function", ufunc.__name__), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.shape, np.ndim, np.size):
            return function(*_examples(args), **kwargs)
        module = function.__module__.partition(".")[2]
        return symbolic(NumPyCall("function", f"{module}.{function.__name__}".lstrip(".")), args, kwargs)

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise TypeError("an Input holds no numbers yet: Model(inputs, outputs) makes a model that takes them")

    def __getitem__(self, index: Any) -> Any:
        return symbolic(NumPyCall("item", ""), (self, index), {})

    def __iter__(self) -> Any:
        raise TypeError("an Input cannot be iterated over")

    def __bool__(self) -> bool:
        raise TypeError("an Input holds no numbers yet, so that nothing can be decided by them")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not callable(getattr(np.ndarray, name, None)):
            raise AttributeError(f"an Input has no {name!r}")
        return lambda *args, **kwargs: symbolic(NumPyCall("method", name), (self, *args), kwargs)


def Input(
    shape: Sequence[int | None],
    batch_size: int | None = None,
    dtype: npt.DTypeLike = "float32",
    name: str | None = None,
) -> Symbol:
    """Return what stands for samples of this shape, without the axis of the batch; `None`: an axis of any length.

    `batch_size` and `name` say nothing here.

    >>> Input((28, 28, 1))
    <Symbol of shape (None, 28, 28, 1), float32>
    """
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"Input expects the shape of a sample, such as Input(({shape!r},)), got {shape!r}")
    sizes = [UNKNOWN if n is None else whole_number(n, "Input", "a size") for n in shape]
    return Symbol(np.zeros((1, *sizes), dtype))


def symbolic(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return what stands for `function(*args, **kwargs)`: shapes and types come from a run on examples."""
    tape, recording.tape = recording.tape, None
    earlier = modes.training
    modes.training = earlier | {id(function): False}
    try:
        found = function(*_examples(args), **_examples(kwargs))
    finally:
        recording.tape, modes.training = tape, earlier
    several = isinstance(found, (list, tuple))
    outputs = [Symbol(np.asarray(part)) for part in (found if several else [found])]
    node = Node(function, tuple(args), kwargs, outputs)
    for output in outputs:
        output.node = node
    return type(found)(outputs) if several else outputs[0]


def symbols_in(tree: Any) -> list[Symbol]:
    """Return the symbols in nested lists, tuples and dicts."""
    if isinstance(tree, Symbol):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return [symbol for part in parts for symbol in symbols_in(part)]


def replaced(tree: Any, by: Callable[[Symbol], Any]) -> Any:
    """Return nested lists, tuples and dicts with something else for every symbol."""
    if isinstance(tree, Symbol):
        return by(tree)
    if isinstance(tree, (list, tuple)):
        return type(tree)(replaced(part, by) for part in tree)
    if isinstance(tree, dict):
        return {name: replaced(part, by) for name, part in tree.items()}
    return tree


def _examples(tree: Any) -> Any:
    return replaced(tree, lambda symbol: symbol.example)
