"""What is printed leads to the user's file and line: of an exception, and of a method whose claim is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.gradcheck.foreign import command

BROKEN = """
import numpy as np


class Broken:
    def forward(self, x):
        self.x = x
        return x**2

    def __call__(self, x):
        y = self.forward(x)
        self.backward(y)
        return y

    def backward(self, dout):
        return helper(self.x, dout)


def helper(x, dout):
    if True:
        raise ValueError("no gradient today" * 100)


class Right(Broken):
    def backward(self, dout):
        return 2 * self.x * dout
"""


def test_an_exception_names_the_user_s_file_and_line_and_has_a_short_traceback(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(BROKEN)
    done = command("layers.py", "--no-report", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "ValueError: no gradient today" in done.stdout
    assert "(layers.py, line 21)" in done.stdout
    assert "raise ValueError" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) < 1200
    assert "correct    layers.Right" in done.stdout
    whole = command("layers.py", "-v", "--no-report", folder=tmp_path).stdout
    at = whole.index("    traceback ")
    assert "layers.py, line 16, in backward" in whole[at:]
    assert whole.index("layers.py, line 21, in helper") > whole.index("layers.py, line 16, in backward")
    assert "gradcheck/" not in whole[at:]
    assert whole[at:].index("    traceback ") < whole[at:].index("raise ValueError")


INHERITED = """
import numpy as np


class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return 2 * self.x * dout


class Cube(Square):
    def forward(self, x):
        self.x = x
        return x**3


def f(x):
    return np.tanh(x)


def df(x):
    return np.tanh(x)
"""


def test_a_wrong_claim_says_where_its_method_is_written(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(INHERITED)
    done = command("layers.py", "-v", "--no-report", "--junit-xml", "out.xml", folder=tmp_path)
    assert "wrong      layers.Cube  everywhere  layers.py:14\n" in done.stdout
    assert "wrong      backward[x] everywhere (layers.py:10): " in done.stdout  # of the class that it inherits from
    assert "wrong      df[x] everywhere (layers.py:24): " in done.stdout
    assert "correct    backward[x]  18 points" in done.stdout
    assert 'classname="layers.Cube" name="backward[x]" file="layers.py" line="10"' in (tmp_path / "out.xml").read_text()
