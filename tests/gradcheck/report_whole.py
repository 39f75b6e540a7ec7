"""Says whether a report on disk is whole: it is there, its links resolve, and its rows belong to their pages."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

MOST = {"index.html": 200_000}
"""Bytes of a page; 1 MB for the others."""


class Read(HTMLParser):
    """What one page links to, the ids it has, its rows, its headings, and the digest of the data it shows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.rows: list[dict[str, str]] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.digest = ""
        self.ended = False
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if tag in ("a", "use") and "href" in found:
            self.links.append(found["href"])
            if self.rows and "page" not in self.rows[-1]:
                self.rows[-1]["page"] = found["href"]
        if tag == "tr" and "data-digest" in found:
            self.rows.append(dict(found))
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag == "meta" and found.get("name") == "gradcheck-data":
            self.digest = found["content"]

    def handle_endtag(self, tag: str) -> None:
        self.ended = self.ended or tag == "html"


def complaints(folder: Path) -> list[str]:
    """Return everything that is not whole about a report; nothing at all is whole before the first one is there."""
    index = folder / "index.html"
    if not index.is_file():
        return []
    found, seen, todo = [], set(), [index]
    while todo:
        path = todo.pop()
        seen.add(path)
        if not path.is_file():
            found.append(f"{path.name} is linked to and not there")
            continue
        page = Read(path)
        if not page.ended:
            found.append(f"{path.name} ends in the middle")
        for link in page.links:
            name, _, fragment = link.partition("#")
            if not name and fragment not in page.ids:
                found.append(f"{path.name} links to #{fragment}, which is not on it")
            if name and (target := folder / name) not in seen and target not in todo:
                todo.append(target)
        for row in page.rows:
            found += _row(folder, row)
    return found


def _row(folder: Path, row: dict[str, str]) -> list[str]:
    """What is wrong with one row of the index: its page and its data have to be of one digest with it."""
    page, data = folder / row["page"], folder / row["data-file"]
    if not page.is_file() or not data.is_file():
        return [f"{row['page']} or {row['data-file']} is not there"]
    found = []
    if Read(page).digest != row["data-digest"]:
        found.append(f"{row['page']} shows other data than its row")
    if hashlib.sha256(data.read_bytes()).hexdigest()[:16] != row["data-digest"]:
        found.append(f"{row['data-file']} is not what its row shows")
    return found


def words(page: str) -> str:
    """A page's text, without its tags and line breaks."""
    body = re.sub(r"<(style|svg|script).*?</\1>", "", page[page.index("<body") :], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
