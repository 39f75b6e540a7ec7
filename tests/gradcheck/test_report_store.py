"""The report's files: safe names, whole after a crash at any write, whole after two runs at once."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradcheck.report import differential, store
from tests.gradcheck import report_cases as cases
from tests.gradcheck import report_kinds as kinds
from tests.gradcheck.report_whole import complaints

html = pytest.importorskip("gradcheck.report.html", reason="needs the extra `report`")


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it on purpose."""


@pytest.mark.parametrize("name", cases.HOSTILE)
def test_no_name_leaves_the_folder_or_takes_another_page(name: str, tmp_path: Path) -> None:
    target = store.save(replace(cases.unasked(), name=name), tmp_path / "reports")
    assert target.parent == tmp_path / "reports" / "data"
    assert target.stem not in ("index", *store.KINDS)
    assert len(target.name.encode()) < 200
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    assert [result.name for result in store.load(tmp_path / "reports")] == [name]


def test_names_that_look_alike_have_files_of_their_own() -> None:
    names = [*cases.HOSTILE, "a/b", "a\\b", "a:b", "a_b", "a b", "long." + "x" * 4999]
    assert len({store.stem(name).lower() for name in names}) == len(names)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    for result in cases.everything():
        store.save(result, tmp_path)
    assert store.load(tmp_path) == sorted(cases.everything(), key=lambda result: result.name)


def test_the_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    html.render(tmp_path, [cases.component()])
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "beras.layers.Dense.html", "beras.layers.Dense.json", "data", "index.html",
    ]  # fmt: skip


