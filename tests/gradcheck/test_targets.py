"""Whatever is named as a target is checked, or one line says what was expected, what came, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.command.discover import resolve
from gradcheck.command.run import Run, Settings
from tests.gradcheck.foreign import main_in, python
from tests.gradcheck.test_status import TANH, WRONG

NAMES = {
    "1_layers.py": "1_layers.Tanh",
    "a-b.py": "a-b.Tanh",
    "layers.v2.py": "layers_v2.Tanh",
    "x y.py": "x y.Tanh",
    "schön.py": "schön.Tanh",
    "class.py": "class.Tanh",
    "folder with space/x.py": "x.Tanh",
    "v1.0/x.py": "x.Tanh",
    "p/2.py": "p.2.Tanh",
    "p/v1.0.py": "p.v1_0.Tanh",
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            TANH if path.parent.name != "p" else TANH.replace("import numpy", "from . import core\nimport numpy")
        )
    (tmp_path / "p" / "__init__.py").write_text("")
    (tmp_path / "p" / "core.py").write_text("")
    return tmp_path


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_file_of_any_name_is_checked(here: Path, file: str, name: str) -> None:
    for target in (file, f"{file}::Tanh"):
        done = main_in(here, target, "--no-report", "--dtype", "float64")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"correct    {name} " in done.stdout


@pytest.mark.parametrize("file", ["1_layers.py", "p/2.py"])
def test_pasted_test_imports_what_no_import_statement_can_spell(here: Path, file: str) -> None:
    (here / file).write_text((here / file).read_text().replace("1 - self.y", "2 - self.y"))
    told = main_in(here, file, "-v", "--no-report", "--dtype", "float64").stdout
    (here / "test_pasted.py").write_text(told[told.index("import numpy as np\n") : told.index("  contract ")])
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pasted.py", folder=here)
    assert "AssertionError: backward: the derivative of output" in done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("p", {"p.2.Tanh", "p.v1_0.Tanh"}),
        ("p/", {"p.2.Tanh", "p.v1_0.Tanh"}),
        ("folder with space", {"x.Tanh"}),
        ("folder with space/", {"x.Tanh"}),
        ("v1.0", {"x.Tanh"}),
        ("1_layers", {"1_layers.Tanh"}),
        ("1_layers.Tanh", {"1_layers.Tanh"}),
        (
            ".",
            {"1_layers.Tanh", "a-b.Tanh", "layers_v2.Tanh", "x y.Tanh", "schön.Tanh", "class.Tanh"}
            | {"p.2.Tanh", "p.v1_0.Tanh"},
        ),
    ],
)
def test_folder_of_any_name_is_looked_into(here: Path, target: str, names: set[str]) -> None:
    done = main_in(here, target, "--list")
    assert (done.returncode, done.stderr) == (0, "")
    listed = done.stdout.splitlines()[1:]
    assert {line.split("  ")[0] for line in listed if "not understood" not in line} == names
    passed_over = [line.split("  ")[0] for line in listed if "name it as a target of its own" in line]
    assert passed_over == (["folder with space", "v1.0"] if target == "." else [])


def test_two_files_that_would_be_called_the_same_are_refused(here: Path) -> None:
    (here / "layers_v2.py").write_text(TANH)
    done = main_in(here, ".", "--no-report")
    assert done.returncode == 2
    assert done.stderr.startswith("gradcheck: both layers.v2.py and layers_v2.py are called layers_v2: ")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "expected a class, module, package or file to check, but got ''"),
        (" ", "expected a class, module, package or file to check, but got ' '"),
        (
            "1_layers.",
            "expected a name such as beras.layers.Dense or a file such as layers.py, but got '1_layers.'; did",
        ),
        ("a-b.py.", "; did you mean 'a-b.py'?"),
        ("a-b.py:Tanh", "; did you mean 'a-b.py::Tanh'?"),
        ("a-b.py.Tanh", "; did you mean 'a-b.py::Tanh'?"),
        ("class.py.Tanh", "; did you mean 'class.py::Tanh'?"),
        ("a-b.py::", "expected FILE::NAME, but '' in 'a-b.py::' is not a name"),
        ("a-b.py::Tanh::forward", "expected FILE::NAME, but 'Tanh::forward' in "),
        ("a-b.py::Tahn", "a-b has no 'Tahn'; did you mean 'Tanh'?"),
        ("a_b.py", "there is no file 'a_b.py'; did you mean 'a-b.py'?"),
        ("nowhere/a-b.py", "there is no file 'nowhere/a-b.py'"),
        ("empty", "'empty' is a folder without Python files: nothing to check there"),
        ("empty/", "there is no Python file in 'empty/': name a module, a package or a .py file"),
        ("picture.png", "there is no module 'picture' in the current folder or on sys.path"),
        (
            "./picture.png",
            "expected a Python file, a notebook or a folder of files, but './picture.png' is none of these",
        ),
        (
            "no such thing",
            "expected a name such as beras.layers.Dense or a file such as layers.py, but got 'no such thing'",
        ),
        ("x" * 300, "there is no module"),
        ("x" * 300 + ".py", "File name too long"),
        ("a/../../../../../../../../nowhere", "there is no file"),
    ],
)
def test_what_is_not_there_is_one_line(here: Path, target: str, said: str) -> None:
    (here / "empty").mkdir()
    (here / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = main_in(here, target, "--no-report")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("gradcheck: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("text", "processes"), [(TANH, 1), (TANH + WRONG, 2), ("import numpy as np\n", 1)])
def test_a_second_process_starts_where_there_may_be_two_things(tmp_path: Path, text: str, processes: int) -> None:
    (tmp_path / "m.py").write_text(text)
    with Run([resolve("m.py", str(tmp_path))], Settings(jobs=4), str(tmp_path)) as run:
        run.find()
        assert len(run._workers) == processes


WHOLE = {
    "prints": "print('x' * 10_000)\n",
    "prints what is no text": "import os\nos.write(1, bytes(range(256)))\nos.write(2, bytes(range(256)))\n",
    "changes the folder": "import os, tempfile\nos.chdir(tempfile.gettempdir())\n",
    "reads what is not there": "import sys\nassert sys.stdin.read() == ''\n",
    "closes its streams": "import sys\nsys.stdout.close()\nsys.stderr.close()\n",
    "warns": "import warnings\nwarnings.warn('old')\n",
    "turns warnings into errors": "import warnings\nwarnings.simplefilter('error')\n",
    "says its encoding": "# -*- coding: latin-1 -*-\n# \xe4\xf6\xfc\n",
    "begins with a byte order mark": "\ufeff",
    "takes the arguments for its own": "import argparse\nargparse.ArgumentParser().parse_known_args()\n",
    "looks whether it is the program": "if __name__ == '__main__':\n    raise SystemExit('run')\n",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_module_that_does_odd_things_is_checked(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.py").write_text(text + TANH, encoding="latin-1" if "latin-1" in text else "utf-8")
    done = main_in(tmp_path, "m.py", "--no-report", "--dtype", "float64")
    assert (done.returncode, done.stderr) == (0, "")
    assert "correct    m.Tanh " in done.stdout


BROKEN = {
    "a syntax error": (b"x = (", "SyntaxError: '(' was never closed (m.py, line 1)"),
    "an import that fails": (
        b"\nimport not_installed",
        "ModuleNotFoundError: No module named 'not_installed' (m.py, line 2)",
    ),
    "an exception": (b"raise KeyError('data')", "KeyError: 'data' (m.py, line 1)"),
    "its own kind of exception": (b"class E(BaseException): pass\nraise E('mine')", "E: mine (m.py, line 2)"),
    "a long message": (b"raise ValueError('long ' * 1_000_000)", "ValueError: long long"),
    "a message that fails": (b"class E(Exception):\n  def __str__(self): 1 / 0\nraise E", "E (m.py, line 3)"),
    "the end of the program": (
        b"import sys; sys.exit('done')",
        "it ends the program with sys.exit(done) (m.py, line 1)",
    ),
    "the end of the process": (b"import os; os._exit(3)", "it ended the process with exit status 3"),
    "an interrupt": (b"raise KeyboardInterrupt", "KeyboardInterrupt (m.py, line 1)"),
    "a question": (b"input('epochs? ')", "EOFError"),
    "an argument that is missing": (b"import sys; sys.argv[1]", "IndexError: list index out of range (m.py, line 1)"),
    "bytes": (bytes(range(256)), "SyntaxError: "),
    "a NUL": (b"x = 1\n\0", "SyntaxError: source code string cannot contain null bytes (m.py)"),
    "another encoding": ("x = 'schön'".encode("latin-1"), "SyntaxError: (unicode error) 'utf-8' codec can't decode"),
    "an encoding that nobody knows": (b"# coding: klingon", "SyntaxError: "),
    "a circle": (
        b"from n import y\nx = 1",
        "ImportError: cannot import name 'x' from partially initialized module 'm'",
    ),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_module_that_does_not_import_says_why_and_where(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "m.py").write_bytes(text)
    (tmp_path / "n.py").write_text("from m import x\ny = 1")
    done = main_in(tmp_path, "m.py", "--no-report")
    assert (done.returncode, done.stderr) == (1, "")
    [reason] = [line for line in done.stdout.splitlines() if line.startswith("  because ")]
    assert reason.startswith(f"  because it cannot be imported: {said}")
    assert len(reason) < 600
    assert "Traceback" not in done.stdout
    assert "leave it out by --exclude NAME" in done.stdout
