"""Nested parameters: dicts, lists and tuples of arrays, as in `{"W1": …, "layers": [{"b": …}]}`.

Each array is a leaf with a name that says how to get at it: `params['W1']`, `params['layers'][0]['b']`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.adapters.pairing import names_fit

Path = tuple[Any, ...]


def is_tree(value: Any) -> bool:
    """Whether `value` is a dict, a named tuple, or a list or tuple of arrays; a list of numbers is an array.

    >>> is_tree({"w": 1.0}), is_tree([np.ones(2), np.ones(3)]), is_tree([[1.0, 2.0], [3.0, 4.0]])
    (True, True, False)
    """
    if isinstance(value, dict):
        return True
    if not isinstance(value, (list, tuple)):
        return False
    return hasattr(value, "_fields") or any(isinstance(one, np.ndarray) or is_tree(one) for one in value)


def leaves(value: Any, name: str, path: Path = ()) -> Iterator[tuple[str, Path, Any]]:
    """Yield every leaf of a tree with its name and the keys that lead to it; what is no tree is its own only leaf."""
    if not is_tree(value):
        yield name, path, value
        return
    for key, (label, one) in _labelled(value):
        yield from leaves(one, f"{name}{label}", (*path, key))


def mapped(value: Any, change: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """Return the same tree with `change(path, leaf)` in the place of every leaf.

    >>> mapped({"a": [np.ones(1), np.ones(2)]}, lambda path, leaf: path)
    {'a': [('a', 0), ('a', 1)]}
    """
    if not is_tree(value):
        return change(path, value)
    if isinstance(value, dict):
        made = copy.copy(value)
        made.update({key: mapped(one, change, (*path, key)) for key, one in value.items()})
        return made
    items = [mapped(one, change, (*path, key)) for key, one in enumerate(value)]
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def follow(tree: Any, path: Path) -> Any:
    """Return what an answer says about the leaf at `path`, under its key or one such as `dW`; None where it is silent.

    >>> follow({"dW": 3}, ("W",)), follow([1, 2], (1,)), follow({}, ("b",))
    (3, 2, None)
    """
    for key in path:
        if isinstance(tree, dict):
            tree = tree.get(_name_in(tree, key))
        elif isinstance(tree, (list, tuple)):
            tree = tree[key] if isinstance(key, int) and key < len(tree) else None
        else:
            return None
    return tree


def strangers(answer: Any, tree: Any, name: str) -> Iterator[str]:
    """Yield the names of the entries of an answer that are about no leaf of `tree`."""
    if isinstance(answer, dict) and isinstance(tree, dict):
        known = {_name_in(answer, key) for key in tree}
        yield from (f"{name}[{key!r}]" for key in answer if key not in known)
    for key, (label, one) in _labelled(tree):
        if is_tree(one):
            yield from strangers(follow(answer, (key,)), one, f"{name}{label}")


def _labelled(tree: Any) -> Iterator[tuple[Any, tuple[str, Any]]]:
    """Yield every key of a tree with its label and what stands there; fields of a named tuple are called by name."""
    fields = getattr(tree, "_fields", None)
    for key, one in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield key, (f".{fields[key]}" if fields else f"[{key!r}]", one)


def _name_in(answer: dict[Any, Any], key: Any) -> Any:
    """The key under which an answer speaks of a key: itself, or what its gradient is called."""
    if key in answer or not isinstance(key, str):
        return key
    return next((name for name in answer if isinstance(name, str) and names_fit(key, name)), key)
