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
apply     repairs written into their files
"""

from __future__ import annotations

from gradcheck.problem import Subject
from gradcheck.results import Repair


def propose(subject: Subject, claim: str, *, seed: int = 0) -> Repair | None:
    """Return one change that makes a wrong claim right at all points; None where none was found, or nothing is wrong.

    `subject`: as `gradcheck.adapters.subject_of` makes it; `claim`: its name (`"backward[x]"`; KeyError if there is
    none). The code is changed in memory while changes are tried, and put back; no file is written. Claims of the
    subject that were right stay so.
    """
    from gradcheck.check import Options, check_subject  # the check itself looks for repairs

    result = check_subject(subject, Options(seed=seed, hints="repair"))
    return {one.name: one for one in result.claims}[claim].repair


__all__ = ["propose"]
