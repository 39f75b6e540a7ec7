"""A layer in evaluation mode: a case of its own where its backward looks at the mode, else a note."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.adapters.construct import Made, duplicate
from gradcheck.adapters.layer import Layer
from gradcheck.adapters.modes import flipped, looks_at, set_mode, switch_names
from gradcheck.problem import Problem, Sizes

LABEL = "in evaluation mode"
NOTE = (
    "mode",
    "in evaluation mode it is another function, about which backward says nothing: it belongs to the mode that trains",
)


def evaluated(layer: Layer) -> tuple[tuple[Problem, ...], tuple[tuple[str, str], ...]]:
    """Return the case in evaluation mode, if backward looks at the mode, and notes."""
    if not switch_names(layer.obj) and not layer.tried.fixed:
        return (), ()
    with np.errstate(all="ignore"):
        try:
            other = _other(layer)
            ours, theirs = (one.tried.outputs(layer.given) for one in (layer, other))
            if all(np.array_equal(a, b, equal_nan=True) for a, b in zip(ours, theirs, strict=True)):
                return (), ()
            if not _looks(layer):
                return (), (NOTE,)
            return (replace(other.problem(), label=LABEL),), ()
        except Exception:  # other people's code, which may have no such mode after all
            return (), ()


def _other(layer: Layer) -> Layer:
    """The same in evaluation mode, at the same inputs."""
    twin = duplicate(layer.obj)
    set_mode(twin, training=False)
    made = Made(twin, tuple(array.copy() for array in layer.given))
    return Layer(
        made, layer.way, Sizes(), layer.tried.rng, layer, layer.tried.roles, layer.tried.within, evaluation=True
    )


def _looks(layer: Layer) -> bool:
    """Whether backward names the switch, or a flag that forward leaves in evaluation."""
    twins = []
    for training in (True, False):
        twin = duplicate(layer.obj)
        set_mode(twin, training)
        fixed, layer.tried.fixed = layer.tried.fixed, layer.tried.fixed if training else flipped(layer.tried.fixed)
        try:
            layer.tried.forth(twin, [array.copy() for array in layer.given])
        finally:
            layer.tried.fixed = fixed
        twins.append(twin)
    return looks_at(*twins)
