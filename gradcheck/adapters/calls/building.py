"""From a function to its problem: values are found once, and then made in every size that is wanted."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.calls import conventions, posed, ranks, search, table
from gradcheck.adapters.calls.program import Leaf, Program
from gradcheck.adapters.calls.search import Filled
from gradcheck.adapters.calls.unwritten import with_loss
from gradcheck.adapters.construct import Made
from gradcheck.errors import CannotBuild
from gradcheck.problem import Problem, Sizes

_filled: dict[int, tuple[Program, Filled | CannotBuild]] = {}
_settled: dict[int, tuple[Program, Filled | CannotBuild]] = {}


def build(made: Made, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that a function and what belongs to it pose. Raises CannotBuild where no values are found."""
    program = table.program_of(made.obj)
    if program is None:
        raise CannotBuild("nothing beside it says what its derivative is")
    return _at(program, made.inputs) if made.inputs is not None else posed_in(program, sizes, rng)


def posed_in(program: Program, sizes: Sizes, rng: np.random.Generator) -> Problem:
    """Return the problem that a program poses in these sizes. Raises CannotBuild where no values are found."""
    filled = settled(program)
    try:
        trial = search.in_sizes(filled, sizes, int(rng.integers(2**31)))
    except CannotBuild:
        if sizes != Sizes(batch=sizes.batch):
            raise
        trial = filled.trial  # in the only sizes in which it is known to run
    return posed.pose(filled, trial)


def settled(program: Program) -> Filled:
    """Return the program with values, and with the convention that it follows."""
    known = _settled.get(id(program))
    if known is None or known[0] is not program:
        try:
            found: Filled | CannotBuild = ranks.decided(conventions.settled(filled_of(program), _others))
        except ranks.Undecided as error:
            found = CannotBuild(f"{error}; {search.hint(program)}")
        known = _settled[id(program)] = (program, found)
    if isinstance(known[1], CannotBuild):
        raise known[1]
    return known[1]


def filled_of(program: Program) -> Filled:
    """Return the program with the values that were found for it, searched for once."""
    known = _filled.get(id(program))
    if known is None or known[0] is not program:
        try:
            filled = search.find(program)
            found: Filled | CannotBuild = with_loss(filled) if program.unwritten else filled
        except CannotBuild as error:
            found = error
        known = _filled[id(program)] = (program, found)
    if isinstance(known[1], CannotBuild):
        raise known[1]
    return known[1]


def _others(program: Program) -> list[Filled]:
    """The other programs of the same module that run."""
    found = []
    for other in table.beside(program.steps[0].function):
        if other is not program and other.steps[0].function is not program.steps[0].function:
            with contextlib.suppress(CannotBuild):
                found.append(filled_of(other))
    return found


def _at(program: Program, inputs: Sequence[Any]) -> Problem:
    """The problem at an example: the first arguments are given, what else is taken is looked for."""
    names = [p.name for p in inspect.signature(program.steps[0].function).parameters.values()]
    if len(inputs) > len(names):
        takes = ", ".join(names)
        raise CannotBuild(f"its example gives {len(inputs)} inputs, but {program.steps[0].name} takes {takes}")
    given = dict(zip(names, inputs, strict=False))
    first = program.steps[0]
    more = [name for name in given if name not in dict(first.takes)]
    step = replace(first, takes=(*first.takes, *((name, Leaf(name)) for name in more)))
    filled = search.find(replace(program, steps=(step, *program.steps[1:])), given)
    return posed.pose(filled, filled.trial)
