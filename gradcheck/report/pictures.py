"""The pictures of a report: each an SVG, what it shows in a sentence, and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from gradcheck.problem import Array
from gradcheck.report import proof
from gradcheck.report.sheet import ACCENT, BAD, FAINT, GOOD, INK, WIDTH, Sheet, decades, steps
from gradcheck.report.words import count, number, order, text
from gradcheck.results import Boxes, Curve, Heat, Kept, Taylor

MOST_CELLS = 24
"""A heat map has at most this many rows and columns; larger Jacobians are shown by blocks, each its largest."""

# Blue to sand, ordered by lightness too, in mid-tones that stand out from white and from near-black.
_HEAT = LinearSegmentedColormap.from_list("heat", ["#33638d", "#4f8fa8", "#8fb8a0", "#d9c074"])
_OVER = (0.84, 0.37, 0.0, 1.0)
_MARKERS = {"float64": "o", "float32": "^", "float16": "s"}


@dataclass(frozen=True)
class Picture:
    """An SVG, what it shows in a sentence, and the numbers behind it."""

    svg: str
    alt: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def curve(sheet: Sheet, shown: Curve, salt: str) -> Picture | None:
    """Error of a difference quotient against its step (None without two steps that can be drawn).

    The dashed line is what the noise of the function does to a quotient: noise ÷ step. A quotient that
    is exact has no logarithm; it is drawn hollow, at a tick of its own below the others.
    """
    pairs = sorted((s, e) for s, e in zip(shown.steps, shown.errors, strict=False) if s > 0 and math.isfinite(s + e))
    if len(pairs) < 2:
        return None
    x = [math.log10(s) for s, _ in pairs]
    noise, chosen = _log(shown.noise), _log(shown.chosen)
    seen = [(math.log10(s), math.log10(e)) for s, e in pairs if e > 0]
    floor = [] if noise is None else [(x[0], noise - x[0]), (x[-1], noise - x[-1])]
    heights = [y for _, y in (*seen, *floor)] or [0.0]
    margin = 0.1 * (max(heights) - min(heights)) or 1.0
    zeros = [math.log10(s) for s, e in pairs if e == 0]
    zero = min(heights) - 1.5 * margin
    low, high = zero - margin if zeros else min(heights) - margin, max(heights) + margin
    left, right = min(x) - 0.3, max(x) + 0.3
    sheet.blank(2.3, (left, right), (low, high))
    sheet.x_axis(decades(left, right), "step")
    ticks = decades(zero + margin if zeros else low, high)
    sheet.y_axis([(zero, "0"), *ticks] if zeros else ticks, "error")
    if floor:
        sheet.line([p[0] for p in floor], [p[1] for p in floor], FAINT, linewidth=1, linestyle=(0, (4, 3)))
        # Above the line at short steps nothing is drawn: there the error is noise, and below it.
        at = left + 0.2 * (right - left)
        sheet.write("noise ÷ step", at, noise - at if noise is not None else 0.0, (3, 2), ha="left", color=FAINT)
    if chosen is not None:
        sheet.line([chosen, chosen], [low, high], GOOD, linewidth=1.4)
        side = chosen < (left + right) / 2
        where = {"ha": "left" if side else "right", "va": "top", "color": GOOD}
        sheet.write("chosen step", chosen, high, (3 if side else -3, -1), **where)
    if seen:
        sheet.line([p[0] for p in seen], [p[1] for p in seen], ACCENT, linewidth=1.4, marker="o", markersize=2.6)
    sheet.line(zeros, [zero] * len(zeros), ACCENT, linestyle="none", marker="o", markersize=2.6, markerfacecolor="none")
    best = min(pairs, key=lambda pair: pair[1])
    alt = (
        f"Error of the difference quotient of {text(shown.entry, 80)} against its step: {len(pairs)} steps from "
        f"{number(pairs[0][0])} to {number(pairs[-1][0])}; smallest error {number(best[1])} at step "
        f"{number(best[0])}; chosen step {number(shown.chosen)}; noise of the function {number(shown.noise)}."
    )
    rows = tuple((number(s), number(e)) for s, e in reversed(pairs))
    return Picture(sheet.svg(salt), alt, ("Step", "Error"), rows)


def taylor(sheet: Sheet, shown: Taylor, salt: str) -> Picture | None:
    """Remainder of Taylor's formula against its step (None without two remainders that can be drawn).

    Dashed lines through the longest step have the slopes 1 and 2; below the other one is rounding.
    """
    pairs = [(h, r) for h, r in zip(shown.steps, shown.remainders, strict=False) if h > 0 and 0 < r < math.inf]
    if len(pairs) < 2:
        return None
    points = sorted((math.log10(h), math.log10(r)) for h, r in pairs)
    noise = _log(shown.noise)
    (left, _), (right, top) = points[0], points[-1]
    low = min([y for _, y in points] + ([] if noise is None else [noise]))
    low, high = min(low, top - 2 * (right - left)) - 0.4, max(y for _, y in points) + 1.4
    sheet.blank(2.3, (left - 0.3, right + 0.3), (low, high))
    sheet.x_axis(decades(left - 0.3, right + 0.3), "step h")
    sheet.y_axis(decades(low, high), "remainder")
    for slope, name in ((1, "∝ h"), (2, "∝ h²")):
        sheet.line([left, right], [top - slope * (right - left), top], FAINT, linewidth=1, linestyle=(0, (4, 3)))
        sheet.write(name, left, top - slope * (right - left), (4, 8), ha="left", color=FAINT)
    if noise is not None:
        sheet.line([left, right], [noise, noise], FAINT, linewidth=1)
        sheet.write("rounding", right, noise, (0, 3), ha="right", color=FAINT)
    sheet.line([x for x, _ in points], [y for _, y in points], ACCENT, linewidth=1.4, marker="o", markersize=2.6)
    sheet.write(order(shown), left, high, (0, -1), ha="left", va="top", color=INK)
    alt = (
        f"Remainder of Taylor's formula at point {text(shown.point, 80)} against its step: {len(pairs)} steps from "
        f"{number(pairs[-1][0])} to {number(pairs[0][0])}, remainders from {number(pairs[-1][1])} to "
        f"{number(pairs[0][1])}; {order(shown)}; rounding {number(shown.noise)}."
    )
    rates = ("", *(number(rate) for rate in shown.rates))
    rows = tuple((number(h), number(r), q) for h, r, q in zip(shown.steps, shown.remainders, rates, strict=False))
    return Picture(sheet.svg(salt), alt, ("Step", "Remainder", "Order"), rows)


def heat(sheet: Sheet, shown: Heat, salt: str) -> Picture | None:
    """Error ÷ tolerance over the Jacobian (None where it is no matrix, or zero everywhere)."""
    if not shown.ratios or not shown.ratios[0] or len(set(map(len, shown.ratios))) > 1:
        return None
    whole = np.array(shown.ratios, dtype=float)
    if not whole.any():
        return None
    cells, block = _blocks(whole)
    height, width = cells.shape
    over = np.nan_to_num(cells, nan=0.0) > 1
    logs = np.log10(np.clip(np.nan_to_num(cells, nan=1.0), 1e-6, 1.0))
    colours = np.array(_HEAT(logs / 6 + 1))
    colours[over] = _OVER
    colours[np.isnan(cells), 3] = 0.0
    tall = 0.5 + min(2.7, max(0.5, 3.1 * height / width))
    sheet.blank(tall + 0.42, (-0.5, width - 0.5), (height - 0.5, -0.5), (0.56, 0.86, 0.06, 0.06))
    sheet.axes.imshow(colours, interpolation="none", aspect="auto")
    sheet.x_axis(_ordinals(width, block[1]), "entry of the variable", grid=False)
    sheet.y_axis(_ordinals(height, block[0]), "output", grid=False)
    _key(sheet, width, height)
    # A cross as well as a colour: for print, and for eyes that do not see the colour.
    rows_over, columns_over = np.nonzero(over)
    sheet.line(list(columns_over), list(rows_over), INK, linestyle="none", marker="x", markersize=4)
    finite = cells[np.isfinite(cells)]
    largest = number(float(finite.max())) if finite.size else "–"
    found = "all within tolerance" if not over.any() else f"{int((whole > 1).sum())} of {whole.size} beyond it"
    alt = (
        f"Heat map of error ÷ tolerance over the Jacobian at point {text(shown.point, 80)}: {whole.shape[0]} outputs "
        f"by {whole.shape[1]} entries, the largest finite ratio {largest}; {found}."
    )
    header = ("Output", *(str(j * block[1]) for j in range(width)))
    rows = tuple((str(i * block[0]), *(number(float(v), 2) for v in row)) for i, row in enumerate(cells))
    note = "" if block == (1, 1) else f"Each cell is the largest of a block of {block[0]} × {block[1]} entries."
    return Picture(sheet.svg(salt), alt, header, rows, note)


def spread(
    sheet: Sheet, claims: Sequence[tuple[str, Sequence[tuple[str, float]]]], salt: str, left_out: int = 0
) -> Picture | None:
    """Error ÷ tolerance of every point of every claim: `(claim, [(dtype, ratio), …])`, one row per claim.

    `left_out` points, which could not be resolved, are only counted.
    """
    claims = [(name, points) for name, points in claims if points]
    if not claims:
        return None
    every = [ratio for _, points in claims for _, ratio in points]
    low = -6.0
    high = min(6.0, max(1.0, *(_log(r) or 0.0 for r in every)) + 0.7)
    if any(not math.isfinite(r) for r in every):
        high = max(high, 2.0)
    tall = 0.6 + 0.46 * len(claims)
    sheet.blank(tall, (low, high), (-len(claims) + 0.35, 0.75), (0.24, 0.44, 0.12, 0.05))
    sheet.x_axis([(low, "≤ 1e-6"), *decades(low + 1, high)], "error ÷ tolerance")
    for row in range(len(claims)):
        # Not through the names.
        sheet.line([0, 0], [0.05 - row, -0.65 - row if row == len(claims) - 1 else -0.45 - row], BAD, linewidth=1.2)
    sheet.write("tolerance", 0, -len(claims) + 0.35, (-3, 3), ha="right", color=BAD)
    for row, (name, points) in enumerate(claims):
        y = -float(row)
        shown = text(name, 60)
        sheet.write(shown if len(shown) <= 44 else f"{shown[:43]}…", low, y, (2, 7), fontsize=8)
        groups: dict[tuple[str, bool], list[tuple[float, float]]] = {}
        for i, (dtype, ratio) in enumerate(points):
            log = _log(ratio)
            x = (low if ratio == 0 else high) if log is None else min(max(log, low), high)
            # A fixed, even scatter: points that fall together stay visible, and every run draws the same.
            groups.setdefault((dtype, not ratio <= 1), []).append((x, y - 0.1 - 0.24 * ((i * 0.618) % 1)))
        for (dtype, beyond), xy in sorted(groups.items()):
            colour = BAD if beyond else ACCENT
            xs, ys = zip(*xy, strict=True)
            sheet.line(xs, ys, colour, linestyle="none", marker=_MARKERS.get(dtype, "D"), markersize=3.2,
                       markeredgewidth=0.7, markerfacecolor=colour if beyond else "none", clip_on=False)  # fmt: skip
    amount = sum(not ratio <= 1 for ratio in every)
    alt = f"Error ÷ tolerance of {len(every)} points, one row per claim: {amount} beyond the tolerance, which is at 1."
    header = ("Claim", "Points", "Smallest", "Median", "Largest", "Beyond")
    note = "○ float64, △ float32, □ float16; filled where beyond the tolerance."
    if left_out:
        note += f" Left out: {count(left_out, 'point')} that could not be resolved."
    return Picture(sheet.svg(salt), alt, header, tuple(_summary(name, points) for name, points in claims), note)


def digits(sheet: Sheet, shown: Sequence[Kept], boxes: Boxes | None, wrt: str, salt: str) -> Picture | None:
    """How many digits of the derivative a claim keeps by x; below, where the two are the same, and where not."""
    shown = [one for one in shown if one.x]
    if not shown:
        return None
    low, high = min(min(one.x) for one in shown), max(max(one.x) for one in shown)
    if boxes is not None:
        low, high = min(low, boxes.low), max(high, boxes.high)
    most = max(max(one.digits) for one in shown)
    margin = 0.02 * (high - low) or 1.0
    sheet.blank(2.3, (low - margin, high + margin), (-2.2, max(most, 6.0) + 1.2))
    sheet.x_axis(steps(low, high), text(wrt, 40))
    sheet.y_axis([(t, name) for t, name in steps(0, max(most, 6.0)) if t == int(t)], "digits kept")
    for i, one in enumerate(shown):
        colour = (ACCENT, GOOD)[i % 2]
        sheet.line(list(one.x), list(one.digits), colour, linewidth=1.4, linestyle=("-", (0, (4, 2)))[i % 2])
        at = one.digits[len(one.digits) // 4]
        sheet.write(text(one.dtype, 20), one.x[len(one.x) // 4], at, (0, 2), ha="center", va="bottom", color=colour)
    alt = "; ".join(
        f"{text(one.dtype, 20)}: {number(min(one.digits), 2)} to {number(max(one.digits), 2)} of its digits kept"
        for one in shown
    )
    if boxes is not None:
        for some, colour in ((boxes.equal, GOOD), (boxes.different, BAD), (boxes.undecided, FAINT)):
            for left, right in some:
                sheet.line([left, right], [-1.3, -1.3], colour, linewidth=4, solid_capstyle="butt")
    rows = tuple(
        (number(x), *(number(dict(zip(one.x, one.digits, strict=True)).get(x, math.nan)) for one in shown))
        for x in shown[0].x
    )
    header = (text(wrt, 40), *(text(one.dtype, 20) for one in shown))
    said = proof.between(boxes) if boxes is not None else ""
    return Picture(sheet.svg(salt), f"{alt}. {said}".strip(), header, rows, said)


def lines(sheet: Sheet, series: Sequence[tuple[str, Sequence[float]]], label: str, salt: str) -> Picture | None:
    """Several numbers over epochs (training curves)."""
    series = [(name, values) for name, values in series if values]
    every = [v for _, values in series for v in values if math.isfinite(v)]
    if not every:
        return None
    longest = max(len(values) for _, values in series)
    low, high = min(every), max(every)
    margin = 0.06 * (high - low) or 0.5
    sheet.blank(2.3, (0.5, longest + 0.5), (low - margin, high + margin), (0.56, 0.44, 0.85, 0.07))
    sheet.x_axis([(t, name) for t, name in steps(1, longest) if t == int(t) and t >= 1], "epoch")
    sheet.y_axis(steps(low, high), label)
    ends = _apart([values[-1] for _, values in series], 0.08 * (high - low + 2 * margin))
    dashes = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
    for i, (name, values) in enumerate(series):
        colour = (ACCENT, GOOD, BAD, FAINT)[i % 4]
        epochs = [float(epoch) for epoch in range(1, len(values) + 1)]
        sheet.line(epochs, list(values), colour, linestyle=dashes[i % 4], linewidth=1.5, marker="o", markersize=2.4)
        sheet.write(text(name, 15), longest + 0.5, ends[i], (2, 0), ha="left", va="center_baseline", color=colour)
    course = "; ".join(f"{text(name, 40)} from {number(v[0])} to {number(v[-1])}" for name, v in series)
    rows = tuple((str(i + 1), *(number(v[i], 4) if i < len(v) else "–" for _, v in series)) for i in range(longest))
    return Picture(sheet.svg(salt), f"{label} over {longest} epochs: {course}.", ("Epoch", *dict(series)), rows)


def digit(sheet: Sheet, pixels: Sequence[Sequence[float]], alt: str, salt: str) -> Picture:
    """A picture in grey (an MNIST digit), dark on light."""
    values = np.array(pixels, dtype=float)
    top = values.max() if values.size and values.max() > 0 else 1.0
    rows, columns = values.shape
    sheet.blank(0.9, (-0.5, columns - 0.5), (rows - 0.5, -0.5), (0, 0, 0, 0), wide=0.9)
    sheet.axes.imshow(np.repeat(1 - (values / top)[:, :, None], 3, axis=2), interpolation="none", aspect="auto")
    return Picture(sheet.svg(salt), alt, (), ())


def _key(sheet: Sheet, width: int, height: int) -> None:
    """Draw what the colours of a heat map mean, below it."""
    inch_x, inch_y = width / (WIDTH - 0.62), height / (sheet.figure.get_figheight() - 0.92)
    top = height - 0.5 + 0.56 * inch_y
    bottom, end = top + 0.09 * inch_y, width - 0.5 - 1.0 * inch_x
    ramp = sheet.axes.imshow(
        np.array(_HEAT(np.linspace(0, 1, 32)))[None],
        extent=(-0.5, end, bottom, top),
        interpolation="none",
        aspect="auto",
    )
    over = sheet.axes.imshow(
        np.array([[_OVER]]), extent=(end + 0.15 * inch_x, width - 0.5, bottom, top), interpolation="none", aspect="auto"
    )
    ramp.set_clip_on(False)
    over.set_clip_on(False)
    for at, label, side in ((-0.5, "≤ 1e-6", "left"), (end, "1", "right"), (width - 0.5, "beyond ×", "right")):
        sheet.write(label, at, bottom, (0, -3), ha=side, va="top", color=FAINT)
    # imshow sets the axes to its own extent.
    sheet.axes.set_xlim(-0.5, width - 0.5)
    sheet.axes.set_ylim(height - 0.5, -0.5)


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Move labels up until they are so far apart; an end that is no number has its label at the bottom."""
    moved = [place if math.isfinite(place) else 0.0 for place in places]
    for before, after in pairwise(sorted(range(len(moved)), key=lambda i: moved[i])):
        moved[after] = max(moved[after], moved[before] + least)
    return moved


