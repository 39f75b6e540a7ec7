"""What is printed: a line for what is right, a page for what is wrong, and a short summary.

Everything here is lines of styled text, which are data; `gradcheck.report.printer` paints them. `explain` is such a
page as text.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from gradcheck.errors import UsageError, cut
from gradcheck.report import branches, visited
from gradcheck.report.counted import counts, reached, tallied
from gradcheck.report.printer import Line, Segment
from gradcheck.report.proof import basis, losses, unproved
from gradcheck.report.rows import first_wrong, headline, places, reason, spot
from gradcheck.report.tables import WIDE, side_by_side
from gradcheck.report.words import clean, count, exact, number, one_line, order, shortened
from gradcheck.results import ClaimResult, ComponentResult, ContractResult, Coverage, Entry, Note, Repair, Taylor, said
from gradcheck.verdicts import FAILING, ORDER, rank

_WIDTH = len("convention")
"""Of the column of verdicts; the longer ones, which are rarer, push their line to the right."""
NOTED, EXAMPLE, SUMMED = 150, 240, 110
"""Characters of a note, of a line of an example and of a line of the summary, unless everything is wanted."""
WHOLE = 20_000
"""The same where everything is wanted: an example has at most a few hundred numbers."""
COLUMNS = (20, 36, 28)
"""Characters of the columns of the summary."""
MORE = "-v prints a test to paste, every claim, and tracebacks"


def lines_of(result: ComponentResult, verbose: bool = False) -> list[Line]:
    """Return what is printed for one component."""
    head: list[Segment] = [(f"{result.verdict:<{_WIDTH}} ", result.verdict), (one_line(result.name), "name")]
    about_forward = "; ".join(one_line(note.text) for note in result.notes if note.about == "forward")
    if result.verdict in ("correct", "convention"):
        beside = visited.beside(result.coverage.variants)
        head.append((f"  {count(len(result.claims), 'claim')}, {_power(result.claims)}{beside}", "quiet"))
    else:
        head += [(f"  {one_line(result.where)}", result.verdict)] if result.reach else []
        head.append((f"  {one_line(result.source)}", "quiet"))
    if about_forward:
        head.append((f"; {about_forward}", "unresolved"))
    lines: list[Line] = [head]
    if result.reason and result.verdict not in ("correct", "convention"):
        # What is wrong is so for its own reasons, and what was not asked then is beside them.
        label = "  note      " if result.verdict == "wrong" else "  because "
        lines.append([(label, "quiet"), (one_line(result.reason), "")])
    if result.reading and verbose:
        lines.append([("  read as ", "quiet"), (one_line(result.reading), "")])
    for claim, *others in [[claim] for claim in result.claims] if verbose else _alike(result.claims):
        lines += _claim(claim, verbose)
        if others:
            names = ", ".join(one_line(other.name) for other in others)
            lines.append(
                [("  ", ""), (f"{claim.verdict:<{_WIDTH}} ", claim.verdict), (names, "name"), (": the same", "")]
            )
    lines += _exactly(result.claims, verbose)
    lines += _contract(result.contract, "broken")
    lines += [_note(note, verbose) for note in result.notes if note.about != "forward"]
    for one in result.unjudged:
        lines.append([("  not judged  ", "quiet"), (one_line(one.name), "name"), (f": {one_line(one.reason)}", "")])
    if verbose:
        lines += [*visited.lines_of(result.coverage.variants, _WIDTH), *_branches(result.coverage)]
    return lines + _contract(result.contract, "not tried") + _contract(result.contract, "kept") if verbose else lines


def _exactly(claims: Sequence[ClaimResult], verbose: bool) -> list[Line]:
    """Where digits are lost, and why claims were only measured: a line for each reason."""
    said = [("digits", *one) for one in losses(claims).items()] + [
        ("measured", *one) for one in unproved(claims).items()
    ]
    lines: list[Line] = []
    for label, what, names in said:
        about = names[0] if len(names) == 1 else count(len(names), "claim")
        text = one_line(f"{about}: {what}")
        lines.append([(f"  {label:<9} ", "quiet"), (text if verbose else shortened(text, NOTED), "quiet")])
    return lines


def _branches(coverage: Coverage) -> list[Line]:
    """How many outcomes of decisions were seen, and which never."""
    if not coverage.branches:
        return []
    missing = branches.never(coverage)
    rows = textwrap.wrap(one_line(branches.seen(coverage) + (f"; never: {missing}" if missing else "")), WIDE)
    return [[("  branches  " if i == 0 else " " * 12, "quiet"), (row, "")] for i, row in enumerate(rows)]


def _contract(items: Iterable[ContractResult], verdict: str) -> list[Line]:
    """The items of a contract with one verdict, those with the same detail together."""
    groups: dict[str, list[str]] = {}
    for item in items:
        if item.verdict == verdict:
            groups.setdefault(item.detail, []).append(item.name)
    style = {"broken": "wrong", "kept": "correct"}.get(verdict, "skipped")
    lines: list[Line] = []
    for detail, names in groups.items():
        text = one_line(f"{'; '.join(names)}{f': {detail}' if detail else ''}")
        for i, row in enumerate(textwrap.wrap(text, WIDE) or [""]):
            head = ("  contract  ", f"{verdict:<{_WIDTH}} ") if i == 0 else ("            ", " " * (_WIDTH + 1))
            lines.append([(head[0], "quiet"), (head[1], style), (row, "")])
    return lines


def _note(note: Note, verbose: bool) -> Line:
    about = "" if note.about in ("contract", "variants") else f"{note.about}: "
    text = one_line(f"{about}{note.text}")
    return [("  note      ", "quiet"), (text if verbose else shortened(text, NOTED), "quiet")]


def _power(claims: Sequence[ClaimResult]) -> str:
    """At how many points claims were checked, and how small an error would have been found."""
    points = len({at.point for claim in claims for at in claim.points})
    ratios = [at.ratio for claim in claims for at in claim.points if at.verdict == "correct"]
    found = [claim.resolution for claim in claims if claim.resolution == claim.resolution]
    text = f"{count(points, 'point')}, {basis(claims)}"
    if ratios:
        text += f", worst error {number(max(ratios), 2)} of tolerance"
    return text + (f", would catch ≥ {number(max(found), 2)}" if found else "")


def _claim(claim: ClaimResult, verbose: bool) -> list[Line]:
    """One claim: its verdict and cause in a line, and below it the evidence where it is wrong."""
    head: list[Segment] = [("  ", ""), (f"{claim.verdict:<{_WIDTH}} ", claim.verdict), (one_line(claim.name), "name")]
    if claim.reach is not None:
        head.append((f" {one_line(claim.where or claim.reach)}", claim.verdict))
    if claim.source and claim.verdict in FAILING:
        head.append((f" ({one_line(claim.source)})", "quiet"))
    if claim.verdict == "wrong" and claim.basis != "measured":
        head.append((", shown exactly", "quiet"))
    if claim.verdict == "correct":
        lines: list[Line] = [[*head, (f"  {_power([claim])}", "quiet")] if claim.points else head]
    else:
        lines = [[*head, (f": {one_line(reason(claim))}", "")] if reason(claim) else head]
    if verbose and claim.kinks:
        conventions = ", ".join(dict.fromkeys(one_line(kink.convention) for kink in claim.kinks))
        lines += _block("kinks", f"{count(len(claim.kinks), 'entry', 'entries')}, where it takes: {conventions}")
    if verbose and claim.traceback:
        lines += _block("traceback", claim.traceback)
    if verbose and claim.taylor is not None:
        lines += _block("Taylor", _remainders(claim.taylor))
    if claim.verdict == "wrong":
        return lines + _evidence(claim, verbose)
    return lines if claim.repair is None else lines + _repair(claim.repair)


def _evidence(claim: ClaimResult, verbose: bool) -> list[Line]:
    """What speaks for it that a claim is wrong, and where."""
    lines: list[Line] = []
    if claim.causes and claim.causes[0].evidence:
        lines += _block("evidence", one_line(claim.causes[0].evidence))
    for cause in claim.causes[1:] if verbose else ():
        evidence = f" ({cause.evidence})" if cause.evidence else ""
        lines += _block("or else", one_line(cause.sentence + evidence))
    if claim.repair is not None:
        lines += _repair(claim.repair)
    if claim.worst is not None:
        at = f" ({claim.worst_point})" if claim.worst_point else ""
        lines += _block("worst", f"{one_line(spot(claim.worst, claim.wrt) + at)}\n{_compared(claim.worst)}")
    if claim.wrong_count > 1 and claim.wrong:
        lines += _entries(claim, verbose)
    if claim.counterexample:
        lines += _block("smallest", claim.counterexample, WHOLE if verbose else EXAMPLE)
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


def _repair(repair: Repair) -> list[Line]:
    """The change as a diff, what is taken away and what is added in colour."""
    lines = _block("repair", f"one change that makes it right: {one_line(repair.what)}")
    for row in _rows(repair.diff):
        style = {"-": "wrong", "+": "correct"}.get(row[:1], "") if row[:3] not in ("---", "+++") else "quiet"
        lines.append([(" " * 14, ""), (row, style)])
    return lines


def _entries(claim: ClaimResult, verbose: bool) -> list[Line]:
    """The wrong entries of one point, a dozen at most: their places, or a line for each."""
    at = first_wrong(claim)
    amount = f"{claim.wrong_count:,} wrong{f' ({at})' if at else ''}"
    if not verbose:
        # A line may end between two places, not inside of one.
        listed = re.sub(r", (?=[^][]*])| by (?=\[)", _glued, one_line(f"{amount}, {places(claim)}"))
        return _block("entries", textwrap.fill(listed, WIDE).replace("\xa0", " "))
    each = [one_line(f"{spot(entry, claim.wrt)}: {_compared(entry)}") for entry in claim.wrong]
    more = claim.wrong_count - len(each)
    return _block("entries", "\n".join([one_line(amount), *each, *([f"and {more:,} more"] if more > 0 else [])]))


def _glued(found: re.Match[str]) -> str:
    return found[0].replace(" ", "\xa0")


def _alike(claims: Iterable[ClaimResult]) -> list[list[ClaimResult]]:
    """The claims that are not correct, those with the same verdict for the same reason together."""
    groups: dict[tuple[str, ...], list[ClaimResult]] = {}
    for claim in claims:
        if claim.verdict not in ("correct", "skipped"):
            why = claim.causes[0].sentence if claim.causes else reason(claim)
            groups.setdefault((claim.verdict, claim.where, why) if why else (claim.name,), []).append(claim)
    return list(groups.values())


def _compared(entry: Entry) -> str:
    return (
        f"claim {exact(entry.claim)}, measured {exact(entry.estimate)} ± {number(entry.bound, 2)}, "
        f"tolerance {number(entry.tolerance, 2)}"
    )


def _block(label: str, text: str, longest: int = WHOLE) -> list[Line]:
    """Several lines under one label, aligned."""
    rows = [cut(row, longest) for row in _rows(text)]
    return [[(f"    {label if i == 0 else '':<9} ", "quiet"), (row, "")] for i, row in enumerate(rows)]


def _rows(text: str) -> list[str]:
    return clean(text).strip("\n").split("\n")


def summary(
    results: Sequence[ComponentResult], seconds: float, notes: Iterable[str] = (), verbose: bool = False
) -> list[Line]:
    """Return the last lines: what fails, a line each, worst first; `notes`; how many of each verdict, and how long.

    What was seen inside of a component and not judged counts as "not understood".

    >>> right = ComponentResult("Dense", "", "correct")
    >>> ["".join(text for text, _ in line) for line in summary([right], 0.5)]
    ['1 correct in 0.5 s']
    """
    failed = sorted(
        (result for result in results if result.verdict in FAILING), key=lambda one: rank(one.verdict, one.reach)
    )
    lines: list[Line] = []
    if failed and len(results) > 1:
        lines += [[], *_table(failed)]
    if not verbose and any(claim.test or claim.traceback for one in failed for claim in one.claims):
        lines.append([(MORE, "quiet")])
    lines += [[(note, "quiet")] for note in notes]
    last: list[Segment] = []
    found = Counter(counts(results))
    found["not understood"] += sum(len(result.unjudged) for result in results)
    for verdict, amount in sorted((+found).items(), key=lambda one: ORDER.index(one[0])):
        last += [(", " if last else "", ""), (tallied(verdict, amount, reached(results)), verdict)]
    return [*lines, [*(last or [("nothing checked", "skipped")]), (f" in {seconds:.1f} s", "quiet")]]


def _table(failed: Sequence[ComponentResult]) -> list[Line]:
    """A line for each: how far it reaches, what it is, where it stands, and why."""
    table = [
        (one_line(said(one.verdict, one.reach, one.where)), one_line(one.name), one_line(one.source)) for one in failed
    ]
    # What is longer than its column pushes its own line to the right, and no other.
    wide = [min(max(map(len, column)), most) for column, most in zip(zip(*table, strict=True), COLUMNS, strict=True)]
    lines: list[Line] = []
    for one, words in zip(failed, table, strict=True):
        cells = [f"{word:<{w}}  " for word, w in zip(words, wide, strict=True)]
        why = shortened(one_line(headline(one)), SUMMED)
        lines.append([*zip(cells, (one.verdict, "name", "quiet"), strict=True), (why, "")])
    return lines


def text_of(result: ComponentResult, verbose: bool = False) -> str:
    """Return what is printed for one component as text.

    >>> print(text_of(ComponentResult("Dense", "layers.py:3", "could not be asked", reason="no sizes")))
    could not be asked Dense  layers.py:3
      because no sizes
    """
    return _plain(lines_of(result, verbose))


def claim_text(claim: ClaimResult) -> str:
    """Return everything that is printed for one claim as text."""
    return _plain(_claim(claim, True)).strip()


def explain(result: ComponentResult) -> str:
    """Return everything that a result says, in words: what `python -m gradcheck -v` prints about it.

    What is wrong, how far that reaches and where it stands; the likely causes; the wrong entries; claim, measurement
    and difference at the smallest example; a test to paste. `str(result)` is the short form. Raises UsageError for
    anything but the result of a check.

    >>> import numpy as np
    >>> import gradcheck
    >>> result = gradcheck.check(lambda x: (x**2).sum(), np.array([1.0, 3.0]), grad=lambda x: x)
    >>> print(gradcheck.explain(result))
    wrong      ...<lambda>  everywhere  ...
      wrong      grad[x] everywhere (...: 2 × too small: is the 2 of the squared term missing, or a ½ too much?
        ...
        evidence  every entry of the claim is 1/2 × the derivative, within its tolerance
        ...
        smallest  x = np.array([1.0, 3.0])
        there      claim       measured    difference
                   [0]  [1]    [0]  [1]    [0]  [1]
                     1*   3*     2    6     −1*  −3*
        ...
    """
    if not isinstance(result, ComponentResult):
        raise UsageError(f"expected the result of gradcheck.check, but got {type(result).__name__}")
    return text_of(result, verbose=True)


def _plain(lines: Iterable[Line]) -> str:
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)
