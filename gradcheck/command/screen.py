"""What the command shows: lines on standard output and, while somebody looks, what it is doing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from typing import TextIO

from gradcheck.report.printer import Line, Printer
from gradcheck.report.words import one_line

ERASE = "\r\x1b[K"


class Screen:
    """Prints lines, and shows progress in one line of a terminal that goes away (standard error; nothing elsewhere)."""

    def __init__(self, printer: Printer, stream: TextIO | None = None, quiet: bool = False) -> None:
        self._printer = printer
        self._stream: TextIO = sys.stderr if stream is None else stream
        self._live = not quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._lock = threading.Lock()  # several subjects report their progress at once

    def line(self, line: Line) -> None:
        """Print one line."""
        self.lines([line])

    def lines(self, lines: Iterable[Line]) -> None:
        """Print several lines."""
        with self._lock:
            self._erase()
            self._printer.lines(lines)

    def progress(self, text: str) -> None:
        """Show what is being done."""
        if not self._live:
            return
        with self._lock:
            self._stream.write(f"{ERASE}{one_line(text)[: self._width() - 1]}")
            self._stream.flush()
            self._shown = True

    def done(self) -> None:
        """Take the progress away."""
        with self._lock:
            self._erase()

    def _erase(self) -> None:
        if self._shown:
            self._stream.write(ERASE)
            self._stream.flush()
            self._shown = False

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:  # it says that it is a terminal, and has no size
            return 80
