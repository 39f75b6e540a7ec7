"""The report in a real Chromium: no complaint, every link, filter and sort, both schemes, phone and desktop, print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.report import store
from tests.gradcheck import chromium
from tests.gradcheck import report_cases as cases
from tests.gradcheck.chromium import Page
from tests.gradcheck.examinations import CONTRAST, SHAPES, STRUCTURE, WIDE

html = pytest.importorskip("gradcheck.report.html", reason="needs the extra `report`")

pytestmark = pytest.mark.skipif(chromium.BINARY is None, reason="no Chromium on this machine")

KINDS = (
    "index", "beras.layers.Dense", "beras.activations.Tanh", "beras.losses.Cancelling", "beras.activations.LeakyReLU",
    "beras.layers.Odd", "beras.layers.Stub", "beras.layers.Mean", "beras.layers.Strange", "tensorflow", "mutation",
    "arena", "training",
)  # fmt: skip

NAMES = """[...document.querySelectorAll('#rows tbody tr')].filter(r => !r.hidden)
  .map(r => r.cells[0].innerText.split('\\n')[0])"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of page and verdict."""
    return cases.full_report(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose components mean harm."""
    folder = tmp_path_factory.mktemp("hostile")
    html.render(folder, [cases.hostile(text) for text in cases.HOSTILE])
    return folder


@pytest.fixture(scope="module")
def one_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests."""
    with chromium.browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(one_page: Page) -> Iterator[Page]:
    """The browser as it was started; whatever a test makes it complain about fails that test."""
    one_page.look(1400)
    one_page.scripts(True)
    one_page.problems.clear()
    one_page.requests.clear()
    yield one_page
    assert one_page.problems == []
    assert [url for url in one_page.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_reads_well(page: Page, report: Path, width: int, scheme: str) -> None:
    for name in KINDS:
        page.look(width, scheme=scheme)
        page.open(report / f"{name}.html")
        page.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.run(CONTRAST) == [], name
        assert page.run(SHAPES) == [], name
        assert page.run(STRUCTURE) == [], name
        assert page.run(WIDE) == [], name
        dark = page.run("getComputedStyle(document.body).backgroundColor") != "rgb(253, 253, 252)"
        assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [840, 1000, 1200, 1400])
def test_what_a_claim_rests_on_has_room_for_its_words(page: Page, report: Path, width: int) -> None:
    page.look(width)
    page.open(report / "beras.layers.Dense.html")
    cells = "[...document.querySelectorAll('.claims td:last-child')].map(cell => cell.getBoundingClientRect())"
    assert page.run(f"Math.min(...{cells}.map(cell => cell.width))") > 100
    beside = "document.querySelector('.beside .picture').getBoundingClientRect()"
    assert page.run(f"{cells}.filter(c => c.right > {beside}.left && c.bottom > {beside}.top).length") == 0


def test_the_examinations_see_what_they_look_for(page: Page, report: Path) -> None:
    def after(change: str, examination: str) -> list[str]:
        page.open(report / "beras.layers.Dense.html")
        page.run(change)
        return page.run(examination)  # type: ignore[no-any-return]

    assert after("document.querySelector('.lead').style.color = '#999'", CONTRAST)
    assert after("document.querySelector('figure svg text').style.fill = '#bbb'", CONTRAST)
    assert after("document.querySelector('figure svg use').style.stroke = 'rgb(240, 240, 240)'", SHAPES)
    assert after("document.querySelector('h2').outerHTML = '<h4>x</h4>'", STRUCTURE)
    assert after("document.querySelector('td').remove()", STRUCTURE)
    assert after("document.querySelector('th').removeAttribute('scope')", STRUCTURE)
    assert after("document.querySelector('[role=img]').removeAttribute('role')", STRUCTURE)
    assert after("document.querySelector('.lead').style.minWidth = '2000px'", WIDE)


@pytest.mark.parametrize("name", KINDS)
def test_every_link_resolves(page: Page, report: Path, name: str) -> None:
    page.open(report / f"{name}.html")
    links = page.run("[...document.links].map(a => a.href)")
    assert links
    for link in links:
        path, _, fragment = link.removeprefix("file://").partition("#")
        assert Path(path).is_file(), link
        if fragment:
            assert page.run(f"!!document.getElementById({fragment!r})"), link


def test_filter_by_mouse_and_keyboard(page: Page, report: Path) -> None:
    page.open(report / "index.html")
    assert len(page.run(NAMES)) == len(cases.everything())
    page.click("#search")
    page.type("LAYERS dense")
    assert page.run(NAMES) == ["beras.layers.Dense"]
    assert page.run("document.getElementById('shown').textContent") == "1 of 8 shown"
    page.run("document.getElementById('search').value = ''")
    page.press("Tab")
    assert page.run("document.activeElement.id") == "verdict"
    page.press("ArrowDown")
    assert page.run(NAMES) == ["beras.activations.Tanh"]
    page.press("ArrowDown")
    assert page.run(NAMES) == ["beras.losses.Cancelling"]
    page.press("Home")
    assert len(page.run(NAMES)) == len(cases.everything())


def test_sort_by_mouse(page: Page, report: Path) -> None:
    page.open(report / "index.html")
    names = sorted(page.run(NAMES))
    page.click("#rows th:first-child button")
    assert page.run(NAMES) == names
    assert page.run("document.querySelector('#rows th').getAttribute('aria-sort')") == "ascending"
    page.click("#rows th:first-child button")
    assert page.run(NAMES) == names[::-1]
    page.click("#rows th:nth-child(5) button")
    by_ratio = page.run(NAMES)
    assert by_ratio[0] == "beras.activations.Tanh"
    assert set(by_ratio[-2:]) == {"beras.layers.Odd", "beras.layers.Strange"}  # nothing was compared
    page.click("#rows th:nth-child(2) button")
    assert page.run(NAMES)[0] == "beras.activations.Tanh"
    page.click("#rows th:nth-child(2) button")
    assert page.run(NAMES)[-1] == "beras.activations.Tanh"


def test_sort_by_keyboard(page: Page, report: Path) -> None:
    page.open(report / "index.html")
    names = sorted(page.run(NAMES))
    page.run("document.getElementById('sort').focus()")
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Component"
    page.press("Enter")
    assert page.run(NAMES) == names
    page.press(" ")
    assert page.run(NAMES) == names[::-1]
    page.press("Tab", shift=True)
    assert page.run("document.activeElement.id") == "sort"
    page.press("Home")
    assert page.run(NAMES)[0] == "beras.activations.Tanh"
    assert page.run("document.querySelectorAll('[aria-sort]:not([aria-sort=none])').length") == 0


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, report: Path) -> None:
    page.open(report / "beras.activations.Tanh.html")
    for _ in range(12):
        page.press("Tab")
        style = page.run("getComputedStyle(document.activeElement).outlineStyle")
        assert page.run("document.activeElement.tagName") in ("A", "SUMMARY", "DIV")
        assert style == "solid"


