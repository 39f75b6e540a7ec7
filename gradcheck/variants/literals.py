"""Values for an option: those that the code compares with, and those that are usual for its name and its default."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from gradcheck.problem import Array
from gradcheck.syntax import nodes

# Another value of a setting whose code tells one word from all others.
WORDS: dict[str, tuple[str, ...]] = {
    "activation": ("sigmoid", "tanh", "relu", "linear"),
    "nonlinearity": ("sigmoid", "tanh", "relu", "linear"),
    "reduction": ("sum", "mean", "none"),
    "padding": ("same", "valid"),
    "mode": ("sum", "mean", "max", "train", "test"),
    "norm": ("l1", "l2"),
}
MOST = 8
# From here on a negative score is no score, but one to be left out.
LARGE = 1e3


def compared(functions: Iterable[FunctionType]) -> list[str]:
    """Strings that functions compare with, look up in a table or match."""
    found: dict[str, None] = {}
    for function in functions:
        found.update(dict.fromkeys(_words_of(function)))
    return list(found)


@lru_cache(maxsize=4096)
def _words_of(function: FunctionType) -> tuple[str, ...]:
    return tuple(word for node in nodes(function) for word in _words(node))


def _words(node: ast.AST) -> Iterator[str]:
    """The strings of a comparison, of a table's keys, or of a `case`."""
    parts: Sequence[ast.AST | None] = ()
    if isinstance(node, ast.Compare):
        parts = (node.left, *node.comparators)
    elif isinstance(node, ast.Dict):
        parts = [key for key, value in zip(node.keys, node.values, strict=True) if not isinstance(value, ast.Constant)]
    elif isinstance(node, ast.MatchValue):
        parts = (node.value,)
    for part in parts:
        items = part.elts if isinstance(part, (ast.Tuple, ast.List, ast.Set)) else (part,)
        for one in items:
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value


@lru_cache(maxsize=4096)
def _fills(function: FunctionType) -> bool:
    """Whether a function has a large negative number, or −∞, for what a softmax is to leave out."""
    for node in nodes(function):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            one = node.operand
            large = isinstance(one, ast.Constant) and isinstance(one.value, (int, float)) and one.value >= LARGE
            if large or (isinstance(one, ast.Attribute) and one.attr in ("inf", "Inf", "infty")):
                return True
    return False


def leaves_nothing(value: Any, functions: Iterable[FunctionType]) -> bool:
    """Whether a mask leaves a softmax nothing of a row: of no entry of it is then anything asked."""
    is_of_rows = isinstance(value, np.ndarray) and value.ndim > 1 and not value.any(axis=-1).all()
    return is_of_rows and any(map(_fills, functions))


def candidates(name: str, default: Any, words: Sequence[str], shape: tuple[int, ...]) -> list[Any]:
    """Other values than the default, the likeliest first; `shape`: that of the first input."""
    return [one for one in _candidates(name.lower(), default, words, shape) if not _same(one, default)][:MOST]


def _candidates(name: str, default: Any, words: Sequence[str], shape: tuple[int, ...]) -> list[Any]:
    parts = set(name.split("_"))
    if parts & {"axis", "axes", "dim"} and (default is None or type(default) is int):
        return [-1, 0, 1, 2]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int):
        return {0: [1, 2], 1: [2, 3, 0], 2: [3, 1]}.get(default, [default + 1, 0])
    if isinstance(default, float):
        # What stops at a tolerance of 0.3 has not begun.
        return [default / 2] if any("tol" in part for part in parts) else _floats(default)
    if isinstance(default, str):
        usual = next((known for key, known in WORDS.items() if key in name), ("other",))
        return list(dict.fromkeys((*words, *usual)))
    if isinstance(default, tuple) and default and all(type(one) is int for one in default):
        return [tuple(one + 1 for one in default)]
    if default is None:
        return _given(name, words, shape)
    return []


def _floats(default: float) -> list[float]:
    if default == 0:
        return [0.3]
    if 0 < default < 1:
        return [0.3 if default != 0.3 else 0.6, 0.0]
    return [default / 2, 2 * default] if np.isfinite(default) else [1.5]


def _given(name: str, words: Sequence[str], shape: tuple[int, ...]) -> list[Any]:
    """Something where the default is nothing: a mask, weights of samples or classes, a word or a number."""
    if "mask" in name:
        return [mask for one in _shapes(shape) for mask in (_mask(one), _mask(one).astype(float))]
    if "weight" in name and shape:
        return [np.linspace(0.5, 1.5, int(np.prod(one))).reshape(one) for one in _shapes(shape)]
    return [*words, 0.3, 2, 1, True]


def _shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """What a mask or weights may belong to: entries, samples, positions, features; pairs of positions."""
    pairs = [(shape[-2], shape[-2])] if len(shape) > 1 else []
    return list(dict.fromkeys([shape, shape[:-1], *pairs, (*shape[:-1], 1), shape[:1], shape[-1:]]))


def _mask(shape: tuple[int, ...]) -> Array:
    """Two of three entries are kept; of pairs of positions, those that look back."""
    kept = np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1
    return np.tril(np.ones(shape, bool)) if len(shape) == 2 and shape[0] == shape[1] else kept


def _same(one: Any, default: Any) -> bool:
    return not isinstance(one, np.ndarray) and type(one) is type(default) and one == default


def said(name: str, value: Any) -> str:
    """How a setting is told: `padding=1`, `mask of shape (5, 4)`."""
    if isinstance(value, np.ndarray):
        return f"{name} of shape {value.shape}{'' if value.dtype.kind == 'f' else f' ({value.dtype.name})'}"
    return f"{name}={value!r}"
