"""`--scheduler`: a Dask cluster of processes finds what the command finds alone, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.command.cli import main

distributed = pytest.importorskip("distributed")

RIGHT = """
import numpy as np


class Scale:
    def forward(self, x):
        self.x = x
        return {forward} * x

    def backward(self, g):
        return {backward} * g
"""
# The last of four has a mistake, one of five no file, one of seven one that cannot be read.
FACTORS = ((2, 2), (3, 3), (4, 4), (2, 3))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster:
        yield cluster.scheduler_address


def class_of(many: int, folder: Path) -> list[str]:
    for i in range(many):
        one = folder / f"s{i:03}"
        one.mkdir(parents=True)
        forward, backward = FACTORS[i % len(FACTORS)]
        if i % 5:
            text = RIGHT.format(forward=forward, backward=backward)
            (one / "layers.py").write_text(text if i % 7 else "def (")
    return [str(folder / f"s{i:03}") for i in range(many)]


def tables(folders: list[str], out: Path, *options: str) -> dict[str, bytes]:
    """What a run leaves for a reader, but for how long it took."""
    main(["--each", *folders, "layers.py", "--report", str(out), "--jobs", "2", *options])
    return {str(file.relative_to(out)): file.read_bytes() for file in sorted(out.rglob("*.csv"))}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("many", [7, pytest.param(500, marks=pytest.mark.long)])
def test_a_class_on_a_cluster_makes_the_same_table(
    many: int, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gradcheck.command.each.can_paint", lambda: False)
    monkeypatch.setattr("gradcheck.report.writing.can_paint", lambda: False)
    folders = class_of(many, tmp_path / "class")
    alone = tables(folders, tmp_path / "out")
    printed = capsys.readouterr().out
    shutil.rmtree(tmp_path / "out")
    assert tables(folders, tmp_path / "out", "--scheduler", address) == alone
    assert alone
    there = capsys.readouterr().out
    assert there.splitlines()[:-3] == printed.splitlines()[:-3]
    assert "wrong" in printed
    assert "correct" in printed


@pytest.mark.filterwarnings("ignore")
def test_components_are_checked_by_the_workers(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = RIGHT.format(forward=2, backward=2)
    (tmp_path / "layers.py").write_text(text + text.replace("Scale", "Wrong").replace("return 2 * g", "return -2 * g"))
    assert main(["layers.py", "--no-report", "--scheduler", address]) == 1
    printed = capsys.readouterr().out
    assert "correct    layers.Scale" in printed
    assert "wrong      layers.Wrong" in printed


@pytest.mark.filterwarnings("ignore")
def test_where_no_scheduler_is_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gradcheck.command.cluster.PATIENCE", 0.5)
    (tmp_path / "layers.py").write_text(RIGHT.format(forward=2, backward=2))
    for address in ("tcp://127.0.0.1:9", "nowhere"):
        assert main(["layers.py", "--no-report", "--scheduler", address]) == 2
        assert f"gradcheck: expected a Dask scheduler at {address!r}" in capsys.readouterr().err