@pytest.mark.parametrize("name", KINDS)
def test_pages_read_the_same_with_scripts_off(page: Page, report: Path, name: str) -> None:
    text = """[...document.querySelectorAll('main :is(h2, h3, td, th, dt, dd, li, pre, figcaption, summary)')]
      .map(e => e.innerText.trim()).join(' ')"""
    page.open(report / f"{name}.html")
    with_scripts = page.run(text)
    page.scripts(False)
    page.open(report / f"{name}.html")
    assert page.run(text) == with_scripts
    if name == "index":
        assert page.run("document.getElementById('tools').checkVisibility()") is False
        assert page.run("document.querySelectorAll('#rows button').length") == 0
        assert len(page.run(NAMES)) == len(cases.everything())


@pytest.mark.parametrize("name", KINDS)
def test_pages_print(page: Page, report: Path, name: str) -> None:
    page.look(1400, scheme="dark")
    page.open(report / f"{name}.html")
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 5000
    page.send("Emulation.setEmulatedMedia", media="print")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 252)"
    assert page.run("[...document.querySelectorAll('#tools, summary')].some(e => e.checkVisibility())") is False
    page.send("Emulation.setEmulatedMedia", media="")


def test_a_link_to_a_claim_leads_to_it(page: Page, report: Path) -> None:
    page.open(report / "beras.layers.Dense.html")
    page.click("a[href='#claim-4']")
    assert page.run("location.hash") == "#claim-4"
    assert abs(page.run("document.getElementById('claim-4').getBoundingClientRect().top")) < 200


