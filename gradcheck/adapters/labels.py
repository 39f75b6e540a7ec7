"""Labels of a loss: data that are held constant, one-hot rows where these run, never soft where they are classes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import examples
from gradcheck.adapters.arguments import Role
from gradcheck.adapters.declarations import declares
from gradcheck.adapters.study import Study
from gradcheck.adapters.tried import Tried
from gradcheck.adapters.words import LABELS, plain
from gradcheck.problem import Array

# What a likelihood is of, beside the parameters that come first.
DATA = frozenset({"x", "data", "obs", "observed", "observations"})


def held(tried: Tried, found: Study, given: Sequence[Array]) -> tuple[list[Role], list[Array], set[str]]:
    """A loss that says one gradient for several inputs is about its predictions: what else goes in is held constant.

    So are masks, of a layer too, and data of a likelihood, where there are as many gradients as inputs without them.
    Returns what the inputs are, arrays for them, and the names of those that nothing is said about.
    """
    roles = tried.roles
    said = found.said
    unsaid = _unsaid(roles, given, said, loss=not tried.way.takes_upstream)
    if unsaid:
        known = [_unclaimed(role) if role.name in unsaid else role for role in roles]
        drawn = [
            examples.draw(r, a.shape, tried.rng) if r.name in unsaid else a for r, a in zip(known, given, strict=True)
        ]
        return known, drawn, unsaid
    single = isinstance(said, np.ndarray) or (isinstance(said, (list, tuple)) and len(said) == 1)
    single |= len(found.answered.left) == 1
    declared = any(role.constant for role in roles) or declares(type(tried.obj), "input_data")
    if not single or declared or len(roles) < 2:
        return roles, list(given), set()
    if tried.outputs(given)[0].size != 1 and tried.way.takes_upstream:
        return roles, list(given), set()
    at = next((n for n, role in enumerate(roles) if plain(role.name) not in LABELS), 0)
    known = [r if n == at else Role(r.name, True, "one-hot") for n, r in enumerate(roles)]
    drawn = [a if n == at else examples.draw(known[n], a.shape, tried.rng) for n, a in enumerate(given)]
    with np.errstate(all="ignore"):
        value = tried.outputs(drawn)[0]
    if not np.isfinite(value).all():  # a logarithm of what is no probability
        known[at] = replace(known[at], data="probabilities", domain=(0.0, 1.0))
        drawn[at] = examples.draw(known[at], drawn[at].shape, tried.rng)
    return known, drawn, {role.name for role in known if role.constant}


def _unsaid(roles: Sequence[Role], given: Sequence[Array], said: Any, loss: bool) -> set[str]:
    """The names of masks, and of the data that a likelihood is of, that nothing is said about."""
    several = isinstance(said, (list, tuple)) and len(said) > 1
    data = (DATA | LABELS if several else DATA) if loss else frozenset()
    names = {r.name for r in roles[1:] if not r.constant and ("mask" in r.name.lower() or plain(r.name) in data)}
    others = [(role, array.shape) for role, array in zip(roles, given, strict=True) if role.name not in names]
    found = [getattr(one, "shape", ()) for one in (said if isinstance(said, (list, tuple)) else [said])]
    asked = [shape for role, shape in others if not role.constant]
    return names if found in (asked, [shape for _, shape in others]) else set()


def _unclaimed(role: Role) -> Role:
    if plain(role.name) in LABELS:
        return replace(role, constant=True, data="one-hot")
    return replace(role, constant=True, domain=(0.0, 1.0) if "mask" in role.name.lower() else role.domain)


def scored(tried: Tried, given: Sequence[Array]) -> tuple[list[Role], list[Array]]:
    """What a softmax inside makes probabilities of are scores, whatever they are called: a shift changes nothing.

    Returns what the inputs are, and arrays for them.
    """
    known, drawn = list(tried.roles), list(given)
    cls = type(tried.obj)
    if declares(cls, "input_data") or declares(cls, "input_domains"):
        return known, drawn
    for at, role in enumerate(known):
        if role.data != "probabilities":
            continue
        try:
            with np.errstate(all="ignore"):
                before, shifted, other = (
                    tried.outputs([moved if n == at else one for n, one in enumerate(given)])[0]
                    for moved in (given[at], given[at] + 3.0, 3.0 * given[at])
                )
        except Exception:  # a forward that refuses what is no probability
            continue
        if np.allclose(before, shifted, rtol=1e-12, atol=1e-12) and not np.allclose(before, other, rtol=1e-6):
            known[at] = replace(role, data="real", domain=None)
            drawn[at] = examples.draw(known[at], given[at].shape, tried.rng)
    return known, drawn


def hardened(roles: Sequence[Role], hard: Collection[str]) -> list[Role]:
    """One-hot rows that the code reads as class numbers stay one-hot."""
    return [replace(role, data="one-hot only") if role.name in hard else role for role in roles]
