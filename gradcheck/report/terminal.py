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

from gradcheck.report.rows import counts, headline, reason, tallied
from gradcheck.report.tables import side_by_side
from gradcheck.report.words import count, exact, number, order, place
from gradcheck.results import ClaimResult, ComponentResult, Entry, Note, Taylor, said
from gradcheck.verdicts import PASSING

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
_WIDTH = len("convention")
"""Of the column of verdicts; the longer ones, which are rarer, push their line to the right."""
NOTED = 150
"""Characters of a note, unless everything is wanted."""
_ASCII = str.maketrans({"≥": ">=", "·": "-", "÷": "/", "×": "x", "±": "+-", "→": "->", "–": "-", "−": "-", "∞": "inf",
                        "∂": "d", "…": "...", "ᵀ": "^T", "’": "'", "½": "1/2",
                        "“": '"', "”": '"', "ε": "eps"})  # fmt: skip


def lines_of(result: ComponentResult, verbose: bool = False) -> list[Line]:
    """Return what is printed for one component."""
    head: list[Segment] = [(f"{result.verdict:<{_WIDTH}} ", result.verdict), (one_line(result.name), "name")]
    about_forward = "; ".join(one_line(note.text) for note in result.notes if note.about == "forward")
    if result.verdict in ("correct", "convention"):
        head.append((f"  {count(len(result.claims), 'claim')}, {_power(result.claims)}", "quiet"))
    else:
        where = f"  {result.where}" if result.reach else ""
        head.append((f"{where}  {one_line(result.source)}", "quiet"))
    if about_forward:
        head.append((f"; {about_forward}", "unresolved"))
    lines: list[Line] = [head]
    if result.reason and result.verdict not in ("correct", "convention"):
        lines.append([("  because ", "quiet"), (one_line(result.reason), "")])
    if result.reading and verbose:
        lines.append([("  read as ", "quiet"), (one_line(result.reading), "")])
    for claim, *others in [[claim] for claim in result.claims] if verbose else _alike(result.claims):
        lines += _claim(claim, verbose)
        if others:
            names = ", ".join(one_line(other.name) for other in others)
            lines.append(
                [("  ", ""), (f"{claim.verdict:<{_WIDTH}} ", claim.verdict), (names, "name"), (": the same", "")]
            )
    for item in result.contract:
        if item.verdict == "broken" or (verbose and item.verdict != "noted"):
            style = {"broken": "wrong", "kept": "correct"}.get(item.verdict, "skipped")
            detail = f": {one_line(item.detail)}" if item.detail else ""
            verdict = f"{item.verdict:<{_WIDTH}} "
            lines.append([("  contract  ", "quiet"), (verdict, style), (f"{item.name}{detail}", "")])
    lines += [_note(note, verbose) for note in result.notes if note.about != "forward"]
    for one in result.unjudged:
        lines.append([("  not judged  ", "quiet"), (one_line(one.name), "name"), (f": {one_line(one.reason)}", "")])
    return lines


def _note(note: Note, verbose: bool) -> Line:
    about = "" if note.about == "contract" else f"{note.about}: "
    text = one_line(f"{about}{note.text}")
    return [("  note      ", "quiet"), (text if verbose else shortened(text, NOTED), "quiet")]


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
    verdict = f"{claim.verdict:<{_WIDTH}} "
    head: list[Segment] = [("  ", ""), (verdict, claim.verdict), (one_line(claim.name), "name")]
    if claim.reach is not None:
        head.append((f" {one_line(claim.where)}", "quiet"))
    why = _why(claim)
    lines: list[Line] = [[*head, (f": {one_line(why)}", "")] if why else head]
    if claim.verdict == "correct" and claim.points:
        lines = [[*head, (f"  {_power([claim])}", "quiet")]]
    if verbose and claim.kinks:
        conventions = ", ".join(dict.fromkeys(one_line(kink.convention) for kink in claim.kinks))
        lines += _block("kinks", f"{count(len(claim.kinks), 'entry', 'entries')}, where it takes: {conventions}")
    if verbose and claim.traceback:
        lines += _block("traceback", claim.traceback)
    if verbose and claim.taylor is not None:
        lines += _block("Taylor", _remainders(claim.taylor))
    if claim.verdict != "wrong":
        return lines
    if claim.causes and claim.causes[0].evidence:
        lines += _block("evidence", claim.causes[0].evidence)
    if claim.worst is not None:
        lines += _worst(claim)
    if claim.wrong_count > 1 and claim.wrong:
        lines += _block("entries", _listed(claim))
    if verbose:
        for cause in claim.causes[1:]:
            lines += _block("or else", f"{cause.sentence} ({cause.evidence})" if cause.evidence else cause.sentence)
    if claim.counterexample:
        lines += _block("smallest", claim.counterexample)
    if claim.matrices is not None:
        lines += _block("there", "\n".join(side_by_side(claim.matrices)))
    if claim.test and verbose:
        # Not indented, so that it can be copied into a file as it is.
        lines += [[("    a test to paste:", "quiet")], [], *([(row, "code")] for row in _rows(claim.test)), []]
    return lines


