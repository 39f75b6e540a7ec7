"""Mistakes that the adapter itself expects, because it knows what it asked."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnose.evidence import Cause, Evidence

# What a suspect computes loses no more than a few roundings.
LOSS = 1e-12


def suspected(e: Evidence) -> list[Cause]:
    """The claim is what the method would answer with a mistake that its adapter describes."""
    index = e.method.wrt.index(e.variable.name)
    causes = []
    for suspect in e.method.suspects:
        answer = suspect.at(e.values)[index]
        if answer is not None and e.fits(np.asarray(answer, dtype=float).reshape(1, -1), loss=LOSS):
            causes.append(Cause(suspect.name, suspect.sentence, "the claim is what this mistake gives, entry by entry"))
    return causes
