"""Things of the same package as a class: its tensor, its tape, its base classes' modules."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

TAPES = ("gradient_tape", "core", "tape", "autograd", "GradientTape")
TENSORS = ("Tensor", "Variable")


def modules(cls: type) -> Iterator[ModuleType]:
    """Yield the modules that define `cls` and its bases, the nearest first, and their packages."""
    seen = set()
    for base in inspect.getmro(cls):
        name = getattr(base, "__module__", "")
        if name in ("builtins", "abc", "typing") or name.partition(".")[0] == "numpy":
            continue
        for part in (name, name.rpartition(".")[0]):
            if part and part not in seen and part in sys.modules:
                seen.add(part)
                yield sys.modules[part]


def sibling(module: str, name: str) -> ModuleType | None:
    """Return the module `name` beside `module`, imported if need be; None where there is none that imports."""
    parent = module.rpartition(".")[0]
    full = f"{parent}.{name}" if parent else name
    if full in sys.modules:
        return sys.modules[full]
    try:
        return importlib.import_module(full)
    except Exception:  # a sibling that does not import makes no claim, and is reported where it is checked itself
        return None


def tape_of(cls: type) -> type | None:
    """Return the `GradientTape` of the package that `cls` belongs to, or None."""
    found = list(modules(cls))
    for module in found:
        tape = getattr(module, "GradientTape", None)
        if inspect.isclass(tape) and is_tape(tape):
            return tape
    for module in found:
        for name in TAPES:
            beside = sibling(module.__name__, name)
            tape = getattr(beside, "GradientTape", None)
            if inspect.isclass(tape) and is_tape(tape):
                return tape
    return None


def is_tape(thing: Any) -> bool:
    """A class that is entered, left, and asked for a gradient."""
    names = ("gradient", "__enter__", "__exit__")
    return inspect.isclass(thing) and all(callable(getattr(thing, name, None)) for name in names)


def tensor_of(cls: type) -> type | None:
    """Return the array subclass that the package of `cls` calls Tensor, or None."""
    for module in modules(cls):
        for name in TENSORS:
            tensor = getattr(module, name, None)
            if inspect.isclass(tensor) and issubclass(tensor, np.ndarray) and tensor is not np.ndarray:
                return tensor
    return None
