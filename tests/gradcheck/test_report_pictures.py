"""The pictures show the numbers: what is drawn stands where the data says."""

from __future__ import annotations

import base64
import io
import math
import re
import warnings
from collections.abc import Iterator
from itertools import pairwise

import pytest

from gradcheck.results import Curve, Heat
from tests.gradcheck import report_cases as cases

pictures = pytest.importorskip("gradcheck.report.pictures", reason="needs the extra `report`")
sheets = pytest.importorskip("gradcheck.report.sheet")


@pytest.fixture
def sheet() -> Iterator[object]:
    with sheets.Sheet.open() as blank:
        yield blank


def marks(svg: str, colour: str) -> list[tuple[float, float]]:
    """Where the markers of one colour stand, in the SVG's points (y grows downwards)."""
    found = re.findall(r'<use href="#\w+" x="([\d.]+)" y="([\d.]+)" style="([^"]*)"', svg)
    return [(float(x), float(y)) for x, y, style in found if f"stroke: var(--{colour})" in style]


def test_a_curve_s_points_stand_at_their_logarithms(sheet: object) -> None:
    steps, errors = (1e-2, 1e-4, 1e-6, 1e-8), (1e-3, 1e-7, 1e-9, 1e-6)
    svg = pictures.curve(sheet, Curve("e", steps, errors, 1e-6, 1e-16), "s").svg
    points = sorted(marks(svg, "accent"))
    gaps = [b[0] - a[0] for a, b in pairwise(points)]
    assert gaps == pytest.approx([gaps[0]] * 3, rel=1e-4)
    heights = [y for _, y in points]  # in the order of 1e-8, 1e-6, 1e-4, 1e-2
    decade = (heights[1] - heights[0]) / 3
    assert [(h - heights[0]) / decade for h in heights] == pytest.approx([0, 3, 1, -3], abs=0.01)


def test_an_exact_quotient_stands_below_all_others_and_is_hollow(sheet: object) -> None:
    shown = pictures.curve(sheet, Curve("e", (1e-2, 1e-4, 1e-6), (1e-3, 0.0, 1e-9), 1e-4, 0.0), "s")
    points = sorted(marks(shown.svg, "accent"))
    assert points[1][1] > max(points[0][1], points[2][1])
    assert shown.svg.count('style="fill-opacity: 0; stroke: var(--accent)"') == 1
    assert ">0</text>" in shown.svg
    assert ("1e-4", "0") in [(step.replace("0.0001", "1e-4"), error) for step, error in shown.rows]


def test_a_heat_map_marks_every_entry_beyond_tolerance_at_its_place(sheet: object) -> None:
    ratios = [[0.1] * 6 for _ in range(4)]
    ratios[1][4] = 5.0
    ratios[3][0] = math.inf
    shown = pictures.heat(sheet, Heat("p", tuple(map(tuple, ratios))), "s")
    (low, high) = sorted(marks(shown.svg, "ink"))  # [3][0] stands left of and below [1][4]
    assert low[0] < high[0]
    assert low[1] > high[1]
    assert "2 of 24 beyond it" in shown.alt
    assert shown.rows[1][5] == "5"
    assert shown.rows[3][1] == "∞"


def test_a_heat_map_s_colours_are_its_cells(sheet: object) -> None:
    png = pytest.importorskip("PIL.Image")
    ratios = ((1e-9, 1e-3, 0.9), (7.0, float("nan"), 0.5))
    svg = pictures.heat(sheet, Heat("p", ratios), "s").svg
    images = [png.open(io.BytesIO(base64.b64decode(code))) for code in re.findall(r"base64,([^\"]+)", svg)]
    cells = next(image.convert("RGBA") for image in images if image.size == (3, 2))
    top = [cells.getpixel((x, 0)) for x in range(3)]
    bottom = [cells.getpixel((x, 1)) for x in range(3)]
    light = [sum(pixel[:3]) for pixel in top]
    assert light == sorted(light), "a larger ratio is not lighter"
    assert bottom[0][:3] == (214, 94, 0)
    assert bottom[1][3] == 0, "an entry that was not compared is not left out"


def test_points_beyond_tolerance_stand_right_of_the_line_and_are_filled(sheet: object) -> None:
    points = [("float64", 1e-3), ("float64", 3.0), ("float32", 0.5), ("float32", math.nan), ("float16", 0.0)]
    shown = pictures.spread(sheet, [("claim[x]", points)], "s")
    (line,) = {
        float(x) for x in re.findall(r'd="M ([\d.]+) [\d.]+\nL \1 [\d.]+\n?"[^>]*stroke: var\(--bad\)', shown.svg)
    }
    beyond, within = marks(shown.svg, "bad"), marks(shown.svg, "accent")
    assert [x > line for x, _ in beyond] == [True, True]
    assert [x < line for x, _ in within] == [True, True, True]
    assert shown.rows == (("claim[x]", "5", "0", "0.5", "∞", "2"),)


def test_the_same_picture_is_the_same_bytes_and_another_page_s_ids_are_others(sheet: object) -> None:
    claim = cases.claim()
    assert claim.curve is not None
    one, two = (pictures.curve(sheet, claim.curve, "a").svg for _ in range(2))
    other = pictures.curve(sheet, claim.curve, "b").svg
    assert one == two
    ids = [set(re.findall(r'id="(\w+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_a_user_s_own_style_does_not_reach_the_report() -> None:
    import matplotlib

    claim = cases.claim()
    assert claim.curve is not None
    with sheets.Sheet.open() as sheet:
        before = pictures.curve(sheet, claim.curve, "a").svg
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "text.usetex": True}):
        with sheets.Sheet.open() as sheet:
            after = pictures.curve(sheet, claim.curve, "a").svg
        assert matplotlib.rcParams["font.size"] == 30, "the user's settings are not given back"
    assert after == before


@pytest.mark.parametrize("name", ["$x^$", "مرحبا", "\\frac{", "{", "<text>", "日本"])
def test_any_name_can_be_drawn(sheet: object, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        svg = pictures.spread(sheet, [(name, [("float64", 0.1)])], "s").svg
    assert name.replace("<", "&lt;").replace(">", "&gt;") in svg


def test_training_curves_have_labels_that_do_not_overlap(sheet: object) -> None:
    svg = pictures.lines(
        sheet, [("loss", [1.0, 0.5]), ("val_loss", [1.1, 0.5]), ("third", [1.2, 0.5])], "Loss", "s"
    ).svg
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>(?:loss|val_loss|third)</text>', svg))
    assert len(heights) == 3
    assert min(b - a for a, b in pairwise(heights)) > 6


def test_digits_fall_where_the_data_says_and_boxes_are_told(sheet: object) -> None:
    [claim] = cases.proved().claims
    assert claim.proof is not None
    shown = pictures.digits(sheet, claim.proof.kept, claim.proof.boxes, "x", "s")
    assert shown.header == ("x", "float64")
    assert shown.rows[0] == ("−40", "15")
    assert shown.rows[-1] == ("40", "0")
    assert "undecided in [−0.5, 0.5]" in shown.alt
    assert shown.svg.count("stroke: var(--good)") == 2  # the two intervals on which both are equal
    assert pictures.digits(sheet, (), None, "x", "s") is None
