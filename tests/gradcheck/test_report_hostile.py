"""Other people's text stays text, however long it is; odd numbers and damaged data are painted or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.results import Cause, Curve, Heat
from tests.gradcheck import report_cases as cases
from tests.gradcheck.report_whole import MOST, Read, complaints, words

html = pytest.importorskip("gradcheck.report.html", reason="needs the extra `report`")


@pytest.mark.parametrize("text", cases.HOSTILE)
def test_hostile_text_stays_text(text: str, tmp_path: Path) -> None:
    html.render(tmp_path, [cases.hostile(text), cases.plain()])
    assert complaints(tmp_path) == []
    for path in tmp_path.glob("*.html"):
        page = Read(path)
        assert [tag for tag, _ in page.tags if f" {tag} " not in USUAL.replace("\n", " ")] == []
        assert not [name for _, found in page.tags for name in found if name.startswith("on") or name == "src"]
        assert not set(page.text) & set(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count("<script>") == 1


USUAL = """ html head meta title link style body header main footer nav section article form input label select option
 button script h1 h2 h3 p a ul li dl dt dd div span bdi wbr strong code pre i br figure figcaption details summary
 table caption thead tbody tr th td svg symbol use path g defs text clippath rect image circle """


@pytest.mark.parametrize("unit", ["x", "word ", "<b>&", "\u202e", "مرحبا "])
def test_ten_megabytes_of_repr_become_a_page_below_one(unit: str, tmp_path: Path) -> None:
    long, base = unit * (10_000_000 // len(unit)), cases.hostile(unit)
    claim = replace(base.claims[0], counterexample=long, points=(replace(base.claims[0].points[0], message=long),))
    page = cases.paint(tmp_path, replace(base, name="a.B", reason=long, claims=(claim,)))
    assert len(page.encode()) < 1_000_000
    assert "characters in all)" in page
    assert (tmp_path / "index.html").stat().st_size < MOST["index.html"]
    assert complaints(tmp_path) == []


def test_very_many_claims_points_and_words_still_becomes_a_page_below_one_megabyte(tmp_path: Path) -> None:
    one = cases.claim(points=200)
    wide = Heat("wide", tuple(tuple(0.1 for _ in range(300)) for _ in range(200)))
    long = Cause("x" * 5000, "y" * 50_000, "z" * 50_000)
    claims = (
        *(replace(one, name=f"m[{i}]") for i in range(120)),
        replace(one, name="w[x]", heat=wide, causes=(long,) * 9),
    )
    page = cases.paint(tmp_path, replace(cases.component("a.B"), claims=claims))
    assert len(page.encode()) < 1_000_000
    assert "more claims, none worse than these" in page


@pytest.mark.parametrize(
    "claim",
    [
        replace(cases.claim(), curve=Curve("e", (), (), 0.0, 0.0)),
        replace(cases.claim(), curve=Curve("e", (1e-3, 1e-4), (0.0, 0.0), 1e-3, 0.0)),
        replace(cases.claim(), curve=Curve("e", (1e-3, 1e-4, 0.0), (float("nan"), float("inf"), 1.0), 1.0, 1.0)),
        replace(cases.claim(), heat=Heat("p", ())),
        replace(cases.claim(), heat=Heat("p", ((),))),
        replace(cases.claim(), heat=Heat("p", ((1.0, 2.0), (3.0,)))),
        replace(cases.claim(), heat=Heat("p", ((float("nan"), float("inf")), (0.0, -1.0)))),
        replace(cases.claim(), heat=Heat("p", ((0.0, 0.0),))),
        replace(cases.claim(), points=(cases.at(0, ratio=float("nan")), cases.at(1, ratio=0.0))),
        replace(cases.claim(), points=(replace(cases.at(0), scale=0.0, resolution=float("inf")),)),
        replace(cases.claim(), points=(), worst=None, curve=None, heat=None),
    ],
)
def test_odd_numbers_are_painted(claim: cases.ClaimResult, tmp_path: Path) -> None:
    assert "</html>" in cases.paint(tmp_path, replace(cases.component("a.B"), claims=(claim,)))
    assert complaints(tmp_path) == []


def test_a_large_jacobian_is_shown_by_blocks_that_lose_no_outlier(tmp_path: Path) -> None:
    ratios = [[0.01] * 500 for _ in range(100)]
    ratios[57][333] = 77.0
    heat = Heat("p", tuple(map(tuple, ratios)))
    text = words(cases.paint(tmp_path, replace(cases.component("a.B"), claims=(replace(cases.claim(), heat=heat),))))
    assert "Each cell is the largest of a block of 5 × 21 entries." in text
    assert "the largest finite ratio 77; 1 of 50000 beyond it." in text


@pytest.mark.parametrize("kind", ["mutation", "arena", "training"])
@pytest.mark.parametrize(
    "text", ['{"kind": "KIND", "schema": 0}', '{"kind": "KIND", "schema": 1}', "[", '{"schema": 1}']
)
def test_other_data_that_cannot_be_read_is_refused_in_a_line(kind: str, text: str, tmp_path: Path) -> None:
    html.render(tmp_path, [cases.plain()])
    (tmp_path / "data" / f"{kind}.json").write_text(text.replace("KIND", kind), encoding="utf-8")
    (line,) = html.render(tmp_path)
    assert line.startswith(f"data/{kind}.json was not painted: ")
    assert not (tmp_path / f"{kind}.html").exists()
    assert complaints(tmp_path) == []
