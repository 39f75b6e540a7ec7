"""Ten packages as teachers get them, four generations, five mistakes and one that hangs: a table, a CSV, a report."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gradcheck.command.cli import main
from tests.wild.copies import Change, write
from tests.wild.variations import MISTAKES

GENERATIONS = ("chain", "modern", "older", "oldest")
MISTAKEN = (
    "squared error: sign",
    "squared error: 1/features missing",
    "dense: w transposed",
    "dense: 1/batch too much",
    "squared error: 2 and both means missing",
)
HANG = (Change("layers.py", "    def forward(self, x):\n", "    def forward(self, x):\n        while True: pass\n"),)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for generation in GENERATIONS:
        write(generation, tmp_path / generation)
    by_name = {mistake.name: mistake for mistake in MISTAKES}
    for i, name in enumerate(MISTAKEN):
        write("modern", tmp_path / f"mistake{i}", by_name[name].changes)
    write("modern", tmp_path / "hanging", HANG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_ten_packages_make_one_table_one_csv_and_one_report(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = sorted(path.name for path in here.iterdir())
    assert len(folders) == 10
    options = ["--dtype", "float64", "--time-limit", "6", "-k", "dense or square"]
    assert main(["--each", *folders, "beras", *options]) == 1
    with (here / "reports" / "each.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["who"] for row in rows} == set(folders)
    verdicts = {(row["who"], row["component"]): row["verdict"] for row in rows}
    for generation in GENERATIONS:
        # The oldest package divides by the batch in its layers, and leaves that out of its losses.
        right = {"convention"} if generation == "oldest" else {"correct"}
        assert {verdict for (who, _), verdict in verdicts.items() if who == generation} == right
    by_name = {mistake.name: mistake for mistake in MISTAKES}
    for i, name in enumerate(MISTAKEN):
        where = f"beras.{by_name[name].where}"
        mine = {component: verdict for (who, component), verdict in verdicts.items() if who == f"mistake{i}"}
        assert [component for component, verdict in mine.items() if verdict != "correct"] == [where], name
        assert mine[where] == "wrong"
    assert all(row["cause"] for row in rows if row["verdict"] != "correct")
    assert verdicts["hanging", "beras.layers.Dense"] == "unresolved"
    assert verdicts["hanging", "beras.losses.MeanSquaredError"] == "correct"
    table = capsys.readouterr().out.splitlines()
    for folder in folders:
        assert any(line.startswith(f"{folder} ") for line in table)
    if (here / "reports" / "index.html").exists():  # with the extra `report`
        index = (here / "reports" / "index.html").read_text()
        for folder in folders:
            assert f'href="{folder}/index.html"' in index
            assert (here / "reports" / folder / "index.html").is_file()
