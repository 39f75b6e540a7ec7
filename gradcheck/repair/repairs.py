"""The repairs of one subject: what repairs one claim is tried first for the next."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from gradcheck.problem import Subject
from gradcheck.record import Record
from gradcheck.repair.change import described
from gradcheck.repair.scene import Edit
from gradcheck.repair.search import Found, Search
from gradcheck.repair.whole import RIGHT, Check
from gradcheck.results import Repair


@dataclass
class Repairs:
    """Looks for the repairs of a subject's claims; `check(subject, seed)` is the whole check that decides.

    `seconds`: what one search may compute; `deadline`: when the time of all is over (`time.monotonic`).
    """

    subject: Subject
    check: Check
    seed: int
    seconds: float
    deadline: float = float("inf")
    known: list[Edit] = field(default_factory=list)

    def of(self, record: Record, records: Iterable[Record], broken: Collection[str] = ()) -> Repair | None:
        """The change that makes a wrong claim right, while those that were right stay so; a note where time was over.

        `broken`: what of the contract was broken before.
        """
        found = self.search(record, records, broken)
        if found.limited:
            record.notes.append(
                f"no single change that makes it right was found: the search stopped at its limit ({self.seconds:g} s "
                f"of computing), after {found.tried:,} changes"
            )
        return None if found.edit is None else described(found.edit)

    def search(self, record: Record, records: Iterable[Record], broken: Collection[str] = ()) -> Found:
        """The same, as the search tells it."""
        if record.first_wrong is None:
            return Found()
        right = [(one.method, one.wrt) for one in records if one.verdict()[0] in RIGHT and one.points]
        left = (self.deadline - time.monotonic()) / 2  # whoever asked has more to do
        search = Search(
            self.subject,
            record.first_wrong,
            record.wrt,
            self.check,
            right,
            broken,
            self.seed,
            self.seconds,
            left,
            self.known,
        )
        found = search.run()
        if found.edit is not None:
            self.known.append(found.edit)
        return found
