"""The exit status, a test for each row of its table, each with a twin on the other side of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gradcheck.foreign import command, document, main_in

TANH = """
import numpy as np

class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, upstream):
        return upstream * (1 - self.y**2)
"""
WRONG = TANH.replace("1 - self.y**2", "self.y**2 - 1").replace("Tanh", "Wrong")
UNRESOLVED = TANH.replace("np.tanh(x)", "np.tanh(x) * np.nan").replace("Tanh", "Unresolved")
STUB = TANH.replace("return upstream * (1 - self.y**2)", "raise NotImplementedError").replace("Tanh", "Stub")
UNASKED = TANH.replace(
    "    def forward", "    def __init__(self, database):\n        database.connect()\n\n    def forward"
)
UNASKED = UNASKED.replace("Tanh", "Unasked")
SKIPPED = UNASKED.replace("class Unasked:", 'class Unasked:\n    gradcheck_skip = "needs a database"\n')
SKIPPED_WITHOUT_A_REASON = SKIPPED.replace('"needs a database"', "True")
WAIVED = WRONG.replace("class Wrong:", 'class Wrong:\n    gradcheck_waivers = {"backward[x]": "on purpose"}\n')
SPENT_WAIVER = WAIVED.replace("self.y**2 - 1", "1 - self.y**2")
CONVENTION = """
import numpy as np

class Max:
    def forward(self, x):
        self.x = x
        return x.max(axis=1, keepdims=True)

    def backward(self, upstream):
        return upstream * (self.x == self.x.max(axis=1, keepdims=True))
