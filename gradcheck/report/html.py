"""Paints `reports/` from its data: the index, one page per component, and a page per other kind of data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
from markupsafe import Markup, escape

from gradcheck.report import (
    annotated,
    counted,
    differential,
    others,
    pictures,
    proof,
    rows,
    store,
    tables,
    terminal,
    words,
)
from gradcheck.report.pictures import Picture
from gradcheck.report.sheet import Sheet
from gradcheck.results import ClaimResult, ComponentResult, Curve, Heat, Taylor
from gradcheck.verdicts import rank

HERE = Path(__file__).parent
LARGEST = 900_000
"""Bytes of a component's page. One that would be larger is painted with less, until it fits."""


@dataclass(frozen=True)
class Detail:
    """How much a component's page shows: claims, those of them with pictures, rows of points, characters of a text."""

    claims: int
    pictured: int
    points: int
    longest: int


DETAILS = (Detail(80, 24, 1500, words.LONGEST), Detail(40, 8, 400, 1000), Detail(10, 2, 40, 200))


@dataclass(frozen=True)
class Pictured:
    """A claim's pictures, or the claim (by its number on the page) that has the same one."""

    curve: Picture | None = None
    heat: Picture | None = None
    taylor: Picture | None = None
    same_curve: int = 0
    same_heat: int = 0
    same_taylor: int = 0
    digits: Picture | None = None


def painted(folder: str | os.PathLike[str], results: Iterable[ComponentResult]) -> dict[str, bytes]:
    """Paint pages of components for the report in `folder`, as far as it has not got them; return them for `render`.

    The keys say all that a page depends on: where that has changed in the meantime, `render` paints it again.
    """
    root, pages = Path(folder), dict[str, bytes]()
    measured = root / "data" / "tensorflow.json"
    known = {"tensorflow": measured.read_bytes()} if measured.is_file() else {}
    tensorflow = others.read_all(known, lambda name, why: None).get("tensorflow")
    with Sheet.open() as sheet:
        for result in results:
            content = store.encode(result)
            measurements = tensorflow.of(result.name) if tensorflow else ()
            key, row = _key(content, repr(measurements).encode()), _row(result, content, measurements)
            if not _painted_from(root / row.page, key):
                pages[key] = _component(sheet, result, row, measurements, key)
    return pages


def render(
    folder: str | os.PathLike[str], results: Sequence[ComponentResult] = (), pages: Mapping[str, bytes] | None = None
) -> list[str]:
    """Paint the report in `folder` from its data, with `results` put in first; return what was refused.

    Without `results` every page is painted again. With them, a page whose data has not changed stays as
    it is; `pages` are those that are `painted` already. Data, pages and index change together (see `store`): an
    interrupted run leaves the last report.
    """
    pages = pages or {}
    root = Path(folder)
    with store.locked(root):
        stored = store.read(root)
        fresh = {result.name: (result, store.encode(result)) for result in results}
        both = {**{result.name: (result, content) for result, content in stored.results}, **fresh}
        every = [both[name] for name in sorted(both)]
        refused = dict(stored.refused)
        for name in fresh:
            refused.pop(f"{store.stem(name)}.json", None)
        kinds = others.read_all(stored.others, refused.__setitem__)
        tensorflow: differential.Differential | None = kinds.get("tensorflow")
        files: dict[str, bytes] = {}
        index_rows = []
        with Sheet.open() as sheet:
            for result, content in every:
                measurements = tensorflow.of(result.name) if tensorflow else ()
                row = _row(result, content, measurements)
                if result.name in fresh:
                    files[row.data] = content
                index_rows.append(row)
                key = _key(content, repr(measurements).encode())
                if results and _painted_from(root / row.page, key):
                    files[row.page] = (root / row.page).read_bytes()
                else:
                    files[row.page] = pages.get(key) or _component(sheet, result, row, measurements, key)
            for kind, found in kinds.items():
                more = _training(sheet, found) if kind == "training" else {}
                files[f"{kind}.html"] = paint(f"{kind}.html", data=found, key=_key(stored.others[kind]), **more)

        def index(where: Callable[[str], str]) -> bytes:
            ordered = sorted(index_rows, key=lambda row: (row.rank, row.name))
            return paint(
                "index.html",
                rows=ordered,
                where=where,
                summary=rows.summary(ordered),
                sharpness=rows.sharpness(ordered),
                tally=counted.tally(row.verdict for row in ordered),
                claims=counted.tally(claim.verdict for result, _ in every for claim in result.claims),
                points=sum(row.points for row in ordered),
                versions=rows.versions([result for result, _ in every]),
                seeds=sorted({result.seed for result, _ in every}),
                command=rows.command([result for result, _ in every]),
                tensorflow=tensorflow,
                others=list(kinds),
                refused=refused,
                key="",
            )

        store.publish(root, files, index, keep=[f"{Path(name).stem}.html" for name in refused])
    return [f"data/{name} was not painted: {why}" for name, why in refused.items()]


def _row(result: ComponentResult, content: bytes, measurements: Sequence[differential.Measurement]) -> rows.Row:
    data = f"data/{store.stem(result.name)}.json"
    return rows.row(result, store.page(result.name), data, store.digest(content), measurements)


def embedded(result: ComponentResult) -> str:
    """Return a component's page in a frame of its own, as a notebook shows it: no style leaks, no script runs."""
    with Sheet.open() as sheet:
        row = rows.row(result, "", "the result itself", "", ())
        page = _component(sheet, result, row, (), "", alone=True).decode()
    look = "width: 100%; height: 34em; border: 0"
    return f'<iframe srcdoc="{escape(page)}" sandbox="allow-same-origin" style="{look}" title="gradcheck"></iframe>'


