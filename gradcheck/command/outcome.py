"""What a run says of one thing that it was to check."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.results import ComponentResult


@dataclass(frozen=True)
class Outcome:
    """A result, how long it took, the traceback where gradcheck itself failed, and whether it was found before."""

    result: ComponentResult
    seconds: float = 0.0
    internal: str = ""
    kept: bool = False