@pytest.mark.parametrize("width", [360, 1400])
def test_hostile_text_runs_nothing_and_breaks_no_layout(page: Page, hostile: Path, width: int) -> None:
    page.look(width)
    for name in ("index.html", *(store.page(text) for text in cases.HOSTILE)):
        page.open(hostile / name)
        assert page.run("document.title") != "taken over"
        assert page.run(WIDE) == [], name
        assert page.run(STRUCTURE) == [], name
        assert page.run("document.images.length") == 0
        assert "49" not in page.run("document.querySelector('h1').innerText")
    shown = "".join(page.run("document.body.innerText").split())
    assert shown


def test_right_to_left_names_do_not_turn_their_surroundings(page: Page, hostile: Path) -> None:
    page.open(hostile / "index.html")
    assert "a\\u202egnp.exe" in page.run(NAMES)
    names = "[...document.querySelectorAll('bdi, code, pre, td, th')]"
    assert page.run(f"{names}.every(e => getComputedStyle(e).unicodeBidi === 'isolate')")
    # The verdict stands to the right of the name in every row, whatever way the name runs.
    order = "[...document.querySelectorAll('#rows tbody tr')].every(r => r.cells[1].offsetLeft > r.cells[0].offsetLeft)"
    assert page.run(order)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_s_frame_shows_the_page_and_its_links_stay_inside(page: Page, tmp_path: Path, scheme: str) -> None:
    notebook = tmp_path / "notebook.html"
    shown = cases.wrong()._repr_html_() + cases.hostile("<script>parent.document.title = 1</script>")._repr_html_()
    notebook.write_text(f"<!doctype html><title>mine</title><p>above</p>{shown}<p>below</p>", encoding="utf-8")
    page.look(1000, scheme=scheme)
    page.open(notebook)
    inside = "document.querySelectorAll('iframe')[{}].contentDocument"
    assert "The sign is flipped." in page.run(f"{inside.format(0)}.querySelector('header').innerText")
    assert "parent.document.title" in page.run(f"{inside.format(1)}.querySelector('h1').innerText")
    assert page.run("document.title") == "mine"
    assert page.run("getComputedStyle(document.querySelector('p')).fontSize") == "16px"
    page.run(f"{inside.format(0)}.querySelector(\"a[href='#claim-1']\").click()")
    assert page.run(f"Math.abs({inside.format(0)}.getElementById('claim-1').getBoundingClientRect().top) < 200")
    assert page.run("location.hash") == ""


def test_the_table_of_folders_reads_well(page: Page, tmp_path: Path) -> None:
    folders = pytest.importorskip("gradcheck.report.folders")
    found = {"ana": cases.everything(), "<b>bob</b>": [cases.plain()], "مرحبا": [cases.hostile("<script>")], "none": []}
    folders.save([folders.folder_of(who, results) for who, results in found.items()], "beras", str(tmp_path))
    folders.paint(str(tmp_path))
    for width in (360, 1400):
        for scheme in ("light", "dark"):
            page.look(width, scheme=scheme)
            page.open(tmp_path / "index.html")
            assert page.run(CONTRAST) == []
            assert page.run(STRUCTURE) == []
            assert page.run(WIDE) == []
    assert "<Macro" not in page.run("document.body.innerText")
    across = "document.querySelector('.across tbody')"
    assert page.run(f"{across}.rows.length") == len(found)
    words = "[...row.cells].map(cell => cell.innerText.trim().split(/\\s+/)[0])"
    cells = page.run(f"[...{across}.rows].map(row => {words})")
    assert {"everywhere"} < {cell for row in cells for cell in row[1:]}
