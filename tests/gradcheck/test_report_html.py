"""What the report's pages say, and that they stay small and the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.report import store
from gradcheck.results import ComponentResult, Matrices
from gradcheck.verdicts import ORDER, Reach
from tests.gradcheck import report_cases as cases
from tests.gradcheck.report_whole import MOST, Read, complaints, words

html = pytest.importorskip("gradcheck.report.html", reason="needs the extra `report`")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of page and verdict."""
    return cases.full_report(tmp_path_factory.mktemp("report"))


def test_a_report_of_every_kind_is_whole(report: Path) -> None:
    assert complaints(report) == []
    pages = {path.name for path in report.glob("*.html")}
    assert {"tensorflow.html", "mutation.html", "arena.html", "training.html", "index.html"} < pages
    assert len(pages) == 5 + len(cases.everything())


def test_the_index_answers_first_and_lists_failures_first(report: Path) -> None:
    page = Read(report / "index.html")
    assert (
        "<h1>1 of 8 components is wrong everywhere, 1 unresolved, 1 could not be asked, 1 not implemented, "
        "1 seen but not understood.</h1>" in page.text
    )
    assert [row["data-verdict"] for row in page.rows] == [
        "wrong", "unresolved", "could not be asked", "not implemented", "not understood", "convention", "correct",
        "correct",
    ]  # fmt: skip
    text = words(page.text)
    assert (
        "8 components · 18 claims: 1 wrong, 1 unresolved, 1 not implemented, 1 convention, 1 waived, 13 correct · "
        "681 points" in text
    )
    assert "an error above 6.5e-13 of a gradient would have been found (float64)" in text
    assert "gradcheck 0.1.0 · numpy 2.1.0 · seed 0" in text
    assert "python -m gradcheck beras" in text
    assert "The sign is flipped." in text


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ([cases.plain()], "All 1 component correct."),
        ([cases.plain(), cases.plain("a.B")], "All 2 components correct."),
        ([cases.plain(), cases.left_out()], "Everything passes: 1 correct, 1 skipped."),
        ([cases.left_out()], "Nothing was checked: 1 component skipped."),
        ([replace(cases.plain(), verdict="waived"), cases.plain("a.B")], "Everything passes: 1 correct, 1 waived."),
        ([cases.averaged(), cases.plain()], "Everything passes: 1 correct, 1 convention."),
        ([cases.unasked(), cases.plain()], "1 of 2 components could not be asked."),
        ([cases.strange(), cases.plain()], "1 of 2 components is seen but not understood."),
        (
            [cases.wrong(), cases.wrong_at("an edge", "at ties"), cases.wrong_at("an edge", "at 0"), cases.plain()],
            "3 of 4 components are wrong (1 everywhere, 2 at an edge).",
        ),
    ],
)
def test_the_first_line_is_the_answer(results: list[ComponentResult], says: str, tmp_path: Path) -> None:
    html.render(tmp_path, results)
    assert f"<h1>{says}</h1>" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_reaches_farther_stands_higher_whatever_it_is_called(tmp_path: Path) -> None:
    far: list[tuple[Reach, str]] = [
        ("ε", "by 1e-7 of the derivative"), ("an edge", "at 0"), ("whole numbers", "for whole numbers (int64)"),
        ("a dtype", "in float32"), ("some shapes", "for three axes"), ("a branch", "where x is above 6"),
        ("everywhere", "everywhere"),
    ]  # fmt: skip
    html.render(tmp_path, [cases.wrong_at(*one) for one in far] + [cases.unresolved()])
    page = Read(tmp_path / "index.html")
    names = re.findall(r'<th scope="row" role="rowheader"[^>]*><a [^>]*><bdi>(.*?)</bdi>', page.text)
    assert names == [
        *(f"far.{where}" for _, where in reversed(far)), "beras.losses.Cancelling",
    ]  # fmt: skip
    for _, where in far:
        assert f'<span class="reach">{where}</span>' in page.text


