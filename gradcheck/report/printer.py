"""Paints lines on a stream: in colour where rich is installed and somebody looks, as plain text elsewhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

Segment = tuple[str, str]
Line = Sequence[Segment]
"""A line is segments of (text, style); a style is one of the keys below."""

STYLES: dict[str, str] = {
    "correct": "green",
    "wrong": "bold red",
    "unresolved": "bold yellow",
    "could not be asked": "bold yellow",
    "not implemented": "magenta",
    "not understood": "yellow",
    "convention": "cyan",
    "waived": "cyan",
    "skipped": "dim",
    "name": "bold",
    "quiet": "dim",
    "code": "cyan",
    "": "",
}
_ASCII = str.maketrans({"≥": ">=", "·": "-", "÷": "/", "×": "x", "±": "+-", "→": "->", "–": "-", "−": "-", "∞": "inf",
                        "∂": "d", "…": "...", "ᵀ": "^T", "’": "'", "½": "1/2",
                        "“": '"', "”": '"', "ε": "eps"})  # fmt: skip


class Printer:
    """Prints lines to a stream: in colour through rich if it is installed and the stream is a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream: TextIO = sys.stdout if stream is None else stream
        live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        coloured = live and not os.environ.get("NO_COLOR") and importlib.util.find_spec("rich") is not None
        self._console = _console(self.stream) if coloured else None

    def line(self, line: Line) -> None:
        """Print one line."""
        if self._console is None:
            self._plain(line)
            return
        from rich.text import Text

        text = Text()
        for part, style in line:
            text.append(part, STYLES[style])
        self._console.print(text, soft_wrap=True)  # the terminal wraps, so that a test can be copied as it is

    def lines(self, lines: Iterable[Line]) -> None:
        """Print several lines."""
        for line in lines:
            self.line(line)

    def _plain(self, line: Line) -> None:
        text = "".join(part for part, _ in line).rstrip()
        encoding = self.stream.encoding or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
        try:
            print(text, file=self.stream, flush=True)
        except BrokenPipeError:  # `gradcheck … | head` has read enough; files are still written
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), self.stream.fileno())


def _console(stream: TextIO) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)
