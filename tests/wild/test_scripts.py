"""Scripts that do not import: what they define before and after the line that raises is judged, and the line said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.adapters import belonging, is_subject, subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command.loading import CannotLoad, get, load, members

PAIR = "def tanh(x):\n    return np.tanh(x)\n\n\ndef tanh_derivative(x):\n    return 1 - np.tanh(x) ** 2\n\n\n"
RAISES = {
    "windows": "import windows_that_are_not_installed",
    "data": "data = np.loadtxt('data_that_is_not_here.csv')",
    "arguments": "import sys\nepochs = int(sys.argv[999])",
    "usage": "import sys\nsys.exit('usage: train.py DATA')",
    "diverges": "np.linalg.inv(np.zeros((2, 2)))",
}
FAST = Options(dtypes=("float64",), evidence=False, fail_fast=True)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


@pytest.mark.parametrize("name", RAISES)
@pytest.mark.parametrize("first", [True, False])
def test_what_a_line_that_raises_leaves_is_judged(folder: Path, name: str, first: bool) -> None:
    module = f"wild_script_{name}_{first}"
    text = (
        ["import numpy as np\n", RAISES[name] + "\n", PAIR] if first else ["import numpy as np\n", PAIR, RAISES[name]]
    )
    (folder / f"{module}.py").write_text("".join(text))
    loaded = load(module, str(folder / f"{module}.py"))
    found = {one.attribute: one for one in members(loaded, is_subject, belonging)}
    [failed] = [one for one in found if one.startswith("line ")]
    assert found["tanh"].verdict is None
    assert found[failed].verdict == "could not be asked"
    assert f"{module}.py, line" in found[failed].reason
    assert set(found) == {"tanh", failed}


@pytest.mark.parametrize(("slope", "verdict"), [("1 - np.tanh(x) ** 2", "correct"), ("1 - np.tanh(x)", "wrong")])
def test_its_functions_are_judged_as_ever(folder: Path, slope: str, verdict: str) -> None:
    module = f"wild_script_{verdict}"
    text = "import numpy as np\n" + PAIR.replace("1 - np.tanh(x) ** 2", slope) + "raise RuntimeError('no data')\n"
    (folder / f"{module}.py").write_text(text)
    loaded = load(module, str(folder / f"{module}.py"))
    assert check_subject(subject_of(get(loaded, "tanh")), FAST).verdict == verdict


@pytest.mark.parametrize("text", ["import not_installed\nx = 1\n", "raise KeyError('data')\n", "def f(:\n"])
def test_a_script_that_defines_nothing_does_not_import(folder: Path, text: str) -> None:
    (folder / "wild_script_nothing.py").write_text(text)
    with pytest.raises(CannotLoad, match=r"wild_script_nothing\.py, line 1"):
        load("wild_script_nothing", str(folder / "wild_script_nothing.py"))
