"""One file for each style of code that gradcheck reads; to add one, write `INTERFACE` and put it in its place here."""

from __future__ import annotations

from gradcheck.adapters.interfaces import (
    cached_pairs,
    costs,
    engines,
    framework_rules,
    layers,
    local_gradients,
    method_pairs,
    models,
    named_pairs,
    nets,
    of_vectors,
    operations,
    switches,
    tapes,
    values_and_gradients,
)
from gradcheck.adapters.protocol import Interface

# In the order in which they are tried.
INTERFACES: tuple[Interface, ...] = (
    framework_rules.INTERFACE,
    tapes.INTERFACE,
    models.INTERFACE,
    local_gradients.INTERFACE,
    operations.INTERFACE,
    costs.INTERFACE,
    layers.INTERFACE,
    nets.INTERFACE,
    engines.INTERFACE,
    method_pairs.INTERFACE,
    of_vectors.INTERFACE,
    cached_pairs.INTERFACE,
    named_pairs.INTERFACE,
    switches.INTERFACE,
    values_and_gradients.INTERFACE,
)
