"""Leaves the modules that need the extras `report` and `proof` out of the doctests where they are not installed.

And hears Ctrl-C, which a shell has its background jobs ignore: some tests press it.
What the command prints does not depend on whether GitHub runs the tests.
What the tests start may keep its bytecode, as Python does unless it is told otherwise (container images often tell it):
else each of a thousand commands compiles all of gradcheck again, which takes longer than most of the checks.
"""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.pop("GITHUB_ACTIONS", None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Where `tests` and `benchmarks` are imported from, by other processes too; last, so that an installed wheel goes first.
sys.path.append(str(Path(__file__).parent))

_HERE = all(find_spec(name) for name in ("jinja2", "matplotlib"))
collect_ignore = [] if _HERE else [f"gradcheck/report/{name}.py" for name in ("html", "pictures", "sheet")]
collect_ignore_glob = [] if find_spec("flint") else ["gradcheck/exact/[!_]*"]
