"""Fourteen folders as a class brings them, and what is true of each: ten mishaps and four forgeries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.gradcheck.foreign import LAYERS, package

RIGHT = LAYERS.split("class Flipped")[0].replace('        print("forward")\n', "")
"""Tanh alone, and right."""

WRONG = RIGHT.replace("1 - self.y**2", "self.y**2 - 1")

HONEST = RIGHT.replace("class Tanh(Diffable)", "class Honest(Tanh)")
"""A right class beside the wrong one, for a forgery to pass off as it."""

PIPE = """
import json, os
claim = {"name": "beras.layers.Tanh", "source": "", "verdict": "correct", "schema": 2}
for fd in range(3, 40):
    try: os.write(fd, json.dumps({"result": claim}).encode() + b"\\n")
    except OSError: pass
"""

OVERALL = """
import sys
for module in list(sys.modules.values()):
    if getattr(module, "overall", None): module.overall = lambda verdicts: "correct"
"""

REGISTERED = """
import gradcheck
gradcheck.register(Tanh, lambda thing: Honest())
"""

CONSTANT = """
Tanh.constant_inputs = ("x",)
Tanh.get_input_gradients = lambda self: [0 * self.y]
"""

NEIGHBOUR = """
import os
victim = os.path.join({submissions!r}, "trains", "beras", "layers.py")
try: open(victim, "w").write("")
except OSError: pass
"""


@dataclass(frozen=True)
class Submission:
    """What one folder holds, and what the table says: verdict and a part of the cause, with and without --distrust.

    `at`: the component in whose row that is; `notes`: a part of what is said of the folder.
    """

    who: str
    layers: str
    verdict: str
    cause: str = ""
    at: str = "beras.layers.Tanh"
    distrusted: str = ""
    notes: str = ""


def submissions(folder: str) -> tuple[Submission, ...]:
    """The fourteen, which will lie in `folder`."""
    refused = "could not be asked"
    return (
        Submission("changer", NEIGHBOUR.format(submissions=folder) + RIGHT, "correct"),
        Submission("hang", "while True: pass\n" + RIGHT, refused, "did not finish within 3 s", at="beras.layers"),
        Submission("flood", RIGHT + "for _ in range(100): print('x' * 100_000)\n", "correct"),
        Submission(
            "trains",
            RIGHT + "w = np.zeros(9)\nfor _ in range(2000): w += np.tanh(w)\nnp.save('weights.npy', w)\n",
            "correct",
            notes="in its own copy, weights.npy (new)",
        ),
        Submission(
            "deletes",
            RIGHT + "import os\nos.remove('data.csv')\nos.remove(__file__)\n",
            "correct",
            notes="beras/layers.py (deleted), data.csv (deleted)",
        ),
        Submission("exits", RIGHT + "import sys; sys.exit(0)\n", refused, "ends the program", at="beras.layers"),
        Submission("asks", "n = input('size? ')\n" + RIGHT, refused, "EOFError", at="beras.layers"),
        Submission("latin", RIGHT, refused, "SyntaxError", at="beras.layers"),
        Submission("nested", RIGHT, "correct", notes="it lies one folder deeper, in hw3"),
        Submission("empty", "", refused, "there is nothing to check", at="beras"),
        Submission("pipe", PIPE + WRONG, refused, "wrote into the pipe", at="beras.layers"),
        Submission("overall", OVERALL + WRONG, refused, "its code replaced gradcheck.", at="beras.layers"),
        Submission(
            "registers",
            WRONG + HONEST + REGISTERED,
            "waived",
            "(register); without that, it is wrong",
            distrusted="wrong",
        ),
        Submission(
            "constant", RIGHT + CONSTANT, "waived", "(constant_inputs); without that, it is wrong", distrusted="wrong"
        ),
    )


def write(one: Submission, folder: Path) -> None:
    """Write a submission's files."""
    own = folder / one.who
    package(own / "hw3" if one.who == "nested" else own, one.layers)
    (own / "data.csv").write_text("1,2\n")
    if one.who == "latin":
        (own / "beras" / "layers.py").write_bytes((RIGHT + "UNIT = 'Größe'\n").encode("latin-1"))
    if one.who == "empty":
        (own / "beras" / "core.py").write_text("")
