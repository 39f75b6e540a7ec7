"""A place where code decides, and what was seen there: outcomes, and the numbers that were compared."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

Kind = Literal["test", "comparison", "equality", "selection", "clip", "winner"]
Outcome = Literal["true", "false", "below", "inside", "equal", "above", "unequal"]

# A side that took so many different numbers is a bound; one that took more is a value.
CONSTANT = 2

# Numbers of Python's own.
PLAIN = (int, float, bool)

# What is larger, or no number, is no bound.
LARGEST = sys.float_info.max

# What can come out at a site of each kind, and has to be seen for all of it to have been taken.
EVERY: dict[Kind, tuple[Outcome, ...]] = {
    "test": ("true", "false"),
    "comparison": ("below", "above"),
    "equality": ("equal", "unequal"),
    "selection": ("below", "above"),
    "clip": ("below", "inside", "above"),
    "winner": ("above", "equal"),
}


@dataclass(frozen=True, order=True)
class Site:
    """A decision in the source: its file, line and columns, and its text.

    `kind`: a "test" stands in an `if`, `while` or conditional expression (or puts masks together); a "comparison" is
    `a < b`, an "equality" `a == b`. A "selection" is a function that chooses by comparing two values (`maximum`,
    `abs`), a "clip" one that keeps values between bounds, a "winner" one that chooses among entries (`max`, `argmax`).
    A `guard` decides whether to raise.
    """

    file: str
    line: int
    column: int
    text: str
    kind: Kind
    guard: bool = False

    @cached_property
    def _hash(self) -> int:
        return hash((self.file, self.line, self.column, self.text, self.kind, self.guard))

    def __hash__(self) -> int:
        return self._hash


@dataclass
class Decision:
    """What was seen at one site: how often each outcome, and the numbers that stood on either side alone.

    `by_values`: what decides is an array or a number of NumPy's, or a float that was not always the same; else it is an
    option or a shape, and no other values would decide it otherwise.
    """

    site: Site
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    sides: tuple[set[float], set[float]] = field(default_factory=lambda: (set(), set()))
    by_values: bool = False

    @property
    def thresholds(self) -> set[float]:
        """What values are compared with: the numbers of a side that is the same wherever the values are others."""
        return set().union(*(side for side in self.sides if len(side) <= CONSTANT))

    def test(self, value: Any) -> None:
        """Note a truth."""
        self.by_values |= isinstance(value, (np.ndarray, np.generic))
        self.outcomes["true" if value else "false"] += 1

    def compare(self, left: Any, right: Any) -> None:
        """Note a comparison of two arrays or numbers, entry by entry; nothing of what is no number."""
        if type(left) in PLAIN and type(right) in PLAIN and self.site.kind in ("comparison", "equality"):
            self._compare_plain(left, right)
            return
        try:
            a, b = np.asarray(left), np.asarray(right)
            if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
                if self.site.kind == "equality" and not (a.ndim or b.ndim):
                    self.outcomes["equal" if bool(left == right) else "unequal"] += 1
                return
            same = a == b
            equal = int(np.count_nonzero(same))
            count: dict[Outcome, int] = {"equal": equal}
            if self.site.kind == "equality":
                count["unequal"] = int(np.size(same)) - equal
            else:
                count["below"], count["above"] = (int(np.count_nonzero(mask)) for mask in (a < b, a > b))
        except Exception:  # operands of any type: that they cannot be compared is no decision
            return
        for outcome, times in count.items():
            if times:
                self.outcomes[outcome] += times
        for known, side, operand in zip(self.sides, (a, b), (left, right), strict=True):
            if side.size == 1 and abs(number := float(side.reshape(()))) <= LARGEST:
                known.add(number)
            self.by_values |= isinstance(operand, (np.ndarray, np.generic))
            self.by_values |= isinstance(operand, float) and len(known) > 1

    def _compare_plain(self, left: float, right: float) -> None:
        """The same of two of Python's own numbers."""
        equality = self.site.kind == "equality"
        if left == right:
            self.outcomes["equal"] += 1
        elif equality or left < right or left > right:  # a NaN is on no side
            self.outcomes["unequal" if equality else "below" if left < right else "above"] += 1
        for known, operand in zip(self.sides, (left, right), strict=True):
            if abs(operand) <= LARGEST:
                known.add(float(operand))
            self.by_values |= type(operand) is float and len(known) > 1

    def clip(self, values: Any, low: Any, high: Any) -> None:
        """Note values that are held against two bounds (None: there is none)."""
        below, above = Decision(self.site), Decision(self.site)
        if low is not None:
            below.compare(values, low)
        if high is not None:
            above.compare(values, high)
        self.outcomes["below"] += below.outcomes["below"] if low is not None else 1
        self.outcomes["above"] += above.outcomes["above"] if high is not None else 1
        self.outcomes["inside"] += int(np.size(values)) - below.outcomes["below"] - above.outcomes["above"]
        self.by_values = True
        for bound in (below, above):
            self.sides[1].update(bound.sides[1])

    @property
    def taken(self) -> tuple[Outcome, ...]:
        """The outcomes that were seen, of those that there are to be seen.

        Equal numbers take one of the two sides of a comparison; of values, which tie by chance, that is not enough.
        """
        seen = {outcome for outcome, times in self.outcomes.items() if times}
        if self.site.kind == "comparison" and "equal" in seen and not self.by_values:
            seen.add("below" if ("<" in self.site.text) == ("=" in self.site.text) else "above")
        return tuple(one for one in EVERY[self.site.kind] if one in seen)

    @property
    def missing(self) -> tuple[Outcome, ...]:
        """The outcomes that were not seen; none of a guard, for what is refused has no derivative."""
        return () if self.site.guard else tuple(one for one in EVERY[self.site.kind] if one not in self.taken)


@dataclass
class Seen:
    """What one run, or several together, have shown: decisions by their sites, and how often each line ran."""

    decisions: dict[Site, Decision] = field(default_factory=dict)
    lines: Counter[tuple[str, int]] = field(default_factory=Counter)

    def at(self, site: Site) -> Decision:
        """The decision at a site, empty where nothing was seen yet."""
        if site not in self.decisions:
            self.decisions[site] = Decision(site)
        return self.decisions[site]

    @property
    def outcomes(self) -> frozenset[tuple[Site, Outcome]]:
        """Every outcome that was seen, with its site."""
        return frozenset((site, word) for site, one in self.decisions.items() for word, n in one.outcomes.items() if n)

    @property
    def missing(self) -> list[tuple[Site, Outcome]]:
        """Every outcome that was not seen, of sites that were reached and that other values can decide otherwise."""
        return [(site, outcome) for site, one in self.decisions.items() if one.by_values for outcome in one.missing]

    @property
    def thresholds(self) -> list[float]:
        """All numbers that values were compared with, in order."""
        return sorted(set().union(*(one.thresholds for one in self.decisions.values() if one.by_values)))

    def __le__(self, other: Seen) -> bool:
        """Whether the other has shown all lines and outcomes of this, too."""
        return self.lines.keys() <= other.lines.keys() and all(
            site in other.decisions and other.decisions[site].outcomes[word]
            for site, decision in self.decisions.items()
            for word, times in decision.outcomes.items()
            if times
        )

    def add(self, other: Seen) -> None:
        """Take in what another run has shown."""
        self.lines.update(other.lines)
        for site, decision in other.decisions.items():
            mine = self.at(site)
            mine.outcomes.update(decision.outcomes)
            mine.by_values |= decision.by_values
            for known, side in zip(mine.sides, decision.sides, strict=True):
                known |= side
