"""What the arguments of a forward method mean: variables, constants, and what their values look like."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.adapters.declarations import declared as said
from gradcheck.problem import Array, Data
from gradcheck.syntax import nodes

CONSTANTS = frozenset({"y_true", "truths", "truth", "labels", "label", "target", "targets", "ytrue", "true"})
# How many steps of each sequence count: `forward(x, lengths)`.
LENGTHS = frozenset({"lengths", "lens", "seqlengths", "seqlens", "sequencelengths", "xlens", "inputlengths"})
SPREADS = frozenset({"variance", "var", "std", "sigma"})
LOGITS = frozenset({"logits", "logit", "scores"})

# Arguments without a default that still are no data.
SWITCHES: Mapping[str, Any] = {"training": True, "train": True, "is_training": True, "mode": "train"}


@dataclass(frozen=True)
class Role:
    """One argument of forward."""

    name: str
    constant: bool = False
    data: Data = "real"
    domain: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bound:
    """A function with some of its positions filled in (an object, so that it can be sent to other processes)."""

    function: Callable[..., Any]
    switches: Mapping[int, Any]

    def __call__(self, *arrays: Any) -> Any:
        given = list(arrays)
        for position, value in self.switches.items():
            given.insert(position, value)
        return self.function(*given)


@dataclass(frozen=True)
class Signature:
    """How forward is called: its data arguments in order, and switches by position; `starred` for `*args`."""

    roles: tuple[Role, ...]
    switches: Mapping[int, Any]
    starred: bool = False

    def bind(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` as a function of the data alone."""
        return Bound(function, dict(self.switches)) if self.switches else function


def signature_of(forward: Callable[..., Any], owner: Any = None) -> Signature:
    """Read the arguments of `forward`; class attributes of `owner` say more than names do.

    `constant_inputs`, a tuple of names; `input_data` and `input_domains`, dicts by name.
    """
    names: list[str] = []
    switches: dict[int, Any] = {}
    starred = False
    for parameter in inspect.signature(forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = not names
        elif parameter.kind is parameter.VAR_KEYWORD:
            continue
        elif parameter.name in SWITCHES:
            if parameter.default is parameter.empty:
                switches[len(names) + len(switches)] = SWITCHES[parameter.name]
        elif parameter.default is parameter.empty:
            names.append(parameter.name)
    return Signature(tuple(roles_of(names, owner)), switches, starred)


def roles_of(names: list[str], owner: Any = None) -> list[Role]:
    """Say what each argument is, by what `owner` declares and else by its name."""
    declared = _declared(owner, "constant_inputs", ())
    data: Mapping[str, Data] = _declared(owner, "input_data", {})
    domains = _declared(owner, "input_domains", {})
    roles = []
    for name in names:
        if name.lower().replace("_", "") in LENGTHS and name not in data:
            roles.append(Role(name, True, "class-indices", (1.0, np.inf)))
            continue
        constant = name in declared or name.lower() in CONSTANTS
        roles.append(Role(name, constant, "one-hot" if name.lower() in CONSTANTS else "real"))
    # Beside labels, predictions are probabilities, unless the class says what its inputs are.
    if not data and any(role.constant and role.data == "one-hot" for role in roles):
        roles = [role if role.constant or role.name.lower() in LOGITS else _probability(role) for role in roles]
    found = []
    for role in roles:
        if role.name in data:
            role = replace(role, data=data[role.name], domain=None)
            role = _probability(role) if role.data == "probabilities" else role
        if role.name in domains:
            role = replace(role, domain=tuple(domains[role.name]) if domains[role.name] else None)
        found.append(role)
    return found


def fitting(role: Role, example: Array) -> Role:
    """What an argument is, given an example of it: no guess from its name overrides what it holds.

    Whole numbers of an integer type are data; numbers outside (0, 1) are no probabilities, nor are they one-hot rows.
    What is no array of numbers (a slice, a name) is a setting.
    """
    if example.dtype.kind not in "iubfc":
        return replace(role, constant=True, data="real", domain=None)
    if example.dtype.kind in "iub":
        return replace(role, constant=True, data="class-indices" if role.data == "one-hot" else role.data, domain=None)
    if role.data == "one-hot" and not np.isin(example, (0.0, 1.0)).all():
        role = replace(role, data="real")
    outside = bool(((example < 0) | (example > 1)).any())
    return replace(role, data="real", domain=None) if role.data == "probabilities" and outside else role


def held_inside(roles: Sequence[Role], forward: Any) -> list[Role]:
    """The same roles, where what `forward` keeps between ε and 1 − ε (`np.clip(p, eps, 1 - eps)`) is a probability."""
    inside = {_kept_inside(node) for node in nodes(forward)}
    return [_probability(role) if role.name in inside and not role.constant else role for role in roles]


def _kept_inside(node: ast.AST) -> str | None:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="clip"),
            args=[ast.Name(id=name), _, ast.BinOp(left=ast.Constant(value=1), op=ast.Sub())],
        ):
            return name
    return None


def domain_of_weight(name: str) -> tuple[float, float] | None:
    """A weight that is named like a variance stays positive: a moving one of batch normalization, say."""
    return (0.0, float("inf")) if SPREADS & set(name.lower().split("_")) else None


def _probability(role: Role) -> Role:
    return replace(role, data="probabilities", domain=(0.0, 1.0))


def _declared(owner: Any, name: str, otherwise: Any) -> Any:
    """A class attribute, where it is of the kind that it should be."""
    found = said(owner, name, otherwise)
    kinds = dict if isinstance(otherwise, dict) else (tuple, list, set, frozenset)
    return found if isinstance(found, kinds) else otherwise
