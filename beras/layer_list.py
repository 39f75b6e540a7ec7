"""The list of layers that a model is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from beras.symbol import Symbol


def checked_layers(layers: Any, who: str) -> list[Callable[..., Any]]:
    """Return the layers as a list. Raises `TypeError` for what is no layer, with what to do about it."""
    if not isinstance(layers, Iterable) or isinstance(layers, (str, Symbol, np.ndarray)):
        raise TypeError(f"{who} expects a list of layers, but got a {type(layers).__name__}: write {who}([…])")
    found = list(layers)
    for index, layer in enumerate(found):
        if isinstance(layer, type):
            raise TypeError(
                f"expected layers, but layers[{index}] is the class {layer.__name__}: write {layer.__name__}(…), with "
                "parentheses"
            )
        if not callable(layer) and not isinstance(layer, Symbol):
            raise TypeError(f"expected layers, but layers[{index}] is a {type(layer).__name__}: {layer!r}")
    return found
