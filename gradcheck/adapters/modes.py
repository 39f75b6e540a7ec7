"""Training and evaluation: which attribute switches between them, and whether a backward pass looks at it.

A backward belongs to the mode that trains. Evaluation counts where the code that goes back names the switch, or a flag
that forward leaves in evaluation; else nothing is claimed there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from gradcheck.adapters.bases import BACK, needed
from gradcheck.adapters.forwards import TRAINING
from gradcheck.adapters.places import Store, walk
from gradcheck.adapters.words import plain

FLAGS = (bool, str, type(None))
MODES = ("train", "training", "test", "eval", "evaluation", "predict")


def set_mode(obj: Any, training: bool) -> bool:
    """Put an object and its parts into a mode; whether there was anything to switch."""
    found = list(_switches(obj))
    for own, name in found:
        own[name] = _value(own[name], name, training)
    return bool(found)


def _switches(obj: Any) -> Iterator[tuple[Store, str]]:
    for own, _, _ in walk(obj):
        for name, value in list(own.items()):
            known = plain(name)
            if known not in TRAINING or known in ("trainable", "predict"):
                continue
            if isinstance(value, type(TRAINING[known])) and (not isinstance(value, str) or value in MODES):
                yield own, name


def _value(value: Any, name: str, training: bool) -> Any:
    if isinstance(value, str):
        return "train" if training else "test" if value in ("test", "train") else "eval"
    return TRAINING[plain(name)] is training


def flipped(fixed: dict[str, Any]) -> dict[str, Any]:
    """Switches of a forward as they are in evaluation."""
    return {name: "test" if isinstance(value, str) else not value for name, value in fixed.items()}


def looks_at(cls: type, names: set[str]) -> bool:
    """Whether the code that goes back names one of these attributes."""
    return any(names & set(function.__code__.co_names) for function in needed(cls, BACK))


def switch_names(obj: Any) -> set[str]:
    """The attributes that switch between the modes."""
    return {name for _, name in _switches(obj)}


def flags(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Attributes that hold a flag now, and held something else before."""
    return {
        name
        for name, value in after.items()
        if isinstance(value, FLAGS) and name in before and not _same(before[name], value)
    }


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, FLAGS) and one == other)


def attributes(obj: Any) -> dict[str, Any]:
    """Its own attributes."""
    return dict(vars(obj)) if hasattr(obj, "__dict__") and not inspect.isclass(obj) else {}
