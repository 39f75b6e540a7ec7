"""Functions that somebody has put in the place of NumPy's, for everything that runs."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np

# NumPy's names as they were looked at last, and what they answered in.
_looked_at: tuple[list[Any], str] = [], "float64"


def precision_of_numpy() -> str:
    """Return the coarsest type in which NumPy answers arrays of float64: another one where its `dot` was replaced, say.

    Code that computes with such functions is held to no more digits than they have.
    """
    global _looked_at
    names = list(vars(np).values())
    known, found = _looked_at
    if len(known) != len(names) or not all(map(operator.is_, known, names)):
        found = min(("float64", *_answers()), key=lambda name: np.finfo(name).precision)
        _looked_at = names, found
    return found


def _answers() -> Iterator[str]:
    """In which floating types functions answer that are not NumPy's own."""
    for function in _replaced():
        for count in (1, 2):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    said = function(*[np.ones((2, 2))] * count)
            except Exception:  # somebody else's function, which wants something else
                continue
            if isinstance(said, np.ndarray) and said.dtype.kind == "f":
                yield said.dtype.name


def _replaced() -> list[Any]:
    found = [one for one in vars(np).values() if isinstance(one, FunctionType)]
    return [one for one in found if (one.__module__ or "").partition(".")[0] != "numpy"]