def test_an_empty_report_says_so(tmp_path: Path) -> None:
    html.render(tmp_path)
    assert "Nothing has been checked yet." in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_page_says_what_is_wrong_before_what_is_right(report: Path) -> None:
    page = (report / "beras.activations.Tanh.html").read_text(encoding="utf-8")
    order = [
        'href="#claim-1"', "everywhere", "Run it again", "beras/activations.py:77", "The sign is flipped.",
        "−1 × the claim is within tolerance at all 41 points.", "Worst entry", "−0.41997434161",
        "Smallest counterexample", "Difference", "−0.84", "40 entries wrong", ": the first 12", "Where it raised",
        "in backward", "A test to paste", "def test_tanh_derivative_at_one", "Largest error, and its",
        "Error against step size", "Agreement with TensorFlow", 'id="contract"',
    ]  # fmt: skip
    after = 0
    for part in order:
        after = page.index(part, after)
    head = words(page).partition("Run it again")[0]
    assert "wrong get_input_gradients[x] everywhere : The sign is flipped." in head
    assert "broken upstream unchanged : compose_input_gradients changed the upstream gradient in place" in head


def test_matrices_mark_what_is_wrong_and_tell_it_from_what_was_measured(report: Path) -> None:
    page = (report / "beras.activations.Tanh.html").read_text(encoding="utf-8")
    claim, measured, difference = re.findall(r'<table class="numbers matrix">.*?</table>', page, flags=re.DOTALL)
    assert re.findall(r'class="beyond">([^<]*)<', claim) == ["−0.42", "2.000002"]
    assert re.findall(r'class="beyond">([^<]*)<', difference) == ["−0.84", "2e-6"]
    assert "beyond" not in measured
    assert words("<body" + measured).endswith("[0] 0.42 0 0 [1] 0 1 2")
    assert claim.count('<span class="unseen"> wrong</span>') == 2  # for who hears the page
    assert "5 columns not shown" in page
    wrong = page[page.index("40 entries wrong") :]
    assert wrong[: wrong.index("</table>")].count("<tr>") == 1 + 12


def test_a_large_example_is_cut_to_what_is_wrong(tmp_path: Path) -> None:
    size = 12
    wrong = tuple(tuple(i == j == 7 for j in range(size)) for i in range(size))
    ones = tuple(tuple(1.0 + 9 * w for w in row) for row in wrong)
    zeros = tuple((1.0,) * size for _ in range(size))
    labels = tuple(f"[{i}]" for i in range(size))
    shown = Matrices(labels, labels, ones, zeros, tuple(tuple(9.0 * w for w in row) for row in wrong), wrong, (88, 0))
    bad = replace(cases.claim(verdict="wrong"), counterexample="x = …", matrices=shown)
    page = cases.paint(tmp_path, replace(cases.component("a.B"), verdict="wrong", claims=(bad,)))
    claim = re.findall(r'<table class="numbers matrix">.*?</table>', page, flags=re.DOTALL)[0]
    assert words("<body" + claim) == "Claim Entry [0] [1] [7] [0] 1 1 1 [1] 1 1 1 [7] 1 1 10 wrong"
    assert "97 rows and 9 columns not shown" in page


def test_notes_and_what_was_not_judged_are_listed(report: Path) -> None:
    text = words((report / "beras.layers.Mean.html").read_text(encoding="utf-8"))
    assert "convention 2 claims checked at 80 points: 1 convention, 1 correct." in text
    assert "Read as forward(x), then get_weight_gradients()" in text
    assert "note forward is NaN at ±1000" in text
    assert "note get_weight_gradients[w] for whole numbers (int64) it is truncated" in text
    assert text.count("overflow in exp (beras/layers.py, line 9)") == 1
    assert "not judged get_bias_gradients its weight was not found" in text
    head = text.partition("Read as")[0]
    assert "convention get_weight_gradients[w] : averaged over the batch throughout" in head
    dense = (report / "beras.layers.Dense.html").read_text(encoding="utf-8")
    assert 'id="notes"' not in dense
    assert 'class="troubles"' not in dense