def test_the_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(20):
            with store.locked(tmp_path):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("old.json", '{"schema": 0}', "expected a result of schema 2, but found 0"),
        ("first.json", '{"schema": 1, "name": "a.B"}', "expected a result of schema 2, but found 1: run the check"),
        ("half.json", '{"schema": 2, "na', "Unterminated string"),
        ("bytes.json", b"\xff\xfe", "codec can't decode"),
        ("other.json", None, "whose file is beras.layers.Dense.json"),
    ],
)
def test_data_that_cannot_be_read_is_refused_in_a_line_and_its_neighbours_are_painted(
    name: str, content: Any, says: str, tmp_path: Path
) -> None:
    html.render(tmp_path, [cases.unasked()])
    if content is None:
        content = store.encode(cases.component())
    (tmp_path / "data" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (line,) = html.render(tmp_path)
    assert line.startswith(f"data/{name} was not painted: ")
    assert says in line
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "beras.layers.Odd" in index
    assert f"data/{name}" in index
    assert complaints(tmp_path) == []
    with pytest.raises(ValueError, match=name):
        store.load(tmp_path)


def test_a_page_goes_when_its_data_is_gone_and_stays_when_its_data_is_refused(tmp_path: Path) -> None:
    html.render(tmp_path, [cases.component(), cases.unasked(), cases.kinked()])
    (tmp_path / "notes.html").write_text("<p>somebody else's page", encoding="utf-8")
    (tmp_path / "data" / "beras.layers.Odd.json").unlink()
    (tmp_path / "data" / "beras.layers.Dense.json").write_text('{"schema": 0}', encoding="utf-8")
    html.render(tmp_path)
    pages = sorted(path.name for path in tmp_path.glob("*.html"))
    assert pages == ["beras.activations.LeakyReLU.html", "beras.layers.Dense.html", "index.html", "notes.html"]


def test_two_runs_at_once_leave_a_whole_report_with_both(tmp_path: Path) -> None:
    program = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from gradcheck.report import html; from tests.gradcheck import report_cases as cases\n"
        "for seed in range(6):\n"
        "    name = f'shared.C{seed % 3}' if seed % 2 else f'own.{sys.argv[2]}{seed}'\n"
        "    html.render(sys.argv[1], [replace(cases.plain(name), seed=seed)])\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    runs = [subprocess.Popen([*command, who], cwd=Path(__file__).parents[2]) for who in "ab"]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    assert complaints(tmp_path) == []
    names = [result.name for result in store.load(tmp_path)]
    assert names == ["own.a0", "own.a2", "own.a4", "own.b0", "own.b2", "own.b4", "shared.C0", "shared.C1", "shared.C2"]
    leftovers = [path.name for path in tmp_path.rglob("*") if "gradcheck-" in path.name or "~" in path.name]
    assert leftovers == []


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, boundary: int) -> Iterator[list[str]]:
    """End the "process" at its n-th write, move or removal; a write gets half its bytes out first."""
    done: list[str] = []

    def interrupted(real: Callable[..., Any], half: bool = False) -> Callable[..., Any]:
        def step(path: Any, *rest: Any, **how: Any) -> Any:
            done.append(str(path))
            if len(done) > boundary:
                if half and len(done) == boundary + 1:
                    real(path, rest[0][: len(rest[0]) // 2])
                raise Killed
            return real(path, *rest, **how)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", interrupted(Path.write_bytes, half=True))
        patch.setattr(os, "replace", interrupted(os.replace))
        patch.setattr(Path, "unlink", interrupted(Path.unlink))
        yield done


def _before(folder: Path) -> None:
    """A report, one component's data of which somebody has removed since."""
    differential.write(kinds.differences(), folder / "data" / "tensorflow.json")
    assert html.render(folder, [cases.unasked(), cases.plain(), cases.plain("beras.layers.Flatten")]) == []
    (folder / "data" / "beras.layers.Odd.json").unlink()


def _after(folder: Path) -> None:
    """A run that changes a component and adds one."""
    html.render(folder, [replace(cases.plain(), verdict="wrong", seed=1), cases.plain("beras.layers.New")])


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_crash_at_every_write_leaves_a_whole_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = tmp_path / "clean"
    _before(clean)
    _after(clean)
    for boundary in itertools.count():
        folder = tmp_path / str(boundary)
        _before(folder)
        with killed_at(monkeypatch, boundary) as done:
            try:
                _after(folder)
            except Killed:
                finished = False
            else:
                finished = True
        # Only the row whose data was removed before the run may miss it, until the run is through.
        assert [line for line in complaints(folder) if "beras.layers.Odd" not in line] == [], (
            f"after {boundary} steps, at {done[-1]}"
        )
        # The next run mends whatever was left.
        _after(folder)
        assert _contents(folder) == _contents(clean), f"after {boundary} steps, at {done[-1]}"
        if finished:
            break
    assert boundary > 25, "fewer boundaries than a run has writes: the injection no longer injects"


def test_a_crash_at_every_write_of_the_first_run_leaves_none_or_a_whole_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for boundary in itertools.count():
        folder = tmp_path / str(boundary)
        with killed_at(monkeypatch, boundary) as done:
            try:
                html.render(folder, [cases.unasked(), cases.plain()])
            except Killed:
                finished = False
            else:
                finished = True
        assert complaints(folder) == [], f"after {boundary} steps, at {done[-1]}"
        if finished:
            break
    assert boundary > 15


def test_the_checker_of_wholeness_sees_what_is_not_whole(tmp_path: Path) -> None:
    def broken(change: Callable[[Path], object]) -> list[str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        html.render(folder, [cases.unasked(), cases.stub()])
        change(folder)
        return complaints(folder)

    assert broken(lambda folder: None) == []
    assert broken(lambda folder: (folder / "beras.layers.Odd.html").unlink())
    assert broken(lambda folder: (folder / "data" / "beras.layers.Odd.json").unlink())
    assert broken(lambda folder: (folder / "index.html").write_text("<html><a href='x.html'>"))
    newer = replace(cases.unasked(), reason="another one")
    assert broken(lambda folder: store.save(newer, folder))


def test_a_foreign_file_in_the_data_folder_is_named_and_left_alone(tmp_path: Path) -> None:
    html.render(tmp_path, [cases.unasked()])
    foreign = tmp_path / "data" / "my notes.json"
    foreign.write_text(json.dumps([1, 2]), encoding="utf-8")
    assert html.render(tmp_path) == [
        "data/my notes.json was not painted: expected a result of schema 2, but found None: run the check again"
    ]
    assert foreign.is_file()


def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def fills_up(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    store.replace(tmp_path / "page.html", b"the old page")
    monkeypatch.setattr(Path, "write_bytes", fills_up)
    with pytest.raises(OSError, match="No space left"):
        store.replace(tmp_path / "page.html", b"the new page")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"page.html": b"the old page"}
