"""One file for each style of code that gradcheck reads; to add one, write `INTERFACE` and put it in its place here."""

from __future__ import annotations

from gradcheck.adapters.interfaces import (
    backward,
    cached_pairs,
    local_gradients,
    models,
    named_pairs,
    operations,
    propagation,
    tapes,
)
from gradcheck.adapters.protocol import Interface

# In the order in which they are tried.
INTERFACES: tuple[Interface, ...] = (
    tapes.INTERFACE,
    models.INTERFACE,
    local_gradients.INTERFACE,
    operations.INTERFACE,
    propagation.INTERFACE,
    backward.INTERFACE,
    cached_pairs.INTERFACE,
    named_pairs.INTERFACE,
)
