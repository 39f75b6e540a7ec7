"""Training and evaluation as an argument: a backward belongs to the mode that trains.

Evaluation counts where the code that goes back names the switch, or an attribute that forward keeps it in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

from gradcheck.syntax import nodes
from gradcheck.variants.calls import going_back

TRAINS = {"training": True, "train": True, "is_training": True, "is_train": True, "train_flg": True, "mode": "train"}
EVALUATES = {"eval": True, "evaluation": True, "is_eval": True, "test": True, "inference": True, "testing": True}


def is_mode(name: str, value: Any) -> bool:
    """Whether an argument switches between training and evaluation."""
    word = name.lower()
    return (word in TRAINS or word in EVALUATES) and (isinstance(value, bool) or value in ("train", "test", "eval"))


def trains(name: str, value: Any) -> bool:
    """Whether a value of a switch means training."""
    word = name.lower()
    return bool(value != EVALUATES[word]) if word in EVALUATES else bool(value == TRAINS[word])


def looks_at(name: str, functions: Iterable[FunctionType]) -> bool:
    """Whether what goes back names the switch, or an attribute in which forward keeps something of it."""
    functions = list(functions)
    back = going_back(functions)
    kept = {name, *(one for f in functions if f not in back for one in _kept(f, name))}
    return any(kept & {*f.__code__.co_names, *f.__code__.co_varnames} for f in back)


def _kept(function: FunctionType, name: str) -> Iterator[str]:
    """Attributes that a function sets to its switch, or to a constant."""
    if name not in function.__code__.co_varnames:
        return
    for node in nodes(function):
        if not isinstance(node, ast.Assign):
            continue
        plain = isinstance(node.value, ast.Constant) or any(
            isinstance(one, ast.Name) and one.id == name for one in ast.walk(node.value)
        )
        for target in node.targets if plain else ():
            if isinstance(target, ast.Attribute):
                yield target.attr
