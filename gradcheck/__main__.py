"""`python -m gradcheck`, to which Python gives the current folder as the first place to import from.

It is taken away before anything else is imported: a `copy.py` or an `html.py` in there is somebody's homework, not
Python's module of that name. What is checked is imported by worker processes.
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]
    from gradcheck.cli import console

    console()