def _component(
    sheet: Sheet,
    result: ComponentResult,
    row: rows.Row,
    measurements: Sequence[differential.Measurement],
    key: str,
    alone: bool = False,
) -> bytes:
    claims = sorted(result.claims, key=lambda claim: rank(claim.verdict, claim.reach))
    drawn = _pictured(sheet, claims[: DETAILS[0].pictured])
    page = b""
    for detail in DETAILS:
        shown = claims[: detail.claims]
        pictured = [*drawn[: detail.pictured], *[Pictured()] * len(shown)]
        drawable = shown[: detail.pictured]
        spread = [(claim.name, [(p.dtype, p.ratio) for p in rows.judged(claim.points)]) for claim in drawable]
        left_out = sum(len(claim.points) for claim in drawable) - sum(len(points) for _, points in spread)
        page = paint(
            "component.html",
            result=result,
            row=row,
            claims=list(zip(shown, pictured, strict=False)),
            hidden=len(claims) - len(shown),
            most=max(4, min(rows.MOST_POINTS, detail.points // max(1, len(shown)))),
            longest=detail.longest,
            with_source=detail is not DETAILS[-1],
            spread=pictures.spread(sheet, spread, "spread", left_out),
            summary=rows.claim_summary(result),
            troubles=rows.troubles(result, shown),
            command=rows.command([result]),
            measurements=measurements,
            key=key,
            alone=alone,
        )
        if len(page) <= LARGEST:
            break
    return page


def _pictured(sheet: Sheet, claims: Sequence[ClaimResult]) -> list[Pictured]:
    """Draw the claims' pictures, each once: the methods by one variable often have one in common."""
    first: dict[Curve | Heat | Taylor, int] = {}
    drawn = []
    for i, claim in enumerate(claims, 1):
        curve = first.setdefault(claim.curve, i) if claim.curve else i
        heat = first.setdefault(claim.heat, i) if claim.heat else i
        taylor = first.setdefault(claim.taylor, i) if claim.taylor else i
        drawn.append(
            Pictured(
                pictures.curve(sheet, claim.curve, f"{i} curve") if claim.curve and curve == i else None,
                pictures.heat(sheet, claim.heat, f"{i} heat") if claim.heat and heat == i else None,
                pictures.taylor(sheet, claim.taylor, f"{i} taylor") if claim.taylor and taylor == i else None,
                curve if curve != i else 0,
                heat if heat != i else 0,
                taylor if taylor != i else 0,
                _digits(sheet, claim, f"{i} digits"),
            )
        )
    return drawn


def _digits(sheet: Sheet, claim: ClaimResult, salt: str) -> Picture | None:
    """Draw the digits that a claim keeps by x, where they are known."""
    found = claim.proof
    return pictures.digits(sheet, found.kept, found.boxes, claim.wrt, salt) if found is not None else None


def _training(sheet: Sheet, data: others.Training) -> dict[str, Any]:
    """Return the pictures of a training: a curve per quantity (validation beside it), and the digits."""
    groups: dict[str, list[tuple[str, tuple[float, ...]]]] = {}
    for name, values in data.history:
        groups.setdefault(name.removeprefix("val_"), []).append((name, values))
    titles = {"loss": "Loss", "acc": "Accuracy", "accuracy": "Accuracy"}
    curves = [
        (titles.get(name, name), pictures.lines(sheet, series, titles.get(name, name), f"curve {i}"))
        for i, (name, series) in enumerate(groups.items())
    ]

    def drawn(images: Sequence[others.Image], salt: str) -> list[tuple[others.Image, Picture]]:
        return [
            (image, pictures.digit(sheet, image.pixels, f"A handwritten {image.label}", f"{salt} {i}"))
            for i, image in enumerate(images[:20])
        ]

    examples = [
        ("Wrong, the surest first", "wrong-images", drawn(data.wrong, "mistaken")),
        ("Right", "right-images", drawn(data.right, "recognised")),
    ]
    return {"curves": [(title, shown) for title, shown in curves if shown], "examples": examples}


def paint(template: str, **values: Any) -> bytes:
    return _environment().get_template(template).render(values).encode("utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_fit,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "named": words.named,
        "number": words.number,
        "exact": words.exact,
        "place": words.place,
        "short": lambda value, longest=200: words.text(value, longest),
    }
    environment.globals |= {
        "css": Markup(_static("style.css")),
        "js": Markup(_static("index.js")),
        "mark": Markup(store.MARK.decode()),
        "svg": Markup,
        "count": words.count,
        "rows_of": rows,
        "tables": tables,
        "annotated": annotated.annotated,
        "claim_reason": rows.reason,
        "proof": proof,
        "told": terminal.text_of,
    }
    return environment


def _fit(value: Any) -> Any:
    """Make every piece of somebody else's text fit for a page, wherever a template shows it."""
    return words.text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")


@cache
def _painter() -> str:
    """Return what stands for everything but the data that a page depends on."""
    digest = hashlib.sha256(f"{jinja2.__version__} {matplotlib.__version__}".encode())
    read = (HERE.parent / "results.py", HERE / "differential.py")
    for path in sorted([*read, *(p for p in HERE.rglob("*") if p.suffix in (".py", ".html", ".css", ".js"))]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _key(*parts: bytes | str) -> str:
    digest = hashlib.sha256(_painter().encode())
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode("utf-8", "backslashreplace"))
    return digest.hexdigest()[:16]


def _painted_from(path: Path, key: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f'<meta name="gradcheck-key" content="{key}">'.encode() in file.read(1000)
