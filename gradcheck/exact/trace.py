"""What code decided while it ran: the place, the outcomes, and the numbers that were compared.

A function made of analytic pieces is analytic as long as its decisions stay: `Trace.piece` names the piece. For every
decision the operands are kept (as jets), so that left − right = 0 can be solved for where it would fall out otherwise.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

# Of one decision, this many pairs of operands are kept.
KEPT = 1024

_GRADCHECK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


@dataclass(frozen=True, slots=True)
class Site:
    """A place in source: the columns tell two decisions on one line apart."""

    file: str
    line: int
    column: int = 0
    end: int = 0
    function: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether this is a line of gradcheck's own."""
        return self.file.startswith(_GRADCHECK)

    def __str__(self) -> str:
        """Return `file.py:12`, relative to the current folder where it lies inside it."""
        try:
            inside = os.path.relpath(self.file)
        except ValueError:  # another drive
            inside = os.pardir
        return f"{self.file if inside.startswith(os.pardir) else inside}:{self.line}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One outcome of a decision, and what was compared (`None`: with nothing, as in `floor`)."""

    outcome: Hashable
    left: Any
    right: Any = None

    @property
    def difference(self) -> Any:
        """left − right: where it is 0, the outcome changes."""
        return self.left if self.right is None else self.left - self.right


@dataclass
class Decision:
    """All that one comparison in the source decided. `kind`: `greater`, `maximum`, `sign`, `argmax`, `floor`, …

    `ties`: how often both sides were equal and the direction decided (the first such choice is in `tied`). `flat`: how
    often the direction did not tell either, because the difference is 0 to first order, though it may not stay 0: what
    is concluded there is not certain.
    """

    site: Site
    kind: str
    outcomes: Counter[Hashable] = field(default_factory=Counter)
    choices: list[Choice] = field(default_factory=list)
    ties: int = 0
    flat: int = 0
    tied: Choice | None = None


class Trace:
    """The decisions of one run, by place and kind, and the piece of the function that they select."""

    def __init__(self) -> None:
        self.decisions: dict[tuple[Site, str], Decision] = {}
        self._path: list[tuple[Site, str, Hashable]] = []

    def note(
        self,
        site: Site,
        kind: str,
        outcome: Hashable,
        left: Any,
        right: Any = None,
        *,
        tie: bool = False,
        flat: bool = False,
    ) -> None:
        """Write down one outcome."""
        decision = self.decisions.get((site, kind))
        if decision is None:
            decision = self.decisions[site, kind] = Decision(site, kind)
        decision.outcomes[outcome] += 1
        if len(decision.choices) < KEPT:
            decision.choices.append(Choice(outcome, left, right))
        if tie:
            decision.ties += 1
            decision.tied = decision.tied or Choice(outcome, left, right)
        if flat:
            decision.flat += 1
        self._path.append((site, kind, outcome))

    @property
    def piece(self) -> int:
        """A number that is the same for two runs in which everything was decided in the same way (in one process)."""
        return hash(tuple(self._path))

    @property
    def ties(self) -> tuple[Decision, ...]:
        """The decisions in which equal values met."""
        return tuple(decision for decision in self.decisions.values() if decision.ties)

    @property
    def flat(self) -> tuple[Decision, ...]:
        """The decisions that neither values nor direction could make."""
        return tuple(decision for decision in self.decisions.values() if decision.flat)

    def __len__(self) -> int:
        return len(self._path)
