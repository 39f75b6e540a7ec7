"""One file for each style of code that gradcheck reads; to add one, write `INTERFACE` and put it in its place here."""

from __future__ import annotations

from gradcheck.adapters.interfaces import (
    cached_pairs,
    engines,
    framework_rules,
    layers,
    local_gradients,
    method_pairs,
    models,
    named_pairs,
    nets,
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
    layers.INTERFACE,
    nets.INTERFACE,
    engines.INTERFACE,
    method_pairs.INTERFACE,
    cached_pairs.INTERFACE,
    named_pairs.INTERFACE,
    switches.INTERFACE,
    values_and_gradients.INTERFACE,
)
