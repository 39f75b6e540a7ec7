"""Whether a verdict would hang on how many axes are meant, where nothing in the code says it.

A function of a vector often runs on rows as well, and is then another function, of which its derivative knows nothing.
"""

from __future__ import annotations

import contextlib

from gradcheck.adapters.calls.conventions import OTHER, SAME
from gradcheck.adapters.calls.measure import off
from gradcheck.adapters.calls.search import Filled, is_weight, of_vectors, with_fewer_axes
from gradcheck.adapters.calls.trial import Trial
from gradcheck.errors import CannotBuild

# Jacobians are mostly those of vectors, and of matrices at most.
MATRICES = 2


def decided(filled: Filled) -> Filled:
    """Return the program as read. Raises Undecided where as rows it is wrong, as vectors right, and no text decides."""
    trial, derivatives = filled.trial, filled.program.derivatives
    open_ = all(one.form != "gradient" and not one.convention for one in derivatives)
    if trial.stage < 2 or not open_ or not _is_wrong(filled):
        return filled
    if filled.program.is_jacobian and not _is_ranked(trial) and max(map(len, trial.variables().values())) > MATRICES:
        raise Undecided(
            "its answer has the shape of a Jacobian for no vectors or matrices that were tried, and nothing says that "
            f"more axes are meant ({_shapes(trial)})"
        )
    at_place = all(one.form == "place" for one in derivatives)
    has_labels = len(trial.variables()) != len(trial.arrays())
    if at_place and _is_number(trial) and not has_labels:
        _require_one_reading(filled)
    with contextlib.suppress(CannotBuild):
        other = of_vectors(filled)
        if not other.trial.is_right or not 0 < _ranks(other.trial) < _ranks(trial):
            return filled  # by single numbers it is the same function
        is_told = _is_told(trial)
        if (at_place or not is_told) and _is_number(other.trial) and not _is_number(trial):
            return other  # a gradient is that of a number
        if not is_told and not _is_wrong(other, SAME):
            raise _undecided(trial, other.trial)
    return filled


def _require_one_reading(filled: Filled) -> None:
    """Raise Undecided where the gradients of a number are right once one of its arguments has fewer axes."""
    for name, shape in filled.trial.variables().items():
        place = filled.trial.places[name]
        if len(shape) < 2 or place.rank is not None or len(shape) <= place.least or place.dims:
            continue
        with contextlib.suppress(CannotBuild):
            other = with_fewer_axes(filled, name)
            if other.trial.is_right and not _is_wrong(other, SAME):
                raise _undecided(filled.trial, other.trial)


def _undecided(trial: Trial, other: Trial) -> Undecided:
    return Undecided(
        f"it is read in two ways, and nothing says which is meant: {_shapes(trial)} "
        f"(its derivative is wrong), or {_shapes(other)} (it is right)"
    )


class Undecided(Exception):
    """Two readings of one function have different verdicts."""


def _is_told(trial: Trial) -> bool:
    """Whether the text says how many axes there are, or there are weights or labels, which say it."""
    names = list(trial.variables())
    if any(is_weight(trial, name) for name in names) or len(names) != len(trial.arrays()):
        return True
    return _is_ranked(trial) or any(one.along_axes for one in trial.known.facts)


def _is_ranked(trial: Trial) -> bool:
    """Whether the text says how many axes a variable has, or that it has several."""
    places = [trial.places[name] for name in trial.variables()]
    return any(place.rank is not None or place.least > 1 for place in places)


def _is_wrong(filled: Filled, within: float = OTHER) -> bool:
    found = [share for number in range(len(filled.program.derivatives)) for share in off(filled, number).values()]
    return not found or max(found) > within


def _is_number(trial: Trial) -> bool:
    return all(one.size == 1 for one in trial.outputs)


def _ranks(trial: Trial) -> int:
    return sum(len(shape) for shape in trial.variables().values())


def _shapes(trial: Trial) -> str:
    return ", ".join(f"{name} of shape {shape}" for name, shape in trial.variables().items())
