"""One change that makes a wrong claim right: found by trying, and proven by a whole check.

source    a function with its place in its file, and what it becomes where that text is changed
pieces    source that is put together so that Python reads it as it was meant
observe   what each expression is worth, and which names are known, where a claim is asked
ran       which functions run then, and what in them has a say in the answer
scene     where edits are made, with everything that they are made of
edits/    the single edits that are tried, one kind a file
trial     a claim at one point, asked again with changed code
whole     the whole check of one claim with changed code
search    the edits, the likeliest first, each tried before it is believed
change    an edit as people read it
repairs   the repairs of one subject
"""

from __future__ import annotations

from gradcheck.problem import Subject
from gradcheck.repair.repairs import Repairs
from gradcheck.repair.search import SECONDS
from gradcheck.results import Repair


def propose(subject: Subject, claim: str, *, seed: int = 0, seconds: float = SECONDS) -> Repair | None:
    """Return one change that makes a wrong claim right at all points; None where none was found, or nothing is wrong.

    `subject`: as `gradcheck.adapters.subject_of` makes it; `claim`: its name (`"backward[x]"`; KeyError if there is
    none). At most `seconds` are computed before the search gives up. The code is changed in memory while it is tried,
    and put back; no file is written. Claims of the subject that were right stay so.
    """
    from gradcheck.check import Options, records, whole_check  # the check itself looks for repairs

    found = {record.name: record for record in records(subject, Options(seed=seed, evidence=False))}
    repairs = Repairs(subject, whole_check, seed, seconds)
    return repairs.of(found[claim], found.values()) if found[claim].verdict()[0] == "wrong" else None


__all__ = ["propose"]
