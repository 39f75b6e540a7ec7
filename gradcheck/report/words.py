"""Numbers and text as people read them: two or three significant digits, nothing that can break a page."""

from __future__ import annotations

import math
import re
import unicodedata

from gradcheck.errors import cut
from gradcheck.results import Taylor

_ORDINARY = re.compile(r"[\n\t -~]*")

# A remainder of second order has a slope near 2, one of first order near 1.
FIRST = 1.5

LONGEST = 4000
"""Characters of somebody else's text that a page shows; the rest is in the data."""
LINE = 1000
"""The same for a line on the terminal."""


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, in the shorter of the usual notations.

    >>> number(0.1 + 0.2), number(1.0), number(3.14159e-12), number(float("inf")), number(float("nan"))
    ('0.3', '1', '3.14e-12', '∞', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value or 0.0:.{digits}g}"  # not −0
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def exact(value: float, digits: int = 11) -> str:
    """Return enough digits to tell a claim from its measurement; NaN is a claim like any other.

    >>> exact(1 / 3), exact(math.nan)
    ('0.33333333333', 'NaN')
    """
    return "NaN" if math.isnan(value) else number(value, digits)


def apart(claim: float, measured: float) -> tuple[str, str]:
    """Return two numbers with as few digits as tell them apart, four at least.

    >>> apart(0.5, 1 / 3), apart(2.000002, 2.0)
    (('0.5', '0.3333'), ('2.000002', '2'))
    """
    for digits in range(4, 12):
        texts = exact(claim, digits), exact(measured, digits)
        if texts[0] != texts[1]:
            break
    return texts


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return `amount` with its noun.

    >>> count(1, "claim"), count(1200, "point"), count(0, "class", "classes")
    ('1 claim', '1,200 points', '0 classes')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def order(shown: Taylor) -> str:
    """Return the slope of a Taylor remainder in words.

    >>> order(Taylor("as given", (0.1, 0.05), (0.01, 0.0025), 1e-16, 2.0))
    'slope 2, as where a claim is right'
    """
    if math.isnan(shown.slope):
        return "no slope: the remainder is rounding"
    return f"slope {number(shown.slope)}, as where a claim is {'right' if shown.slope > FIRST else 'wrong'}"


def place(index: tuple[int, ...]) -> str:
    """Return an index as it is written after an array's name; a scalar needs none.

    >>> place((0, 3)), place(())
    ('[0, 3]', '')
    """
    return f"[{', '.join(map(str, index))}]" if index else ""


def clean(text: str) -> str:
    """Make control characters visible: a name or message must not move the cursor or colour the terminal.

    A lone surrogate cannot be written as UTF-8. Letters that run from right to left are text like any other; a
    character that turns its neighbours around is written out.

    >>> clean("a\\0b"), clean("\\ud800"), clean("\\u202egnp.exe")
    ('a␀b', '\\ufffd', '\\\\u202egnp.exe')
    """
    return text if _ORDINARY.fullmatch(text) else "".join(map(_visible, text))


def one_line(text: str, longest: int = LINE) -> str:
    """Return a text in one line, with its middle left out where it is too long.

    >>> one_line("a\\nb"), one_line("0123456789" * 3, 11)
    ('a b', '01234 … 6789')
    """
    return clean(cut(" ".join(text.split()), longest))


def shortened(text: str, longest: int) -> str:
    """Return a text with its end left out where it is too long.

    >>> shortened("0123456789", 6)
    '01234…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def text(value: object, longest: int = LONGEST) -> str:
    """Return somebody else's text, fit for a page: shortened, and its control characters made visible.

    >>> text("a\\0b"), text("x" * 20, longest=8)
    ('a␀b', 'xxxxxxxx … (20 characters in all)')
    """
    whole = str(value)
    shown = clean(whole[:longest])
    return f"{shown} … ({len(whole):,} characters in all)" if len(whole) > longest else shown


def named(name: object, longest: int = 160) -> str:
    """Return a name that can be seen.

    >>> named("Dense"), named(" ")
    ('Dense', '(no name)')
    """
    shown = text(name, longest)
    return shown if shown.strip() else "(no name)"


def _visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return f"\\u{code:04x}"
    if unicodedata.category(character) in ("Cc", "Cs", "Cn"):
        return "\ufffd"
    return character
