"""What the command prints: a line for what is right, a page for what is wrong.

`lines_of` turns a result into styled lines, which are data; `Printer` paints them, in colour where rich is
installed and somebody looks, as plain text elsewhere. `explain` is the same page for an assertion error.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import textwrap
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from gradcheck.report.words import count, exact, number, place
from gradcheck.results import ClaimResult, ComponentResult, Verdict

Segment = tuple[str, str]
Line = Sequence[Segment]
"""A line is segments of (text, style); a style is one of the keys below."""

STYLES: dict[str, str] = {
    "correct": "green",
    "wrong": "bold red",
    "unresolved": "bold yellow",
    "not implemented": "magenta",
    "waived": "cyan",
    "skipped": "dim",
    "name": "bold",
    "quiet": "dim",
    "code": "cyan",
    "": "",
}
_WIDTH = len("unresolved")
"""Of the column of verdicts; the one longer verdict, which is rare, pushes its line to the right."""
_ASCII = str.maketrans({"≥": ">=", "·": "-", "÷": "/", "×": "x", "±": "+-", "→": "->", "–": "-", "−": "-", "∞": "inf",
                        "∂": "d", "…": "...", "ᵀ": "^T", "’": "'", "½": "1/2"})  # fmt: skip


def lines_of(result: ComponentResult, verbose: bool = False) -> list[Line]:
    """Return what is printed for one component."""
    head: list[Segment] = [(f"{result.verdict:<{_WIDTH}} ", result.verdict), (one_line(result.name), "name")]
    if result.verdict == "correct":
        head.append((f"  {count(len(result.claims), 'claim')}, {_power(result.claims)}", "quiet"))
        lines: list[Line] = [head]
    else:
        head.append((f"  {one_line(result.source)}", "quiet"))
        lines = [head]
        if result.reason:
            lines.append([("  because ", "quiet"), (one_line(result.reason), "")])
    for claim, *others in [[claim] for claim in result.claims] if verbose else _alike(result.claims):
        lines += _claim(claim, verbose)
        if others:
            names = ", ".join(one_line(other.name) for other in others)
            lines.append(
                [("  ", ""), (f"{claim.verdict:<{_WIDTH}} ", claim.verdict), (names, "name"), (": the same", "")]
            )
    for item in result.contract:
        if item.verdict in ("broken", "noted") or verbose:
            style = {"broken": "wrong", "kept": "correct"}.get(item.verdict, "skipped")
            detail = f": {one_line(item.detail)}" if item.detail else ""
            lines.append(
                [("  contract  ", "quiet"), (f"{item.verdict:<{_WIDTH}} ", style), (f"{item.name}{detail}", "")]
            )
    return lines


def _power(claims: Sequence[ClaimResult]) -> str:
    """At how many points claims were checked, and how small an error would have been found."""
    points = len({at.point for claim in claims for at in claim.points})
    ratios = [at.ratio for claim in claims for at in claim.points if at.verdict == "correct"]
    found = [claim.resolution for claim in claims if claim.resolution == claim.resolution]
    text = count(points, "point")
    if ratios:
        text += f", worst error {number(max(ratios), 2)} of tolerance"
    return text + (f", would catch ≥ {number(max(found), 2)}" if found else "")


def _claim(claim: ClaimResult, verbose: bool) -> list[Line]:
    """One claim: its verdict and cause in a line, and below it the evidence where it is wrong."""
    head: list[Segment] = [("  ", ""), (f"{claim.verdict:<{_WIDTH}} ", claim.verdict), (one_line(claim.name), "name")]
    why = _why(claim)
    lines: list[Line] = [[*head, (f": {one_line(why)}", "")] if why else head]
    if claim.verdict == "correct" and claim.points:
        lines = [[*head, (f"  {_power([claim])}", "quiet")]]
    if verbose and claim.kinks:
        conventions = ", ".join(dict.fromkeys(one_line(kink.convention) for kink in claim.kinks))
        lines += _block("kinks", f"{count(len(claim.kinks), 'entry', 'entries')}, where it takes: {conventions}")
    if claim.verdict != "wrong":
        return lines
    if claim.causes and claim.causes[0].evidence:
        lines += _block("evidence", claim.causes[0].evidence)
    if claim.worst is not None:
        lines += _worst(claim)
    if verbose:
        for cause in claim.causes[1:]:
            lines += _block("or else", f"{cause.sentence} ({cause.evidence})" if cause.evidence else cause.sentence)
    if claim.counterexample:
        lines += _block("smallest", claim.counterexample)
    if claim.test:
        # Not indented, so that it can be copied into a file as it is.
        lines += [[("    a test to paste:", "quiet")], [], *([(row, "code")] for row in _rows(claim.test)), []]
    return lines


def _why(claim: ClaimResult) -> str:
    """The likely cause of a wrong claim, or the reason of any other verdict."""
    if claim.verdict == "wrong" and claim.causes:
        return claim.causes[0].sentence
    said = (at.message for at in claim.points if at.verdict == claim.verdict and at.message)
    return claim.reason or (next(said, "") if claim.verdict == "wrong" else "")


def _alike(claims: Iterable[ClaimResult]) -> list[list[ClaimResult]]:
    """The claims that are not correct, those with the same verdict for the same reason together."""
    groups: dict[tuple[str, ...], list[ClaimResult]] = {}
    for claim in claims:
        if claim.verdict not in ("correct", "skipped"):
            key = (claim.verdict, _why(claim)) if _why(claim) else (claim.name,)
            groups.setdefault(key, []).append(claim)
    return list(groups.values())


def _worst(claim: ClaimResult) -> list[Line]:
    entry = claim.worst
    assert entry is not None
    spot = f"∂ output{place(entry.output)} / ∂ {claim.wrt}{place(entry.index)}"
    where = f" ({claim.worst_point})" if claim.worst_point else ""
    compared = (
        f"claim {exact(entry.claim)}, estimate {exact(entry.estimate)} ± {number(entry.bound, 2)}, "
        f"tolerance {number(entry.tolerance, 2)}"
    )
    return [*_block("worst", f"{spot}{where}"), *_block("", compared)]


def _block(label: str, text: str) -> list[Line]:
    """Several lines under one label, aligned."""
    return [[(f"    {label if i == 0 else '':<9} ", "quiet"), (row, "")] for i, row in enumerate(_rows(text))]


def _rows(text: str) -> list[str]:
    return clean(text).strip("\n").split("\n")


def explain(result: ComponentResult, verbose: bool = False) -> str:
    """Return the page of one component as plain text.

    >>> print(explain(ComponentResult("Dense", "layers.py:3", "skipped", reason="no sizes")))
    skipped    Dense  layers.py:3
      because no sizes
    """
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines_of(result, verbose))


def claim_text(claim: ClaimResult) -> str:
    """Return what is printed for one claim, as plain text."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in _claim(claim, True)).strip()


