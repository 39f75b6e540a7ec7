"""Functions that stand for somebody's function, and are shown as that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Standing:
    """Stands for `shown`: names, files and lines in a result are that function's."""

    shown: Callable[..., Any]


def shown(function: Any) -> Any:
    """Return the function that stands in somebody's file: what `function` stands for, or itself."""
    while isinstance(function, Standing):
        function = function.shown
    return function
