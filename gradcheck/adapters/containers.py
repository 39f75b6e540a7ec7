"""Layers of layers: what a container of somebody's package is filled with, so that there is something to check.

A dense layer, an activation and a dense layer of the same package, found by what they do: one makes rows of another
width, the other leaves their shape as it is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.adapters.ways import methods, names_forward
from gradcheck.adapters.weights import every
from gradcheck.adapters.words import plain
from gradcheck.problem import Sizes

LAYERS = frozenset({"layers", "modules", "blocks", "layerlist", "layersequence", "args", "operations", "components"})
LAYER = frozenset(
    {"layer", "inner", "innerlayer", "module", "block", "sublayer", "submodule", "wrapped", "body", "child"}
)
ADDERS = ("add", "addlayer", "append", "addmodule", "addmodules", "register")
Make = Callable[[type, Sizes], Any]


def takes_layers(parameter: inspect.Parameter) -> bool:
    """Whether a constructor's argument is a list of layers, or any number of them."""
    return plain(parameter.name) in LAYERS


def takes_a_layer(parameter: inspect.Parameter) -> bool:
    """Whether a constructor's argument is one layer."""
    return plain(parameter.name) in LAYER


def as_wide(container: type, sizes: Sizes, make: Make) -> Any:
    """Return a layer of the container's package that leaves rows as wide as they are; None where none is found."""
    beside = [cls for cls in _beside(container) if names_forward(cls) is not None]
    square = Sizes(sizes.batch, sizes.inputs, sizes.inputs)
    found = _one(beside, square, make, sizes.inputs)
    return _one(beside, square, make, sizes.inputs, bare=True) if found is None else found


def stack(container: type, sizes: Sizes, make: Make) -> list[Any]:
    """Return layers of the container's package that run one after the other; [] where none are found."""
    beside = [cls for cls in _beside(container) if names_forward(cls) is not None]
    hidden = sizes.inputs + sizes.outputs
    first = _one(beside, Sizes(sizes.batch, sizes.inputs, hidden), make, hidden)
    if first is None:
        return []
    middle = _one(beside, Sizes(sizes.batch, hidden, hidden), make, hidden, bare=True)
    last = make(type(first), Sizes(sizes.batch, hidden, sizes.outputs))
    return [first, *([middle] if middle is not None else []), last]


def _beside(container: type) -> Iterator[type]:
    """Classes of the container's module, and of those of its package that are imported."""
    home = container.__module__
    package = home.rpartition(".")[0]
    around = [name for name in sys.modules if package and name.startswith(f"{package}.")]
    for module in [home, *around]:
        for one in list(vars(sys.modules.get(module, object)).values()):
            if inspect.isclass(one) and one.__module__ in (home, *around) and not _is_container(one, container):
                yield one


def _is_container(cls: type, container: type) -> bool:
    if issubclass(cls, container) or issubclass(container, cls):
        return True
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # a class without a readable signature
        return False
    return any(takes_layers(p) or takes_a_layer(p) for p in parameters) or any(name in methods(cls) for name in ADDERS)


def _one(beside: list[type], sizes: Sizes, make: Make, width: int, bare: bool = False) -> Any:
    """The first layer that makes rows of this width of rows of `sizes.inputs`; `bare`: one without weights."""
    rows = np.linspace(-1, 1, sizes.batch * sizes.inputs).reshape(sizes.batch, sizes.inputs)
    for cls in beside:
        forward = names_forward(cls)
        if forward is None:
            continue
        try:
            made = make(cls, sizes)
            with np.errstate(all="ignore"):
                said = getattr(make(cls, sizes), forward)(rows.copy())
        except Exception:  # another kind of class, which takes something else
            continue
        if np.shape(said) == (sizes.batch, width) and bare == (not every(made)):
            return made
    return None


def fill(obj: Any, layers: Callable[[], list[Any]]) -> Any:
    """Add layers to a container that is empty and has a method for that."""
    known = methods(obj)
    adder = next((known[name] for name in ADDERS if name in known), None)
    empty = (
        any(isinstance(value, list) and not value for value in vars(obj).values())
        if hasattr(obj, "__dict__")
        else False
    )
    if adder is None or not empty:
        return obj
    for layer in layers():
        getattr(obj, adder)(layer)
    return obj
