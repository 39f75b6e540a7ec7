"""`python -m gradcheck`, to which Python gives the current folder as the first place to import from.

It is taken away before anything else is imported, by whatever name it stands there (`PYTHONPATH=.`): a `copy.py`
or an `html.py` in there is somebody's homework, not Python's module of that name. What is checked is imported by
worker processes.
"""

import os
import sys


def _is_current(entry: str) -> bool:
    """Whether an entry of `sys.path` is the current folder."""
    try:
        return entry in ("", ".") or os.path.realpath(entry) == os.path.realpath(os.getcwd())
    except FileNotFoundError:  # the current folder was deleted, which the command says in one line
        return False


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if not _is_current(entry)]
    from gradcheck.command.cli import console

    console()
