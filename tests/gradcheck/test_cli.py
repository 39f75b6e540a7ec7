"""The command, end to end, on a small package that is not ours."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gradcheck.command.cli import main
from gradcheck.report.document import components_of
from tests.gradcheck.foreign import LAYERS, command, document, environment, package, python


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(package(tmp_path))
    return tmp_path


def test_right_and_wrong_are_told_apart_and_everything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", "out.json", "--junit-xml", "out.xml"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0].startswith("gradcheck 0.1.0 checks beras/__init__.py")
    assert any(line.startswith("correct    beras.layers.Tanh  ") and "would catch" in line for line in lines)
    assert any(line.startswith("wrong      beras.layers.Flipped  everywhere  beras/layers.py:") for line in lines)
    assert any("sign" in line for line in lines)
    assert "imported" not in printed.out
    assert (here / "reports" / "data" / "beras.layers.Flipped.json").is_file()
    found = document(here)
    assert {item["name"]: item["verdict"] for item in found["components"]} == {
        "beras.layers.Tanh": "correct",
        "beras.layers.Flipped": "wrong",
    }
    assert (found["schema"], found["exit_status"], found["verdict"]) == (2, 1, "wrong")
    assert found["files"] == [os.path.join("beras", "__init__.py")]
    assert [result.name for result in components_of((here / "out.json").read_text())] == list(found["seconds"])
    root = ElementTree.parse(here / "out.xml").getroot()
    assert int(root.attrib["failures"]) > 0
    assert int(root.attrib["tests"]) == len(root.findall("testsuite/testcase"))


def test_all_correct_is_status_0_and_quiet_prints_the_summary_only(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-q", "-k", "tanh", "--no-report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("1 correct in ")
    assert not (here / "reports").exists()


def test_one_class_one_file_and_one_alias_are_the_same_subject(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = ["beras.layers.Tanh", "beras/layers.py::Tanh"]
    assert main([*targets, "--no-report", "--json", "out.json"]) == 0
    assert [item["name"] for item in document(here)["components"]] == ["beras.layers.Tanh"]


def test_list_checks_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"beras.layers.Tanh  {os.path.join('beras', 'layers.py')}",
        f"beras.layers.Flipped  {os.path.join('beras', 'layers.py')}",
    ]
    assert not (here / "reports").exists()


def test_stop_at_the_first_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flipped_first = LAYERS + "\nclass Again(Flipped): pass\n"
    (here / "beras" / "layers.py").write_text(flipped_first)
    assert main(["-x", "--no-report", "--json", "out.json"]) == 1
    assert [item["name"] for item in document(here)["components"]] == ["beras.layers.Tanh", "beras.layers.Flipped"]


def test_report_keeps_other_components_and_forgets_what_is_gone(here: Path) -> None:
    (here / "alone.py").write_text(
        (here / "beras" / "core.py").read_text() + LAYERS.replace("from .core", "from beras.core")
    )
    assert main(["alone.py::Tanh"]) == 0
    assert main(["-q"]) == 1
    data = here / "reports" / "data"
    names = {"alone.Tanh.json", "beras.layers.Tanh.json", "beras.layers.Flipped.json"}
    assert {path.name for path in data.iterdir()} == names
    (here / "beras" / "layers.py").write_text(LAYERS.replace("Flipped", "Renamed"))
    for part in (["-k", "tanh"], ["--exclude", "*.Renamed"]):
        assert main(["-q", *part]) == 0
        assert names <= {path.name for path in data.iterdir()}  # only a part was looked at
    assert main(["-q"]) == 1
    assert {path.name for path in data.iterdir()} == names - {"beras.layers.Flipped.json"} | {
        "beras.layers.Renamed.json"
    }


def test_verdict_is_about_the_source_also_where_bytecode_passes_for_current(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = here / "beras" / "layers.py"
    layers.write_text(LAYERS.replace("self.y**2 - 1", "1 - self.y**2"))
    of_then = layers.stat()
    bytecode = Path(py_compile.compile(str(layers), doraise=True) or "")
    kept = bytecode.read_bytes()
    layers.write_text(LAYERS)  # as long as before
    os.utime(layers, ns=(of_then.st_atime_ns, of_then.st_mtime_ns))
    assert main(["-q", "--no-report", "beras.layers.Flipped"]) == 1
    assert bytecode.read_bytes() == kept
    assert list(here.rglob("*.pyc")) == [bytecode]


def test_files_named_like_modules_of_python_are_in_nobodys_way(here: Path) -> None:
    started = set(python("-c", "import runpy, sys; print(*sys.modules)", folder=here).stdout.split())  # not ours
    names = [name for name in sys.stdlib_module_names - started if not name.startswith("_")]
    assert {"copy", "html", "json", "random", "typing"} <= set(names)
    for name in names:
        (here / f"{name}.py").write_text("raise RuntimeError('not the one of Python')")
    for builtin in ("time.py", "copy.py"):
        text = (here / "beras" / "core.py").read_text() + LAYERS.replace("from .core import", "#")
        (here / builtin).write_text(text)
    for target in ("beras.layers.Tanh", "copy.py::Tanh", "copy.Tanh", "time.Tanh"):
        done = command(target, folder=here)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert f"correct    {target.replace('.py::', '.')} " in done.stdout
        assert (here / "reports" / "data").is_dir()


def test_package_named_like_a_module_of_python_is_refused_by_name(here: Path) -> None:
    (here / "beras").rename(here / "json")
    done = command("json.layers.Tanh", folder=here)
    assert done.returncode == 2
    assert "expected json.layers from json/layers.py, but " in done.stderr


def test_subject_that_hangs_or_dies_is_unresolved_and_its_neighbours_are_checked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "beras" / "layers.py").write_text(
        LAYERS.replace("class Flipped", "class Correct")
        .replace("self.y**2 - 1", "1 - self.y**2")
        .replace("Its gradient has the wrong sign.", "Right.")
        + "\nclass Hangs(Tanh):\n    def forward(self, x):\n        while True: pass\n"
        + "\nclass Dies(Tanh):\n    def forward(self, x):\n        import os; os._exit(5)\n"
        + "\nclass Exits(Tanh):\n    def forward(self, x):\n        import sys; sys.exit('no')\n"
        + "\nclass Stops(Tanh):\n    def get_input_gradients(self):\n        raise KeyboardInterrupt\n"
    )
    assert main(["--no-report", "--json", "out.json", "--time-limit", "6"]) == 1
    found = {item["name"]: (item["verdict"], item["reason"]) for item in document(here)["components"]}
    assert found["beras.layers.Tanh"][0] == found["beras.layers.Correct"][0] == "correct"
    assert found["beras.layers.Hangs"] == ("unresolved", "it did not finish within 6 s (time limit)")
    verdict, reason = found["beras.layers.Exits"]
    assert verdict == "unresolved"
    assert reason.startswith("it ends the program with sys.exit(no) (beras/layers.py, line ")
    verdict, reason = found["beras.layers.Stops"]
    assert verdict == "unresolved"
    assert reason.startswith("KeyboardInterrupt (beras/layers.py, line ")
    assert found["beras.layers.Dies"] == ("unresolved", "it ended the process with exit status 5")


def test_module_that_does_not_import_could_not_be_asked_and_its_neighbours_are_checked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "beras" / "__init__.py").write_text("from . import model")
    (here / "beras" / "model.py").write_text("import a_module_that_is_not_installed")
    assert main(["-k", "not flipped", "--no-report"]) == 1
    out = capsys.readouterr().out
    for name in ("beras", "beras.model"):
        assert f"could not be asked {name}  beras/" in out
    assert out.count("No module named 'a_module_that_is_not_installed' (beras/model.py, line 1)") == 2
    assert "2 could not be asked, 1 correct in " in out
    assert "leave it out by --exclude NAME" in out


@pytest.mark.parametrize("keyword", ["tanh", "tanh and not dense"])
def test_module_that_could_not_be_looked_into_is_shown_whatever_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str], keyword: str
) -> None:
    (here / "beras" / "dense.py").write_text("class Dense(:")
    assert main(["-k", keyword, "--no-report"]) == 1
    out = capsys.readouterr().out
    assert "could not be asked beras.dense" in out
    assert "1 could not be asked, 1 correct in " in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["bears"], "there is no module 'bears' in the current folder or on sys.path; did you mean 'beras'?"),
        (["beras.layers.Tahn"], "beras.layers has no 'Tahn'; did you mean 'Tanh'?"),
        (["beras.layers.Softmax"], "beras.layers has no 'Softmax'; it has Diffable, Flipped, Tanh, np"),
        (
            ["beras.core"],
            "there is nothing to check (see --list and -k): expected a derivative written for PyTorch, JAX, TensorFlow",
        ),
        (["-k", "nothing_like_it"], "there is nothing to check"),
        (["--render", "nowhere"], "there is no report in 'nowhere'"),
        (["--each", "nowhere", "beras"], "there is no folder 'nowhere'"),
        (["--seed", "x"], "--seed: expected a whole number"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    here: Path, capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not (here / "reports").exists()


@pytest.mark.parametrize("text", ["raise KeyboardInterrupt", "import sys; sys.exit()", "import os; os._exit(0)"])
def test_module_that_ends_the_program_is_listed_with_its_reason(
    here: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (here / "beras" / "model.py").write_text(text)
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    where = os.path.join("beras", "model.py")
    assert lines[-1].startswith(f"beras.model  {where}  could not be asked: it cannot be imported: ")
    assert len(lines) == 4


def test_without_a_target_and_without_beras_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "expected something to check" in capsys.readouterr().err


def test_error_of_gradcheck_itself_is_status_3(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("gradcheck.command.cli.discover.resolve", fail)
    assert main([]) == 3
    assert "an error in gradcheck itself" in capsys.readouterr().err


def test_worker_reports_an_error_of_gradcheck_itself(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A subject that breaks gradcheck from inside stands for a mistake in gradcheck.
    (here / "beras" / "layers.py").write_text(
        LAYERS + "\nimport sys\ndef fail(*_): raise ZeroDivisionError('planted')\n"
        "sys.modules['gradcheck.check'].check_subject = fail\n"
    )
    assert main(["beras.layers.Tanh", "--no-report"]) == 3
    printed = capsys.readouterr()
    assert "because gradcheck itself failed: ZeroDivisionError: planted" in printed.out
    assert "an error in gradcheck itself, at beras.layers.Tanh" in printed.err


def test_without_the_extra_verdicts_are_plain_and_one_line_says_what_to_install(tmp_path: Path) -> None:
    package(tmp_path)
    hidden = "import sys\nfor name in ('jinja2', 'matplotlib', 'rich'): sys.modules[name] = None\n"
    program = hidden + "from gradcheck.command.cli import console; sys.argv[1:] = ['beras.layers.Tanh']; console()"
    done = python("-c", program, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "correct    beras.layers.Tanh" in done.stdout
    assert done.stdout.count("pip install 'beras-gradcheck[report]'") == 1
    assert (tmp_path / "reports" / "data" / "beras.layers.Tanh.json").is_file()
    assert not (tmp_path / "reports" / "index.html").exists()


def test_output_survives_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    package(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", "beras.layers", "--no-report"],
        cwd=tmp_path,
        env={**environment(), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"would catch >= " in done.stdout


def test_first_line_comes_before_numpy_is_loaded(tmp_path: Path) -> None:
    program = "import sys, gradcheck.command.cli; print('numpy' in sys.modules)"
    assert python("-c", program, folder=tmp_path).stdout == "False\n"
