"""A one-class run that is killed at a random moment leaves a whole report; `GRADCHECK_KILLS` says how often."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gradcheck.report_whole import Read, complaints

pytest.importorskip("gradcheck.report.html", reason="needs the extra `report`")

KILLS = int(os.environ.get("GRADCHECK_KILLS", "4"))
CHECKED = (0, 1)
"""Exit statuses of a run that was not killed: whatever the verdict, it wrote its report."""

SUBJECTS = ("beras.activations.Sin", "beras.activations.Tanh")


def start(folder: Path, seed: int) -> subprocess.Popen[bytes]:
    """Check one class and write its report, in a process group of its own."""
    command = [sys.executable, "-m", "gradcheck", SUBJECTS[seed % 2], "--seed", str(seed), "--report", str(folder)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_random_kills_leave_a_whole_report(tmp_path: Path) -> None:
    begun = time.monotonic()
    for seed in (0, 1):
        assert start(tmp_path, seed).wait(timeout=120) in CHECKED
    duration = (time.monotonic() - begun) / 2
    choose, killed = random.Random(0), 0
    for seed in range(2, 2 + KILLS):
        run = start(tmp_path, seed)
        # Half of them late, where the report is written.
        time.sleep(duration * choose.uniform(0.5 * (seed % 2), 1.1))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            killed += 1
        run.wait()
        assert complaints(tmp_path) == [], f"after {killed} kills"
        assert len(Read(tmp_path / "index.html").rows) == 2
    assert killed >= KILLS / 4, "the runs were over before they could be killed"
    assert start(tmp_path, 0).wait(timeout=120) in CHECKED
    assert complaints(tmp_path) == []
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["beras.activations.Sin.html", "beras.activations.Tanh.html", "data", "index.html"]
