"""Whether gradients have the shape and dtype of what they differentiate, and forward keeps its dtype.

What loses digits, or has another shape than its variable, is wrong. What is merely wider, or a right number in a type
of whole numbers, is a note. So is a gradient for whole numbers that cannot hold fractions (`np.zeros_like(x)`): it is
right for floating-point numbers, which is what derivatives are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.asking.claims import Answer
from gradcheck.comparing.compare import Comparison
from gradcheck.in_dtype import InDtype
from gradcheck.problem import Method
from gradcheck.results import ContractResult, Note

NAME = "gradients have the shape and dtype of what they differentiate"


class Forms:
    """The first complaint about each claim."""

    def __init__(self) -> None:
        self.complaints: dict[str, str] = {}
        self.losses: dict[str, str] = {}
        self.truncated: dict[str, str] = {}
        self.changed: dict[str, None] = {}
        self.tried = False

    def is_truncated(self, known: InDtype, answer: Answer) -> bool:
        """Whether a gradient for whole numbers is itself of a type of whole numbers."""
        return known.name.startswith(("int", "uint")) and answer.dtype.startswith(("int", "uint", "bool"))

    def note(self, known: InDtype, method: Method, answer: Answer, found: Comparison) -> None:
        """Hold the form of one answer against its variable's."""
        self.tried = True
        if known.rounds or (known.widens and known.short and not known.point.types):
            self.changed[f"forward answers in {'fewer' if known.rounds else 'more'} digits than {known.name}"] = None
        given, claim = known.given()[answer.wrt], f"{method.name}[{answer.wrt}]"
        if method.kind != "local" and answer.shape != given.shape:
            self.losses.setdefault(claim, f"{claim} has shape {answer.shape}, but {answer.wrt} has {given.shape}")
        elif found.at.verdict == "skipped" and self.is_truncated(known, answer):
            self.truncated.setdefault(
                claim,
                f"for whole numbers ({known.name}) it is truncated to {answer.dtype}: an array like x, made by "
                "np.zeros_like(x), say, cannot hold fractions",
            )
        elif given.dtype.kind == "f" and answer.dtype != given.dtype.name:
            # A local gradient that is right loses nothing: its numbers fit (1, of the identity).
            lost = method.kind != "local" and loses(answer.dtype, known.precision)
            kept = self.losses if lost else self.complaints
            kept.setdefault(claim, f"{claim} has dtype {answer.dtype}, but {answer.wrt} has {given.dtype}")

    def result(self) -> ContractResult:
        """The item of the contract."""
        if not self.tried:
            return ContractResult(NAME, "not tried")
        if self.losses:
            return ContractResult(NAME, "broken", "; ".join(self.losses.values()))
        return ContractResult(NAME, "noted" if self.complaints else "kept", "; ".join(self.complaints.values()))

    def notes(self) -> Iterator[Note]:
        """What is said of forward's types, and of whole numbers."""
        for text in self.changed:
            yield Note("forward", text)
        for claim, text in self.truncated.items():
            yield Note(claim, text)


def loses(dtype: str, wanted: str) -> bool:
    """Whether a floating type has fewer digits than the one that is wanted (whole numbers that are right lose none)."""
    return dtype.startswith("float") and bool(np.finfo(dtype).eps > np.finfo(wanted).eps)
