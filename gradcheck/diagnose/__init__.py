"""What is the likely mistake? An ordered table of hypotheses, each fitted to one wrong claim.

A hypothesis is a function of the `Evidence` that returns the causes which it can prove within the
tolerance of the estimate, and nothing otherwise: a diagnosis is evidence, not a guess. The first in the
table that fits is the best one; a cause is specific before it is general. Hypotheses that ask the
subject anew, or differentiate elsewhere, run only where the plain ones found nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from gradcheck.diagnose import branches, elsewhere, layout, offsets, places, quotient, scale, suspects, symmetry, terms
from gradcheck.diagnose.evidence import Evidence
from gradcheck.results import Cause

Hypothesis = Callable[[Evidence], list[Cause]]

# Where there is no Jacobian to look at: why not?
UNREADABLE: tuple[Hypothesis, ...] = (
    layout.wrong_number_of_gradients,
    layout.array_instead_of_a_list,
    layout.wrong_shape,
    layout.raises,
)

TABLE: tuple[Hypothesis, ...] = (
    layout.wrong_shape,
    suspects.suspected,
    elsewhere.writes_into_its_arguments,
    places.not_finite,
    places.zero,
    elsewhere.rounded_to_fewer_digits,
    branches.one_side_wrong,
    scale.times_a_known_constant,
    places.wrong_only_at_zeros,
    places.wrong_where_clipped,
    places.wrong_in_saturation,
    places.upstream_ignored,
    places.handed_back,
    places.output_ignored,
    places.samples_left_out,
    layout.transposed,
    layout.permuted,
    layout.shifted,
    terms.applied_twice,
    terms.output_instead_of_derivative,
    terms.sign_off_the_diagonal,
    terms.coupling_missing_or_doubled,
    terms.spread_over_an_axis,
    terms.summand_missing_or_doubled,
    terms.proportional_term,
    terms.added_to_some_entries,
    scale.times_a_variable,
    offsets.same_number_everywhere,
    offsets.one_number_for_each_row,
    symmetry.right_for_symmetric_moves,
    places.one_place_wrong,
)

# These ask the subject again or differentiate at other values.
PROBES: tuple[Hypothesis, ...] = (
    elsewhere.evaluated_at_the_output,
    elsewhere.evaluated_at_the_input,
    elsewhere.kernel_flipped,
    symmetry.right_if_symmetric,
    elsewhere.stale,
    elsewhere.accumulated,
    elsewhere.spoiled,
    elsewhere.swapped,
    elsewhere.missing_epsilon,
    terms.constant,
    terms.slope_one,
    scale.times_a_constant,
    quotient.difference_quotient,
)

# So general that whatever else fits explains it better.
GENERAL: tuple[Hypothesis, ...] = (elsewhere.lost_precision,)

# What is asked at other points instead: whether a cause is possible there, not which one is likeliest.
POSSIBLE: dict[Hypothesis, Callable[[Evidence], Iterable[Cause]]] = {
    scale.times_a_known_constant: scale.times_any_known_constant,
    scale.times_a_variable: scale.times_any_variable,
    offsets.same_number_everywhere: offsets.same_number_possible,
}

SHOWN = 3

# Causes of what is wrong at some places only: whatever else there is, a claim that is right at ordinary points has not.
SOMEWHERE = re.compile(
    r"not finite|wrong (only|where|in|for|shape|number) .*|wrong shape|one .* wrong|missing epsilon|lost precision"
    r"|raises|shapes .*|writes .*|spoils .*|stale|accumulated"
)


def diagnose(evidence: Evidence, *others: Evidence) -> tuple[Cause, ...]:
    """Return the causes that fit, best first; an empty tuple where no known pattern does.

    `others`: the same claim at other points, where it is wrong too: a cause has to fit there as well, so that a size
    that happens to be 2, or a point that hides a term, makes none. Where none fits entries at kinks, too, one may fit
    all others.
    """
    found = _fitting(evidence, others)
    if found or evidence.kinked is None or not evidence.smooth().wrong.any():
        return found
    return _fitting(evidence.smooth(), [one.smooth() for one in others])


def _fitting(evidence: Evidence, others: Sequence[Evidence]) -> tuple[Cause, ...]:
    if evidence.readable and evidence.fits(evidence.estimate):
        return ()  # wrong by so little that every hypothesis would fit as well
    tables = (TABLE, PROBES, GENERAL) if evidence.readable else (UNREADABLE,)
    for table in tables:
        found: dict[str, Cause] = {}
        for hypothesis in table:
            for cause in hypothesis(evidence):
                elsewhere_right = not evidence.somewhere or SOMEWHERE.fullmatch(cause.name)
                asked: Callable[[Evidence], Iterable[Cause]] = POSSIBLE.get(hypothesis, hypothesis)
                if elsewhere_right and all(any(agree(cause, one) for one in asked(other)) for other in others):
                    found.setdefault(cause.name, cause)
        if found:
            return tuple(found.values())[:SHOWN]
    return ()


def agree(cause: Cause, other: Cause) -> bool:
    """Whether two points speak for the same mistake: a constant without a meaning has to be the same one."""
    number = cause.name in ("times a constant", "constant", "times a variable")
    return cause.name == other.name and (not number or cause.sentence == other.sentence)


__all__ = ["Evidence", "diagnose"]
