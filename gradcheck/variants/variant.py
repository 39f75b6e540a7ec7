"""A variant: the same code in another setting, shape, memory layout or kind of data; and the log of what was tried."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from gradcheck import results
from gradcheck.problem import Array, Problem, Subject
from gradcheck.sampling import Point

Kind = Literal["setting", "mode", "shape", "rank", "state", "labels", "data", "edge", "layout"]
Outcome = Literal["right", "wrong", "not offered", "noted", "refused", "not tried"]

# What is wrong in a variant of each kind restricts where a claim is wrong: the field of a point that says so.
FIELDS: dict[Kind, str] = {
    "setting": "setting",
    "mode": "setting",
    "shape": "size",
    "rank": "size",
    "state": "size",
    "labels": "data",
    "data": "data",
    "edge": "edge",
    "layout": "edge",
}


@dataclass(frozen=True)
class Variant:
    """A problem beside the usual one, and values for it.

    `where`: words that follow "wrong" ("with padding=1"). `subject` builds it in other sizes. With `noted`, what is
    wrong there is a note; `unseen`: forward is there what it is without.
    """

    kind: Kind
    where: str
    problem: Problem
    values: dict[str, Array]
    subject: Subject
    noted: bool = False
    unseen: bool = False

    def point(self) -> Point:
        """The point at which a claim is judged."""
        field = FIELDS[self.kind]
        edge, size, setting, data = (self.where if field == one else "" for one in ("edge", "size", "setting", "data"))
        return Point(
            self.where,
            self.problem,
            self.values,
            dtypes=("float64",),
            special=True,
            edge=edge,
            size=size,
            setting=setting,
            data=data,
        )


@dataclass
class Log:
    """What was tried, and what came out."""

    tried: dict[tuple[Kind, str], Outcome] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    passed_over: Counter[Kind] = field(default_factory=Counter)

    def add(self, kind: Kind, where: str, outcome: Outcome) -> None:
        """Write down what came out of a variant."""
        self.tried[kind, where] = outcome

    def result(self) -> tuple[results.Variant, ...]:
        """What goes into a result: not what forward refuses, or what makes no difference to it."""
        found = [results.Variant(k, where, out) for (k, where), out in self.tried.items() if out != "not offered"]
        return (*found, *(results.Variant(k, f"{n} more", "not tried") for k, n in sorted(self.passed_over.items())))