def _remainders(shown: Taylor) -> str:
    """The remainders of Taylor's formula as a table, with their orders, and the slope."""
    rates = ("", *(number(rate) for rate in shown.rates))
    rows = zip(shown.steps, shown.remainders, rates, strict=True)
    table = [f"{number(h):<10}{number(remainder):<12}{rate}".rstrip() for h, remainder, rate in rows]
    return "\n".join([f"{'h':<10}{'remainder':<12}order", *table, order(shown)])


def _why(claim: ClaimResult) -> str:
    """The likely cause of a wrong claim, or the reason of any other verdict but "correct"."""
    return "" if claim.verdict == "correct" else reason(claim)


def _alike(claims: Iterable[ClaimResult]) -> list[list[ClaimResult]]:
    """The claims that are not correct, those with the same verdict for the same reason together."""
    groups: dict[tuple[str, ...], list[ClaimResult]] = {}
    for claim in claims:
        if claim.verdict not in ("correct", "skipped"):
            key = (claim.verdict, claim.where, _why(claim)) if _why(claim) else (claim.name,)
            groups.setdefault(key, []).append(claim)
    return list(groups.values())


def _worst(claim: ClaimResult) -> list[Line]:
    entry = claim.worst
    assert entry is not None
    where = f" ({claim.worst_point})" if claim.worst_point else ""
    compared = (
        f"claim {exact(entry.claim)}, estimate {exact(entry.estimate)} ± {number(entry.bound, 2)}, "
        f"tolerance {number(entry.tolerance, 2)}"
    )
    return [*_block("worst", f"{_spot(entry, claim.wrt)}{where}"), *_block("", compared)]


def _spot(entry: Entry, wrt: str) -> str:
    return f"∂ output{place(entry.output)} / ∂ {wrt}{place(entry.index)}"


def _listed(claim: ClaimResult) -> str:
    """The places of the wrong entries, a dozen at most."""
    several = len({entry.output for entry in claim.wrong}) > 1 or any(entry.output for entry in claim.wrong)
    spots = [
        f"{place(entry.output) or '[]'}/{place(entry.index) or '[]'}" if several else place(entry.index) or "[]"
        for entry in claim.wrong
    ]
    more = claim.wrong_count - len(claim.wrong)
    what = "output/variable " if several else ""
    return f"{claim.wrong_count} wrong: {what}{' '.join(spots)}{f' and {more:,} more' if more > 0 else ''}"


def _block(label: str, text: str) -> list[Line]:
    """Several lines under one label, aligned."""
    return [[(f"    {label if i == 0 else '':<9} ", "quiet"), (row, "")] for i, row in enumerate(_rows(text))]


def _rows(text: str) -> list[str]:
    return clean(text).strip("\n").split("\n")


def explain(result: ComponentResult, verbose: bool = False) -> str:
    """Return the page of one component as plain text.

    >>> print(explain(ComponentResult("Dense", "layers.py:3", "could not be asked", reason="no sizes")))
    could not be asked Dense  layers.py:3
      because no sizes
    """
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines_of(result, verbose))


def claim_text(claim: ClaimResult) -> str:
    """Return what is printed for one claim, as plain text."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in _claim(claim, True)).strip()


def summary(results: Sequence[ComponentResult], seconds: float) -> list[Line]:
    """Return the last lines: what did not pass, a line each, how many of each verdict, and how long it took.

    >>> right = ComponentResult("Dense", "", "correct")
    >>> ["".join(text for text, _ in line) for line in summary([right], 0.5)]
    ['1 correct in 0.5 s']
    """
    failed = [result for result in results if result.verdict not in (*PASSING, "skipped")]
    lines: list[Line] = []
    if failed and len(results) > 1:
        lines.append([])
        for result in failed:
            word = said(result.verdict, result.reach, result.where)
            why = shortened(one_line(headline(result)), NOTED)
            lines.append(
                [(f"{word} ", result.verdict), (one_line(result.name), "name"), (f": {why}" if why else "", "")]
            )
    segments: list[Segment] = []
    for verdict, amount in counts(results).items():
        segments += [(", " if segments else "", ""), (tallied(verdict, amount), verdict)]
    return [*lines, [*(segments or [("nothing checked", "skipped")]), (f" in {seconds:.1f} s", "quiet")]]


def shortened(text: str, longest: int) -> str:
    """Return a text with its end left out where it is too long."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


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
