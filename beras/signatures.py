"""What tools that fill in a constructor's arguments are to fill in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Init = TypeVar("Init", bound=Callable[..., Any])


def shown_as_required(*names: str) -> Callable[[Init], Init]:
    """Have `inspect.signature` show arguments as required: without them, a layer waits for data to make its weights."""

    def marked(init: Init) -> Init:
        signature = inspect.signature(init)
        shown = [p.replace(default=p.empty) if p.name in names else p for p in signature.parameters.values()]
        init.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
        return init

    return marked