"""
NO_CONVENTION = CONVENTION.replace("(self.x ==", "2 * (self.x ==")
NOTE = TANH.replace("np.tanh(x)", "1 / (1 + np.exp(-x))").replace("(1 - self.y**2)", "self.y * (1 - self.y)")
WRONG_NOT_NOTE = NOTE.replace("self.y * (1 - self.y)", "self.y")
NEVER = TANH.replace("        self.y", "        if isinstance(x, str):\n            x = float(x)\n        self.y")
SEEN = "def swishGrad(x):\n    return 2 * x\n"
UNSEEN = "def upgrade(x):\n    return 2 * x\n\ndef zero_grad(x):\n    return 0 * x\n"
ABSENT = "import a_module_that_is_not_installed\n"
BREAKS_GRADCHECK = TANH + (
    "\nimport sys\ndef fail(*_): raise ZeroDivisionError('planted')\n"
    "sys.modules['gradcheck.check'].check_subject = fail\n"
)

ROWS: list[tuple[str, dict[str, str], str, int, str]] = [
    # (what, modules, arguments, status, what is said)
    ("correct", {"m": TANH}, "m.py", 0, "1 correct in "),
    ("waived", {"m": WAIVED}, "m.py", 0, "1 waived in "),
    ("convention", {"m": CONVENTION}, "m.py", 0, "1 convention in "),
    ("note", {"m": NOTE}, "m.py", 0, "note "),
    ("wrong", {"m": WRONG}, "m.py", 1, "1 wrong everywhere in "),
    ("wrong beside correct", {"m": TANH + WRONG}, "m.py", 1, "1 wrong everywhere, 1 correct in "),
    ("unresolved", {"m": UNRESOLVED}, "m.py", 1, "1 unresolved in "),
    ("not implemented", {"m": STUB}, "m.py", 1, "1 not implemented in "),
    ("no convention", {"m": NO_CONVENTION}, "m.py", 1, "1 wrong everywhere in "),
    ("wrong where another is noted", {"m": WRONG_NOT_NOTE}, "m.py", 1, "1 wrong everywhere in "),
    ("could not be asked", {"m": TANH + UNASKED}, "m.py", 1, "1 could not be asked, 1 correct in "),
    ("left out by its class", {"m": TANH + SKIPPED}, "m.py", 0, "because needs a database"),
    ("left out by its class, alone", {"m": SKIPPED}, "m.py", 0, "1 skipped in "),
    ("left out by its class, named", {"m": SKIPPED}, "m.py::Unasked", 0, "1 skipped in "),
    ("left out without a reason", {"m": SKIPPED_WITHOUT_A_REASON}, "m.py", 1, "gradcheck_skip to be the reason"),
    ("left out by name", {"m": TANH + UNASKED}, "m.py --exclude m.Unasked", 0, "1 correct, 1 skipped in "),
    ("left out by pattern", {"m": TANH + UNASKED}, "m.py --exclude *Un*d", 0, "(--exclude *Un*d)"),
    ("another left out", {"m": TANH + UNASKED}, "m.py --exclude m.Tanh", 1, "1 could not be asked, 1 skipped in "),
    ("not imported", {"p/m": TANH, "p/n": ABSENT}, "p", 1, "1 could not be asked, 1 correct in "),
    ("not imported, alone", {"n": ABSENT}, "n.py", 1, "because it cannot be imported: ModuleNotFoundError"),
    ("not imported, named", {"n": ABSENT}, "n.py::Dense", 1, "ModuleNotFoundError"),
    ("not imported, left out", {"p/m": TANH, "p/n": ABSENT}, "p --exclude p.n", 0, "1 correct, 1 skipped in "),
    ("not imported, all left out", {"p/m": TANH, "p/n": ABSENT}, "p --exclude p.n.*", 0, "1 correct, 1 skipped in "),
    ("not imported, its package left out", {"m": TANH, "p/n": ABSENT}, "m.py p --exclude p", 0, "1 correct, "),
    ("named, not understood", {"m": TANH + SEEN}, "m.py::swishGrad", 2, "forward(x) and backward(upstream)"),
    ("named, not understood, beside correct", {"m": TANH + SEEN}, "m.py::swishGrad m.py", 2, "1 correct in "),
    ("named, not understood, left out", {"m": TANH + SEEN}, "m.py::swishGrad m.py --exclude m.swish*", 0, "1 skipped"),
    ("named, understood", {"m": TANH + SEEN}, "m.py::Tanh", 0, "1 correct in "),
    ("module named, not understood", {"m": SEEN}, "m.py", 2, "m.py: seen and not understood; expected "),
    ("module named, not understood, beside correct", {"m": TANH, "n": SEEN}, "m.py n.py", 2, "n.py: seen and "),
    ("module named, nothing in it", {"m": UNSEEN}, "m.py", 2, "there is nothing to check"),
    ("module named, nothing in it, beside correct", {"m": TANH, "n": UNSEEN}, "m.py n.py", 0, "1 correct in "),
    (
        "wrong, and a name not understood",
        {"m": WRONG + SEEN},
        "m.py::swishGrad m.py",
        1,
        "1 wrong everywhere, 1 seen but not",
    ),
    ("seen inside a module", {"m": TANH + SEEN}, "m.py", 0, "1 seen but not understood, 1 correct in "),
    ("seen inside a package", {"p/m": TANH, "p/n": SEEN}, "p", 0, "1 seen but not understood, 1 correct in "),
    ("seen inside, beside wrong", {"m": WRONG + SEEN}, "m.py", 1, "1 wrong everywhere, 1 seen but not understood in "),
    ("only named after gradients", {"m": TANH + UNSEEN}, "m.py --strict", 0, "1 correct in "),
    ("strict, seen", {"m": TANH + SEEN}, "m.py --strict", 1, "1 seen but not understood, 1 correct in "),
    ("strict, note", {"m": NOTE}, "m.py --strict", 1, "1 correct in "),
    ("strict, convention", {"m": CONVENTION}, "m.py --strict", 1, "1 convention in "),
    ("strict, waived", {"m": WAIVED}, "m.py --strict", 1, "1 waived in "),
    ("strict, a waiver that nothing needs", {"m": SPENT_WAIVER}, "m.py --strict", 0, "1 correct in "),
    ("strict, correct", {"m": TANH}, "m.py --strict", 0, "1 correct in "),
    ("strict, left out", {"m": TANH + SKIPPED}, "m.py --strict", 0, "1 correct, 1 skipped in "),
    ("a branch never taken", {"m": NEVER}, "m.py", 0, "1 correct in "),
    ("a branch never taken, most are", {"m": NEVER}, "m.py --fail-under-branches 50", 0, "1 correct in "),
    (
        "a branch never taken, all have to be",
        {"m": NEVER},
        "m.py --fail-under-branches 100",
        1,
        "1 of 2 outcomes of decisions seen (50%), fewer than --fail-under-branches 100; "
        "never: `isinstance(x, str)` (m.py:6)",
    ),
    ("no branches", {"m": TANH}, "m.py --fail-under-branches 100", 0, "1 correct in "),
    ("unknown option", {"m": TANH}, "m.py --frobnicate", 2, "unrecognized arguments: --frobnicate"),
    ("no such file", {"m": TANH}, "n.py", 2, "there is no file 'n.py'; did you mean 'm.py'?"),
    ("no such name", {"m": TANH}, "m.py::Tahn", 2, "m has no 'Tahn'; did you mean 'Tanh'?"),
    ("no such name, beside correct", {"m": TANH}, "m.py m.py::Tahn", 2, "m has no 'Tahn'"),
    ("no such name, left out", {"m": TANH}, "m.py m.py::Tahn --exclude m.Tahn", 2, "m has no 'Tahn'"),
    ("nothing selected", {"m": TANH}, "m.py -k dense", 2, "there is nothing to check"),
    ("no target", {"m": TANH}, "", 2, "expected something to check"),
    (
        "an error in gradcheck",
        {"m": BREAKS_GRADCHECK},
        "m.py",
        3,
        "gradcheck itself failed: ZeroDivisionError: planted",
    ),
    (
        "an error in gradcheck, beside wrong",
        {"m": WRONG, "p/n": BREAKS_GRADCHECK},
        "m.py p/n.py",
        3,
        "1 wrong everywhere, ",
    ),
]


@pytest.mark.parametrize(("modules", "arguments", "status", "said"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_status(tmp_path: Path, modules: dict[str, str], arguments: str, status: int, said: str) -> None:
    write(tmp_path, modules)
    done = main_in(tmp_path, *arguments.split(), "--no-report", "--dtype", "float64", "--json", "out.json")
    printed = done.stdout + done.stderr
    assert said in printed
    assert done.returncode == status, printed
    assert ("Traceback" in printed) == (status == 3)
    if (tmp_path / "out.json").exists():
        assert document(tmp_path)["exit_status"] == status
    else:
        assert status == 2


def write(folder: Path, modules: dict[str, str]) -> None:
    for name, text in modules.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("targets", "status"),
    [("ada eve", 1), ("ada bob", 2), ("ada", 0), ("ada cem", 1), ("ada cem --exclude m.Unasked", 0)],
)
def test_status_over_folders(tmp_path: Path, targets: str, status: int) -> None:
    write(tmp_path, {"ada/m": TANH, "bob/m": SEEN, "cem/m": UNASKED, "eve/m": WRONG + SEEN})
    assert (
        command("--each", *targets.split(" --")[0].split(), "m", *options(targets), folder=tmp_path).returncode
        == status
    )


def options(targets: str) -> list[str]:
    _, dashes, rest = targets.partition(" --")
    return ["--no-report", "--dtype", "float64", *(f"--{rest}".split() if dashes else [])]
