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


def looks_at(trained: Any, evaluated: Any) -> bool:
    """Whether the code that goes back names a switch, or an attribute with a flag in it that forward left otherwise.

    Both are one object after forward: in training, and in evaluation.
    """
    named = {name for function in needed(type(trained), BACK) for name in function.__code__.co_names}
    if named & switch_names(trained):
        return True
    return any(_flags(_attribute(trained, name)) != _flags(_attribute(evaluated, name)) for name in named)


def _attribute(obj: Any, name: str) -> Any:
    """An attribute, as what goes back reads it; nothing for a property, which may compute anything."""
    if isinstance(inspect.getattr_static(obj, name, None), property):
        return None
    return getattr(obj, name, None)


def _flags(value: Any) -> Any:
    """The flags in a value, in its own containers; all else is one and the same."""
    if isinstance(value, FLAGS):
        return value
    if isinstance(value, (tuple, list)):
        return [_flags(item) for item in value]
    if isinstance(value, dict):
        return {name: _flags(item) for name, item in value.items()}
    return ...


def switch_names(obj: Any) -> set[str]:
    """The attributes that switch between the modes."""
    return {name for _, name in _switches(obj)}
