"""The repairs of one subject: what repairs one claim is tried first for the next."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradcheck.errors import TimeLimit
from gradcheck.problem import Subject
from gradcheck.record import Record
from gradcheck.repair.cause import first_of
from gradcheck.repair.change import described
from gradcheck.repair.scene import Edit
from gradcheck.repair.search import SECONDS, Found, Search
from gradcheck.repair.whole import RIGHT, Check, Claim
from gradcheck.results import ClaimResult, ComponentResult

# Claims that a change may put right: those that are wrong, and those that raise wherever they are asked.
MENDED = ("wrong", "could not be asked")


@dataclass
class Repairs:
    """Looks for the repairs of a subject's claims; `check(subject, seed)` is the whole check that decides.

    `seconds`: what one search may compute; `deadline`: when the time of all is over (`time.monotonic`). `mended`: the
    claims that may be repaired; `checked`: what checks of them all came to, by edit and seed.
    """

    subject: Subject
    check: Check
    seed: int
    seconds: float = SECONDS
    deadline: float = float("inf")
    known: list[Edit] = field(default_factory=list)
    mended: Sequence[Claim] = ()
    checked: dict[tuple[Edit, int], ComponentResult | None] = field(default_factory=dict)

    def filled(
        self, claims: Sequence[ClaimResult], records: Mapping[Claim, Record], broken: Collection[str]
    ) -> list[ClaimResult]:
        """The claims, the wrong ones with the change that makes them right; their records note where time was over.

        `records`: of the claims, by method and variable; `broken`: what of the contract was broken before.
        """
        self.mended = _mended(claims)
        found = {one: self._found(records[one], records.values(), broken) for one in self.mended}
        for one, first in found.items():
            if first.edit is None and self.known:  # what has repaired others since may repair it, too
                found[one] = replace(first, edit=self._found(records[one], records.values(), broken, anew=False).edit)
        for one, last in found.items():
            if last.limited and last.edit is None:
                records[one].notes.append(
                    f"no single change that makes it right was found in time: {last.tried:,} were tried, in "
                    f"{self.seconds:g} s of computing at most"
                )
        edits = {one: last.edit for one, last in found.items()}
        return [with_repair(claim, edits.get((claim.method, claim.wrt))) for claim in claims]

    def _found(self, record: Record, records: Iterable[Record], broken: Collection[str], anew: bool = True) -> Found:
        try:
            return self.search(record, records, broken, anew)
        except TimeLimit:  # of the whole check
            return Found(limited=True)

    def search(
        self, record: Record, records: Iterable[Record], broken: Collection[str] = (), anew: bool = True
    ) -> Found:
        """Look for the change that makes a wrong claim right, while those that were right stay so.

        Unless `anew`, only what has repaired other claims is tried.
        """
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
            anew,
            self.mended,
            self.checked,
        )
        found = search.run()
        if found.edit is not None and found.edit not in self.known:
            self.known.append(found.edit)
        return found


def with_repair(claim: ClaimResult, edit: Edit | None) -> ClaimResult:
    """The claim with the edit that makes it right, and with its causes in the light of it."""
    if edit is None:
        return claim
    repair = described(edit)
    return replace(claim, repair=repair, causes=first_of(claim.causes, edit, repair))


def _mended(claims: Iterable[ClaimResult]) -> list[Claim]:
    return [(one.method, one.wrt) for one in claims if one.verdict in MENDED]
