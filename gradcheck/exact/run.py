"""An exact run of somebody's code: with as many bits as it needs, and with everything put back after it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from flint import acb, arb

from gradcheck.adapters.state import global_fingerprint
from gradcheck.errors import message
from gradcheck.exact import session
from gradcheck.exact.arrays import protocols
from gradcheck.exact.errors import Apart, Left, NotExact, Undecided
from gradcheck.exact.session import BITS, BUDGET, Run
from gradcheck.exact.shadow.names import shadowed
from gradcheck.exact.shadow.reach import kept, reach
from gradcheck.exact.trace import Site

Result = TypeVar("Result")

MOST_BITS = 1024
# Bits of a result, counted from the largest of its array, that are enough.
ENOUGH = 70

assert protocols  # what NumPy asks when it meets jets


def exactly(
    compute: Callable[[], Result],
    around: Iterable[Any],
    *,
    modules: Iterable[ModuleType] = (),
    bits: int = BITS,
    most: int = MOST_BITS,
    budget: int = BUDGET,
    narrow: Callable[[Result], bool] = lambda result: True,
) -> tuple[Result, Run]:
    """Call `compute` as an exact run, and return its result with its run.

    Where numbers that are compared overlap, or the result is not `narrow`, it is called again with twice the bits, up
    to `most`; then once with terms (`jets.terms`), which show that some numbers are equal. `around`: the functions and
    objects that it calls; their modules (and `modules`) are shadowed, and their state is put back.

    Raises NotExact, with the line, where the code leaves exact arithmetic, raises anything but NotImplementedError
    (which passes through), takes more than `budget` operations, draws from a global generator, or stays undecided;
    `Apart` where the directions of a block disagree.
    """
    things = list(around), list(modules)
    undecided: NotExact | None = None
    while True:
        try:
            result, run = _once(compute, things, bits, budget, undecided is not None)
            if undecided is not None or 2 * bits > most or narrow(result):
                return result, run
            bits *= 2
        except Undecided as error:
            if undecided is not None:
                raise undecided from None
            bits *= 2
            if bits > most:
                why = f"{error.question}: two numbers agree to {bits // 2} bits, and nothing shows that they are equal"
                undecided, bits = NotExact(why, error.place, undecided=True), 2 * BITS
        except Left as error:
            raise (undecided or NotExact(error.why, error.place)) from None
        except (Apart, NotImplementedError):  # what is not implemented says so in floats as well
            raise
        except NotExact as error:
            raise undecided or error from None
        except Exception as error:  # whatever other people's code raises on jets, and not on floats
            why = f"it raises {type(error).__name__}: {message(error)} on exact numbers"
            raise (undecided or NotExact(why, _place(error))) from error


def _once(
    compute: Callable[[], Result],
    things: tuple[Iterable[Any], Iterable[ModuleType]],
    bits: int,
    budget: int,
    uses_terms: bool,
) -> tuple[Result, Run]:
    """One run, with stand-ins for names and jets in the objects."""
    with (
        session.running(bits, budget, uses_terms) as run,  # one thread at a time: what is reached is nobody's stand-in
        kept(reached := reach(*things)),
        shadowed([*(one.names for one in reached.namespaces), *reached.callers], reached.cells),
    ):
        drawn = global_fingerprint()
        with np.errstate(all="ignore"):
            result = compute()
        if global_fingerprint() != drawn:
            raise NotExact("it draws random numbers that nothing pins: two runs are about two functions")
        if run.ended is not None:  # the code has swallowed what ended the run
            raise run.ended
        return result, run


def _place(error: BaseException) -> str:
    """The user's line that raised."""
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if session.is_users(frame.f_code):
            found = str(Site(frame.f_code.co_filename, line))
    return found


def is_narrow(balls: Iterable[Any]) -> bool:
    """Whether balls are known to `ENOUGH` bits of the largest.

    What is not finite may be so by a ball that is too wide (a root of what is hardly positive): it is tried again once.
    """
    parts = list(_parts(balls))
    finite = [ball for ball in parts if ball.is_finite()]
    if len(finite) < len(parts) and session.current().bits < 2 * BITS:
        return False
    wide = [ball for ball in finite if ball.rel_accuracy_bits() < ENOUGH]
    if not wide:
        return True
    largest = max((abs(ball).upper() for ball in finite), key=float)
    return all(ball.rad() <= largest * 2.0**-ENOUGH for ball in wide) or largest < 2.0**-ENOUGH


def _parts(balls: Iterable[Any]) -> Iterator[Any]:
    for ball in balls:
        if type(ball) is acb:
            yield from (ball.real, ball.imag)
        elif type(ball) is arb:
            yield ball
