"""A module that does its work through another one."""

from __future__ import annotations

from typing import Any

from tests.gradcheck.exact.shadowed import makers


def through(x: Any) -> Any:
    """Twice what the other module says."""
    return makers(x) + makers(x)