def test_every_verdict_has_a_shape_of_its_own_beside_its_colour(report: Path) -> None:
    page = (report / "index.html").read_text(encoding="utf-8")
    shapes = dict(re.findall(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', page))
    css = (Path(html.HERE) / "static" / "style.css").read_text(encoding="utf-8")
    for verdict in [*ORDER, "note"]:
        kind = verdict.replace(" ", "-")
        assert f".{kind}" in css
        assert kind in shapes
    assert len(set(shapes.values())) == len(shapes) == len(ORDER) + 1
    legend = page[page.index('id="legend"') :]
    assert [verdict for verdict in ORDER if f"</svg>{verdict}</span>" not in legend] == []


def test_the_column_of_tensorflow_is_there_only_where_it_was_compared(report: Path, tmp_path: Path) -> None:
    html.render(tmp_path, [cases.plain()])
    assert "TensorFlow" not in words((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "TensorFlow" in words((report / "index.html").read_text(encoding="utf-8"))


def test_kinks_show_both_sides_and_the_claim(report: Path) -> None:
    text = words((report / "beras.activations.LeakyReLU.html").read_text(encoding="utf-8"))
    assert "zeros [0, 0] 0.3 0.3 1 left" in text
    assert "10 more kinks in data/beras.activations.LeakyReLU.json" in text


def test_reasons_of_unresolved_waived_missing_and_skipped_are_shown(report: Path) -> None:
    said = {path.stem: words(path.read_text(encoding="utf-8")) for path in report.glob("beras.*.html")}
    assert "tolerance is 3e-4 of the scale, above 1e-6" in said["beras.losses.Cancelling"]
    assert "Left out: 40 points that could not be resolved." in said["beras.losses.Cancelling"]
    assert "straight-through estimator" in said["beras.layers.Stub"]
    assert "returns None" in said["beras.layers.Stub"]
    assert "say --init depth=2" in said["beras.layers.Odd"]


def test_tensorflow_is_on_the_index_on_its_page_and_on_the_component_s(report: Path) -> None:
    index = words((report / "index.html").read_text(encoding="utf-8"))
    assert "agrees 0.13" in index
    assert "differs 1.1" in index
    page = words((report / "tensorflow.html").read_text(encoding="utf-8"))
    assert "1 of 3 comparisons differ by more than their tolerance." in page
    assert "p is clipped already" in page
    assert "tensorflow-cpu 2.21.0" in page
    assert "backward[w]" in words((report / "beras.layers.Dense.html").read_text(encoding="utf-8"))


def test_mutation_arena_and_training_pages_give_their_numbers(report: Path) -> None:
    said = {kind: words((report / f"{kind}.html").read_text(encoding="utf-8")) for kind in store.KINDS}
    assert "Mutation score: 99.81 %" in said["mutation"]
    assert "520 were called wrong, 1 went unnoticed; 1 changed nothing" in said["mutation"]
    assert "jax check_grads 0.7 3 of 4" in said["arena"]
    assert "Training: 97.84 % right" in said["training"]
    assert "9 , is 8" in said["training"]


def test_every_picture_has_a_sentence_and_its_numbers(report: Path) -> None:
    for path in report.glob("*.html"):
        page = Read(path)
        pictures = [found for tag, found in page.tags if tag == "div" and found.get("role") == "img"]
        figures = [tag for tag, found in page.tags if tag == "figure"]
        assert all(len(picture["aria-label"]) > 10 for picture in pictures), path.name
        assert page.text.count("</figure>") == len(figures)
        for figure in page.text.split("<figure")[1:]:
            inside = figure.split("</figure>")[0]
            assert 'role="img"' in inside, path.name
            assert inside.count("<tr>") > 1, path.name


def test_the_pictures_keep_text_as_text_and_take_the_page_s_colours(report: Path) -> None:
    page = (report / "beras.layers.Dense.html").read_text(encoding="utf-8")
    drawn = "".join(re.findall(r'<svg viewBox="[^"]*" aria-hidden.*?</svg>', page, flags=re.DOTALL))
    assert ">chosen step</text>" in drawn
    assert ">noise ÷ step</text>" in drawn
    assert "var(--accent)" in drawn
    assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r'(href|id)="#?\w+"|url\(#\w+\)|base64,[^"]*', "", drawn))


def test_ids_are_unique_on_every_page(report: Path) -> None:
    for path in report.glob("*.html"):
        twice = [name for name, amount in Counter(Read(path).ids).items() if amount > 1]
        assert twice == [], path.name


def test_painting_again_gives_the_same_bytes(report: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in report.glob("*.html")}
    assert html.render(report) == []
    assert {path.name: path.read_bytes() for path in report.glob("*.html")} == before
    # And so does another process, in another folder, with another seed for hashing.
    copy = tmp_path / "copy"
    (copy / "data").mkdir(parents=True)
    for path in (report / "data").iterdir():
        (copy / "data" / path.name).write_bytes(path.read_bytes())
    program = f"from gradcheck.report import html; html.render({str(copy)!r})"
    environment = {"PYTHONHASHSEED": "7", "PATH": "", "PYTHONPATH": str(Path(__file__).parents[2]), "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)
    assert {path.name: path.read_bytes() for path in copy.glob("*.html")} == before


def test_nothing_on_a_page_depends_on_where_or_when(report: Path) -> None:
    for path in report.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert str(report) not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text)
        assert "matplotlib" not in text


def test_one_component_s_run_leaves_the_other_pages_untouched(tmp_path: Path) -> None:
    html.render(tmp_path, [cases.component(), cases.kinked()])
    stamp = (tmp_path / "beras.layers.Dense.html").stat()
    changed = replace(cases.kinked(), seed=3)
    html.render(tmp_path, [changed])
    after = (tmp_path / "beras.layers.Dense.html").stat()
    assert (after.st_ino, after.st_mtime_ns) == (stamp.st_ino, stamp.st_mtime_ns)
    assert complaints(tmp_path) == []
    assert "seeds 0, 3" in words((tmp_path / "index.html").read_text(encoding="utf-8"))


def test_pages_that_are_painted_ahead_are_the_same(tmp_path: Path) -> None:
    results = [cases.component(), cases.kinked()]
    html.render(tmp_path / "once", results)
    pages = html.painted(tmp_path / "ahead", iter(results))
    html.render(
        tmp_path / "ahead", results, {key: page.replace(b"<body", b"<body data-ahead") for key, page in pages.items()}
    )
    for result in results:
        once, ahead = ((tmp_path / run / store.page(result.name)).read_bytes() for run in ("once", "ahead"))
        assert ahead == once.replace(b"<body", b"<body data-ahead") != once
    assert html.painted(tmp_path / "ahead", results) == {}, "what is there already is not painted again"
    assert html.painted(tmp_path / "ahead", [replace(cases.kinked(), seed=3)]).keys().isdisjoint(pages)


def test_pages_of_the_size_of_beras_are_small(tmp_path: Path) -> None:
    html.render(tmp_path, [cases.component(f"beras.layers.Layer{i}", seed=i) for i in range(3)])
    index = (tmp_path / "index.html").stat().st_size
    rows = len((tmp_path / "index.html").read_text(encoding="utf-8").split("<tr ")) - 1
    one_row = len((tmp_path / "index.html").read_bytes().split(b'<tr role="row" data-verdict')[1])
    assert index + 60 * one_row < MOST["index.html"], rows
    assert max(path.stat().st_size for path in tmp_path.glob("*.html")) < 500_000


def test_what_is_shown_exactly_is_on_the_page(tmp_path: Path) -> None:
    result = cases.proved()
    html.render(tmp_path, [result])
    assert complaints(tmp_path) == []
    text = words((tmp_path / store.page(result.name)).read_text(encoding="utf-8"))
    assert "proved at 14 points, 15 of 15 digits kept" in text
    assert "the derivative at 14 points, and so for all inputs that take the same branches." in text
    assert "x[0, 1] = 40, at “saturation ±40”, lost at layers.py:12" in text
    assert "Inputs of shape (5, 4); layers.py:9: greater False and True (generic, exact zeros)" in text
    assert "Digits kept over x" in text
    assert "Equal within 1e-9 for all x in [−40, −0.5] and [0.5, 40]; undecided in [−0.5, 0.5]." in text