def counts(results: Iterable[ComponentResult]) -> dict[Verdict, int]:
    """Return how many components have each verdict, worst first, without the verdicts that none has."""
    from gradcheck.results import ORDER

    found = [result.verdict for result in results]
    return {verdict: found.count(verdict) for verdict in ORDER if verdict in found}


def summary(results: Sequence[ComponentResult], seconds: float) -> Line:
    """Return the last line: how many components of each verdict, and how long it took.

    >>> right = ComponentResult("Dense", "", "correct")
    >>> "".join(text for text, _ in summary([right], 0.5))
    '1 correct in 0.5 s'
    """
    segments: list[Segment] = []
    for verdict, amount in counts(results).items():
        segments += [(", " if segments else "", ""), (f"{amount} {verdict}", verdict)]
    return [*(segments or [("nothing checked", "skipped")]), (f" in {seconds:.1f} s", "quiet")]


def clean(text: str) -> str:
    """Make control characters visible: a name or message must not move the cursor or colour the terminal."""
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") else "\ufffd" for c in text)


def one_line(text: str) -> str:
    """The same in one line."""
    return clean(" ".join(text.split()))


class Printer:
    """Prints lines to a stream: in colour through rich if it is installed and the stream is a terminal."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream: TextIO = sys.stdout if stream is None else stream
        self.quiet = quiet
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        coloured = self.live and not os.environ.get("NO_COLOR") and importlib.util.find_spec("rich") is not None
        self._console = _console(self.stream) if coloured else None
        self._status: Any = None
        self._lock = threading.Lock()  # several subjects report their progress at once

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

    def progress(self, text: str) -> None:
        """Show what is being done, on a terminal only, in a line that goes away."""
        if self._console is None or self.quiet:
            return
        with self._lock:
            if self._status is None:
                self._status = self._console.status("")
                self._status.start()
            self._status.update(textwrap.shorten(clean(text), 70, placeholder="…").replace("[", r"\["))

    def done(self) -> None:
        """Take the progress line away."""
        with self._lock:
            if self._status is not None:
                self._status.stop()
            self._status = None


def _console(stream: TextIO) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)
