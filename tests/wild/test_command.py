"""`python -m gradcheck` in the folder of somebody's package, as it is found: half of it does not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wild.copies import Change, write
from tests.wild.variations import LOSSES, MSE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """The exit status, and all results by component."""
    folder = tmp_path_factory.mktemp("homework")
    package = write("modern", folder, (Change(LOSSES, MSE, f"np.float  # gone from NumPy\n        {MSE}"),))
    (package / "__init__.py").write_text("import wandb_is_not_installed\nfrom beras.layers import Dense\n")
    (package / "model.py").write_text("import tensorflow_is_not_installed\n")
    command = [
        sys.executable,
        "-m",
        "gradcheck",
        "--no-report",
        "--json",
        "out.json",
        "--dtype",
        "float64",
        "--jobs",
        "2",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert "beras/__init__.py" in done.stdout.splitlines()[0]
    text = (folder / "out.json").read_text(encoding="utf-8")
    components = json.loads(text)["components"] if "components" in json.loads(text) else json.loads(text)
    return done.returncode, {one["name"]: one for one in components}


def test_modules_are_checked_although_the_package_does_not_import(found: tuple[int, dict[str, Any]]) -> None:
    status, components = found
    assert status == 1
    for name in ("layers.Dense", "activations.LeakyReLU", "activations.Softmax", "gradient_tape.GradientTape"):
        assert components[f"beras.{name}"]["verdict"] == "correct", name


def test_a_module_that_does_not_import_is_listed_with_its_reason(found: tuple[int, dict[str, Any]]) -> None:
    _, components = found
    reasons = [one["reason"] for name, one in components.items() if name.startswith("beras.model")]
    assert any("tensorflow_is_not_installed" in reason for reason in reasons)


def test_a_name_that_numpy_removed_is_said_where_it_is_used(found: tuple[int, dict[str, Any]]) -> None:
    _, components = found
    loss = components["beras.losses.MeanSquaredError"]
    assert loss["verdict"] == "wrong"
    messages = [point["message"] for claim in loss["claims"] for point in claim["points"]]
    assert any("np.float" in message for message in messages)
