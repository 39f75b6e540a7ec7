"""The checked code, called so that it cannot end the process, fork the check, or take more time than it may."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gradcheck.errors import Ended, Interruption, TimeLimit
from gradcheck.problem import Array, Method, Problem, Values

# Seconds of computing that one question may take where a loop may be endless.
LONGEST = 1.0


@dataclass
class Watch:
    """When the time is over (`time.monotonic`; infinite: never), and how often forward and claims were called."""

    deadline: float = float("inf")
    calls: int = 0

    def tick(self) -> None:
        """Count a call. Raises TimeLimit where the time is over."""
        self.calls += 1
        if time.monotonic() > self.deadline:
            raise TimeLimit("the time limit is over")

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Interrupt a call that is still running at the deadline: in the main thread, where the system has a timer."""
        left = self.deadline - time.monotonic()
        if not 0 < left < float("inf") or threading.current_thread() is not threading.main_thread():
            yield
            return
        if not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0):
            yield  # somebody else's timer is running
            return

        with _alarm(signal.ITIMER_REAL, signal.SIGALRM, left, TimeLimit("the time limit is over")):
            yield


class _Forks:
    """How often this process was forked off, counted from the first one on: asking the system takes longer."""

    count = 0

    @classmethod
    def note(cls) -> None:
        cls.count += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Forks.note)


@dataclass(frozen=True)
class Guarded:
    """A function of the checked code (an object, so that it can be sent to other processes)."""

    function: Callable[..., Any]
    watch: Watch = field(default_factory=Watch)

    def __call__(self, *args: Any) -> Any:
        self.watch.tick()
        forks = _Forks.count
        try:
            return self.function(*args)
        except (Exception, KeyboardInterrupt, Interruption):
            raise
        except BaseException as error:  # SystemExit, or one of its own: it ends the question, not the check
            raise Ended(str(error)) from error
        finally:
            if _Forks.count != forks:
                os._exit(0)  # it forked, and the child came back as well: there is one check only


def guarded(problem: Problem, watch: Watch) -> Problem:
    """Return the same problem with everything that runs the checked code guarded."""
    return replace(
        problem,
        forward=Guarded(problem.forward, watch),
        methods=tuple(replace(method, at=_at(method, watch)) for method in problem.methods),
        call=None if problem.call is None else Guarded(problem.call, watch),
    )


def _at(method: Method, watch: Watch) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
    at = Guarded(method.at, watch)
    return lambda values: Guarded(at(values), watch)


class TooLong(TimeLimit):
    """A question takes more time than one may."""


@contextlib.contextmanager
def in_time(seconds: float = LONGEST) -> Iterator[None]:
    """Raise `TimeLimit` where what is inside computes for longer: in the main thread, where the system has a timer."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getitimer(signal.ITIMER_VIRTUAL) != (0.0, 0.0):
        yield  # somebody else's timer is running, or one of ours around this
        return

    with _alarm(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, seconds, TooLong("one question takes too long")):
        yield


@contextlib.contextmanager
def _alarm(timer: int, number: int, seconds: float, error: TimeLimit) -> Iterator[None]:
    """Raise an error where a timer ends before what is inside does; put the signal's own handler back."""

    def over(number: int, frame: Any) -> None:
        raise error

    before = signal.signal(number, over)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)
