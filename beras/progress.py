"""One line that says how far a long loop is: redrawn on a terminal, seldom written to a log file."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import TextIO

TERMINAL_INTERVAL = 0.1  # seconds between two drawings: smooth for the eye, free for the loop
LOG_INTERVAL = 60.0  # seconds between two lines in a log file: enough to see that it is not stuck


def seconds_as_text(seconds: float) -> str:
    """Write a duration as a person would.

    >>> [seconds_as_text(s) for s in (0.04, 0.4, 5.2, 75, 3671)]
    ['40 ms', '0.4 s', '5.2 s', '1:15', '1:01:11']
    """
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_as_text(count: float, unit: str) -> str:
    """Write an amount of `unit`; bytes in megabytes.

    >>> count_as_text(11490434, "bytes"), count_as_text(60000, "samples")
    ('11.5 MB', '60,000 samples')
    """
    return f"{count / 1e6:.1f} MB" if unit == "bytes" else f"{count:,.0f} {unit}"


class Progress:
    """A progress line for a loop over `total` units (None: nobody knows how many).

    `update` costs a look at the clock unless it is time to draw, so it may be called at every step.
    On a terminal the line is redrawn in place and cut to the terminal's width; anywhere else (a log
    file, a pipe, a notebook) there is one finished line at the end, and one a minute before that. With
    `quiet` there is nothing.
    """

    def __init__(
        self, label: str, total: int | None, unit: str, stream: TextIO | None = None, *, quiet: bool = False
    ) -> None:
        self.label, self.total, self.unit, self.quiet = label, total, unit, quiet
        self.stream = sys.stdout if stream is None else stream
        self.on_terminal = self.stream.isatty()
        self.interval = math.inf if quiet else TERMINAL_INTERVAL if self.on_terminal else LOG_INTERVAL
        self.started = perf_counter()
        self.next_drawing = self.started + self.interval
        self.drawn = 0  # characters of the line that stands on the terminal

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave an unfinished line as it stands, so that an error message starts on a line of its own."""
        if self.drawn:
            self.stream.write("\n")
            self.drawn = 0

    def update(self, done: int, note: Callable[[], str] = str) -> None:
        """Say that `done` units are done. `note()` is asked for more text only when a line is drawn."""
        now = perf_counter()
        if now < self.next_drawing:
            return
        self.next_drawing = now + self.interval
        rate = done / (now - self.started)
        if self.total is None:
            text = count_as_text(done, self.unit)
        else:
            text = f"{100 * done / self.total:3.0f} % of {count_as_text(self.total, self.unit)}"
        text += f", {count_as_text(rate, self.unit)}/s"
        if self.total is not None and done:
            text += f", {seconds_as_text((self.total - done) / rate)} left"
        self._write(f"{self.label} {text}", note())

    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self.started

    def close(self, done: int, note: str = "", seconds: float | None = None) -> None:
        """Write the last line, which stays: what was done, in what time (`seconds`, or until now), at what rate."""
        if self.quiet:
            return
        elapsed = max(self.elapsed() if seconds is None else seconds, 1e-9)
        rate = count_as_text(done / elapsed, self.unit)
        text = f"{self.label} {count_as_text(done, self.unit)} in {seconds_as_text(elapsed)}, {rate}/s"
        self._write(text, note, last=True)

    def _write(self, text: str, note: str, *, last: bool = False) -> None:
        line = f"{text}  {note}".rstrip()
        if not self.on_terminal:
            self.stream.write(line + "\n")
        else:
            if not last:  # a line that wraps cannot be redrawn in place
                line = line[: max(shutil.get_terminal_size().columns - 1, 1)]
            # Blanks instead of an escape sequence, so that a dumb terminal shows no rubbish.
            self.stream.write("\r" + line.ljust(self.drawn) + ("\n" if last else ""))
            self.drawn = 0 if last else len(line)
        self.stream.flush()
