"""The one figure style: a sheet that every picture is drawn on, and that becomes an SVG inside a page.

Matplotlib draws with the stand-in colours below; `Sheet.svg` turns them into the page's own CSS
variables, so that one picture is right in light, dark and print. Everything that moves from run to run
(dates, random ids, the user's own matplotlibrc) is fixed or left out, and text stays text.

One sheet serves a whole report, and draws its own few tick labels: Matplotlib's axes and ticks take
25 ms to make and to draw, and a report has hundreds of pictures.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Stand-ins, and the variables of style.css that take their places.
INK, FAINT, LINE, ACCENT, GOOD, BAD = (f"#0{i}0{i}0{i}" for i in range(1, 7))
_VARIABLES = {INK: "ink", FAINT: "faint", LINE: "line", ACCENT: "accent", GOOD: "good", BAD: "bad"}

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "text.parse_math": False,
    "font.size": 8.5,
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
WIDTH = 3.6
"""Inches, as wide as a phone: a picture is never scaled down, so its text is never too small to read."""


class Sheet:
    """A blank figure with one pair of axes, in the report's style: `with Sheet.open() as sheet: …`."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH, 2.3))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_autoscale_on(False)
        self._unit = (1.0, 1.0)

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[Sheet]:
        """Draw in the report's style, whatever the user's matplotlibrc says."""
        with matplotlib.rc_context(), warnings.catch_warnings():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_STYLE)
            # The browser brings the letters: it does not matter which of them Matplotlib's own font has.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            yield cls()

    def blank(
        self,
        tall: float,
        x: tuple[float, float],
        y: tuple[float, float],
        margins: tuple[float, float, float, float] = (0.56, 0.44, 0.06, 0.07),
        wide: float = WIDTH,
    ) -> None:
        """Wipe the sheet: `tall` inches high, axes over `x` and `y`, margins left, below, right, above."""
        for artist in [*self.axes.lines, *self.axes.texts, *self.axes.images]:
            artist.remove()
        left, below, right, above = margins
        width, height = wide - left - right, tall - below - above
        self.figure.set_size_inches(wide, tall)
        self.axes.set_position((left / wide, below / tall, width / wide, height / tall))
        self.axes.set_xlim(*x)
        self.axes.set_ylim(*y)
        self._unit = ((x[1] - x[0]) / (72 * width), (y[1] - y[0]) / (72 * height))

    def line(self, x: Sequence[float], y: Sequence[float], colour: str, **how: Any) -> None:
        """Draw a line, or markers with `linestyle="none"`."""
        self.axes.add_line(Line2D(x, y, color=colour, **how))

    def write(self, text: str, x: float, y: float, shift: tuple[float, float] = (0, 0), **how: Any) -> None:
        """Write at a place of the axes, moved by so many points."""
        self.axes.text(x + shift[0] * self._unit[0], y + shift[1] * self._unit[1], text, **how)

    def x_axis(self, ticks: Iterable[tuple[float, str]], title: str, grid: bool = True) -> None:
        """Draw the axis below, with its ticks' labels."""
        (left, right), (low, high) = self.axes.get_xlim(), self.axes.get_ylim()
        ticks = list(ticks)
        if grid:
            self._grid([t for t, _ in ticks for _ in range(3)], [low, high, math.nan] * len(ticks))
        for t, label in ticks:
            self.write(label, t, low, (0, -4), ha="center", va="top", color=FAINT)
        self.line([left, right], [low, low], LINE, linewidth=1, clip_on=False)
        self.write(title, (left + right) / 2, low, (0, -17), ha="center", va="top", color=FAINT)

    def y_axis(self, ticks: Iterable[tuple[float, str]], title: str, grid: bool = True) -> None:
        """Draw the axis on the left, with its ticks' labels."""
        (left, right), (low, high) = self.axes.get_xlim(), self.axes.get_ylim()
        ticks = list(ticks)
        if grid:
            self._grid([left, right, math.nan] * len(ticks), [t for t, _ in ticks for _ in range(3)])
        for t, label in ticks:
            self.write(label, left, t, (-4, 0), ha="right", va="center_baseline", color=FAINT)
        self.line([left, left], [low, high], LINE, linewidth=1, clip_on=False)
        self.write(title, left, (low + high) / 2, (-38, 0), ha="left", va="center", rotation=90, color=FAINT)

    def svg(self, salt: str) -> str:
        """Return what was drawn as an `<svg>` that can stand inside a page, `salt` making its ids unique there."""
        target = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": salt}):
            self.figure.savefig(target, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        svg = target.getvalue()
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r'(<svg) [^>]*?(viewBox="[^"]*")[^>]*>', r'\1 \2 aria-hidden="true">', svg, count=1)
        svg = re.sub(r"<style.*?</style>", "", svg, count=1, flags=re.DOTALL)
        svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)
        svg = re.sub(r"font(-family)?: [^;\"]*?'DejaVu Sans'[^;\"]*;?", _font, svg)
        svg = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", svg)
        svg = svg.replace("xlink:href", "href")
        for stand_in, variable in _VARIABLES.items():
            svg = svg.replace(stand_in, f"var(--{variable})")
        return re.sub(r"\s*\n\s*", "\n", svg)

    def _grid(self, x: list[float], y: list[float]) -> None:
        self.line(x, y, LINE, linewidth=0.5, alpha=0.6, zorder=0)


def decades(low: float, high: float) -> list[tuple[float, str]]:
    """Return about five powers of ten between two base-10 logarithms, with their labels.

    >>> decades(-6, 0.5)
    [(-6, '1e-6'), (-4, '1e-4'), (-2, '1e-2'), (0, '1')]
    """
    step = max(1, math.ceil((high - low) / 5.5))
    powers = [t for t in range(math.ceil(low), math.floor(high) + 1) if t % step == 0]
    return [(t, "1" if t == 0 else f"1e{t}") for t in powers]


def steps(low: float, high: float) -> list[tuple[float, str]]:
    """Return about five round numbers between two numbers, with their labels.

    >>> steps(0, 1)
    [(0.0, '0'), (0.2, '0.2'), (0.4, '0.4'), (0.6, '0.6'), (0.8, '0.8'), (1.0, '1')]
    """
    raw = (high - low) / 5 or 1.0
    scale = 10.0 ** math.floor(math.log10(raw))
    step = scale * next(m for m in (1, 2, 5, 10) if m * scale >= raw * 0.999)
    values = [round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return [(value, f"{value:.4g}") for value in values]


def _font(found: re.Match[str]) -> str:
    size = re.search(r"([\d.]+px)", found[0])
    return f"font-size: {size[1]};" if size else ""
