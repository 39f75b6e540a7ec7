"""Ctrl-C and SIGTERM: what was found so far is kept, and the work that is under way is given up."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stop:
    """Says whether somebody wants to stop: `signal` is the number of the signal that came, or 0."""

    def __init__(self) -> None:
        self.signal = 0
        # A signal may come while the main thread waits for a result: both arrive here. `None`: stop.
        self.events: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def __call__(self, number: int) -> None:
        self.signal = number
        self.events.put(None)


@contextlib.contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Take the first signal as a wish to stop; the second one does what it would have done."""
    before = {}
    if threading.current_thread() is threading.main_thread():  # Python has signals handled there alone
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {number: known for number, known in before.items() if known not in (signal.SIG_IGN, None)}

    def put_back() -> None:
        for number, known in before.items():
            signal.signal(number, known)

    def heard(number: int, frame: Any) -> None:
        put_back()
        stop(number)

    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        put_back()


def in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int | Executor,
    stop: Stop,
    give_up: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Work on several items at a time and yield the results in order; after a stop, those that are there.

    `workers`: how many threads work, or who does. `give_up` ends what is still under way: at a stop, and when nobody
    wants any more results.
    """
    pool = ThreadPoolExecutor(workers) if isinstance(workers, int) else workers
    futures = [pool.submit(work, item) for item in items]
    for i, future in enumerate(futures):
        future.add_done_callback(_tell(stop, i))
    finished: set[int] = set()
    given = 0
    try:
        while given < len(futures):
            event = stop.events.get()
            if event is None:
                yield from (futures[i].result() for i in sorted(finished) if i >= given)
                return
            finished.add(event)
            while given in finished:
                yield futures[given].result()
                given += 1
    finally:
        # Whoever stops early wants to stop now: what is under way is ended, not waited for.
        pool.shutdown(wait=False, cancel_futures=True)
        give_up()


def _tell(stop: Stop, i: int) -> Callable[[Future[Any]], None]:
    return lambda future: None if future.cancelled() else stop.events.put(i)
