"""Nodes of somebody's graph (`Tensor`, `Variable`, `Value`): how an array becomes one and is read out of it again."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.places import is_number, is_part, stores
from gradcheck.problem import Array

WRITTEN_IN_PYTHON = 1 << 9  # the flag of types that are made while Python runs
# What gives the numbers of a node whose attribute is not filled yet, or holds an array of a backend's own.
READERS = ("realize_cached_data", "numpy", "to_numpy")
NUMBERS = (0.5, np.array([0.5, 0.25]))


@dataclass(frozen=True)
class Nodes:
    """A class of nodes: `attribute` holds the numbers; `scalar`: of one number each; `boxed`: in a 1 × 1 array."""

    cls: type
    attribute: str
    scalar: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    boxed: bool = False

    def __call__(self, array: Array) -> Any:
        """Make a node; one that stores fewer digits than it is given gets them afterwards."""
        if self.scalar and array.ndim:
            raise TypeError(f"expected one number for a {self.cls.__name__}, but got shape {array.shape}")
        value: Any = array.reshape(1, 1) if self.boxed else array[()] if self.scalar else array
        whole = self.scalar and array.dtype.kind in "iub" and not self.boxed
        node = self.cls(float(value) if whole else value, **self.more)
        kept = getattr(node, self.attribute)
        if np.asarray(kept).dtype != array.dtype and array.dtype.kind in "fc":
            setattr(node, self.attribute, np.asarray(value) if isinstance(kept, np.ndarray) else value)
        return node

    def held(self, node: Any) -> Any:
        """The numbers in a node, or in whatever else came back."""
        if not is_part(node) or not hasattr(node, self.attribute):
            return node
        found = getattr(node, self.attribute, None)
        if isinstance(found, np.ndarray) or is_number(found) or isinstance(found, (int, np.generic)):
            return found
        for name in READERS:
            if callable(getattr(node, name, None)):
                return getattr(node, name)()
        return found


def around(thing: Any) -> Iterator[type]:
    """Yield the classes of nodes beside a class or function: those that keep a gradient come first."""
    found: list[type] = []
    homes = inspect.getmro(thing) if inspect.isclass(thing) else (thing,)
    for home in homes:
        module = sys.modules.get(getattr(home, "__module__", ""))
        if module is None or home is object:
            continue
        for one in list(vars(module).values()):
            if inspect.isclass(one) and one not in found and one not in homes and is_node_class(one):
                found.append(one)
    return iter(sorted(found, key=lambda one: not keeps_a_gradient(one)))


def is_node_class(cls: type) -> bool:
    """Whether a class may be one of nodes: somebody's own, made of a value, with something that operates on it."""
    if issubclass(cls, (np.ndarray, BaseException)) or cls.__module__ in ("builtins", "typing") or _is_of_numpy(cls):
        return False
    if any(_is_compiled(base) for base in cls.__mro__):
        return False
    return keeps_a_gradient(cls) or any("__init__" in vars(base) for base in cls.__mro__[:-1])


def _is_compiled(cls: type) -> bool:
    """Whether a class is an extension's (PyTorch's, say): made of what it does not expect it may end the process."""
    return cls.__module__ not in ("builtins", "typing") and not cls.__flags__ & WRITTEN_IN_PYTHON


def _is_of_numpy(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "numpy"


def keeps_a_gradient(cls: type) -> bool:
    """Whether instances have an attribute called `grad` or the like: by what the constructor's code names."""
    init = inspect.getattr_static(cls, "__init__", None)
    code = getattr(init, "__code__", None)
    names = (*(code.co_names if code is not None else ()), *getattr(cls, "__slots__", ()), *vars(cls))
    return any(name.strip("_") in ("grad", "gradient", "derivative", "g") for name in names)


def nodes_of(cls: type) -> Nodes | None:
    """Return how nodes of a class are made of an array, or of a number; None where they are not."""
    for number in reversed(NUMBERS):
        for more in _settings(cls):
            try:
                node = cls(number, **more)
            except Exception:  # another class of the module, which takes something else
                continue
            attribute = _holding(node, number)
            if attribute is not None:
                return Nodes(cls, attribute, not isinstance(number, np.ndarray), more)
    return None


def _settings(cls: type) -> Iterator[dict[str, Any]]:
    try:
        names = list(inspect.signature(cls).parameters)
    except (TypeError, ValueError):
        names = []
    yield {name: True for name in ("requires_grad", "require_grad", "require_gradient") if name in names}


def _holding(node: Any, number: Any) -> str | None:
    """The attribute that holds what the node was made of."""
    if not is_part(node):
        return None
    for store in stores(node):
        for name, value in store.items():
            if (
                np.shape(value) == np.shape(number)
                and (isinstance(value, np.ndarray) or is_number(value))
                and np.all(value == number)
            ):
                return name
    return None