def _log(value: float) -> float | None:
    return math.log10(value) if value > 0 and math.isfinite(value) else None


def _summary(name: str, points: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    ratios = sorted(math.inf if math.isnan(ratio) else ratio for _, ratio in points)
    beyond = sum(ratio > 1 for ratio in ratios)
    ends = (ratios[0], ratios[len(ratios) // 2], ratios[-1])
    return (name, str(len(ratios)), *(number(ratio, 2) for ratio in ends), str(beyond))


def _ordinals(length: int, size: int) -> list[tuple[float, str]]:
    return [(float(t), str(t * size)) for t in range(0, length, max(1, length // 6))]


def _blocks(whole: Array) -> tuple[Array, tuple[int, int]]:
    """Return the largest ratio of each block, as few blocks as `MOST_CELLS` asks for, and a block's size."""
    block = (-(-whole.shape[0] // MOST_CELLS), -(-whole.shape[1] // MOST_CELLS))
    rows, columns = (list(range(0, n, b)) for n, b in zip(whole.shape, block, strict=True))
    # NaN marks an entry that was not compared; a block of nothing else stays one.
    filled = np.where(np.isnan(whole), -np.inf, whole)
    cells = np.maximum.reduceat(np.maximum.reduceat(filled, rows, axis=0), columns, axis=1)
    return np.where(np.isneginf(cells), np.nan, cells), block
