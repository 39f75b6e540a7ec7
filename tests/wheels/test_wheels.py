"""The two wheels in bare environments: each works without the other (`tox -e wheels`)."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.gradcheck.foreign import ROOT

pytestmark = pytest.mark.long
NAMES = ("beras", "gradcheck")
SESSION = re.compile(r"<!-- file: losses.py -->\n```python\n(.*?)```", re.DOTALL)


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, str(ROOT / "packaging" / "build.py"), str(folder), folder=folder)
    assert done.returncode == 0, done.stderr
    found = {path.name.partition("-")[0]: path for path in folder.iterdir()}
    assert found.keys() == set(NAMES)
    return found


def read(wheel: Path) -> tuple[list[str], Message]:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        return names, email.message_from_bytes(files.read(metadata))


@pytest.mark.parametrize("name", NAMES)
def test_metadata_is_complete(wheels: dict[str, Path], name: str) -> None:
    files, metadata = read(wheels[name])
    for key in ("Version", "Summary", "Author", "Keywords", "Requires-Python", "License-File", "Classifier"):
        assert metadata[key], key
    assert (metadata["Name"], metadata["License-Expression"]) == (name, "MIT")
    assert metadata["Description-Content-Type"] == "text/markdown"
    needs = metadata.get_all("Requires-Dist") or []
    assert [one for one in needs if "extra" not in one] == ["numpy>=1.26"]
    assert metadata.get_all("Provides-Extra") == (["report", "proof"] if name == "gradcheck" else None)
    assert {file.partition("/")[0] for file in files if ".dist-info/" not in file} == {name}
    expected = {"py.typed"} | (
        {"report/templates/base.html", "report/static/style.css"} if name == "gradcheck" else set()
    )
    assert {f"{name}/{file}" for file in expected} <= set(files)


def test_an_index_takes_them(wheels: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("twine")
    files = [str(path) for path in wheels.values()]
    done = run(sys.executable, "-m", "twine", "check", "--strict", *files, folder=tmp_path)
    assert done.returncode == 0, done.stdout
    for path in wheels.values():
        text = read(path)[1].get_payload()
        assert not re.search(r"\]\((?!https:)", text), "a link that leads nowhere on an index page"


def bare(wheel: Path, folder: Path) -> Path:
    """Install a wheel, and what it needs, into an environment of its own; return its Python."""
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    words = ("pip", "--python", str(python), "install", "--quiet", str(wheel))
    done = run(sys.executable, "-m", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return python


def test_gradcheck_checks_without_beras(wheels: dict[str, Path], tmp_path: Path) -> None:
    python = bare(wheels["gradcheck"], tmp_path)
    [code] = SESSION.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    (tmp_path / "losses.py").write_text(code)
    done = run(str(python.with_name("gradcheck")), "losses.py::CrossEntropy", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "is the mean over the batch missing?" in done.stdout
    assert "pip install 'gradcheck[report]'" in done.stdout
    assert "No module named 'beras'" in run(str(python), "-c", "import beras", folder=tmp_path).stderr
    [example] = re.findall(
        r"```python\n(.*?)```", (ROOT / "packaging" / "gradcheck.md").read_text(encoding="utf-8"), re.S
    )
    said = run(str(python), "-c", example, folder=tmp_path)
    assert "2 × too large" in said.stdout, said.stderr


def test_beras_trains_without_gradcheck(wheels: dict[str, Path], tmp_path: Path) -> None:
    python = bare(wheels["beras"], tmp_path)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "packaging" / "beras.md").read_text(encoding="utf-8"), re.S)
    done = run(str(python), "-W", "error", "-c", f"{example}\nprint(len(history.history['loss']))", folder=tmp_path)
    assert done.stdout.splitlines()[-1:] == ["5"], done.stderr
    assert "No module named 'gradcheck'" in run(str(python), "-c", "import gradcheck", folder=tmp_path).stderr
