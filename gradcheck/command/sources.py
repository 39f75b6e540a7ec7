"""The code that is checked is what stands in its source files, never what Python has kept of an earlier state.

Python takes the bytecode in `__pycache__` for current if the source has the size and the time, in whole seconds, that
are written in it. A sign that is mended within a second of the last run, a patch or an archive that keeps times
leaves both as they were, and the verdict would be about code that is not there.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from importlib.machinery import SourceFileLoader
from types import CodeType


def compile_what_is_checked() -> None:
    """Compile what stands below the `checked` folders from its source from now on, and write no bytecode any more.

    What the checked code starts writes none either. Everything else is imported as ever.
    """
    known = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path) if is_checked(path) else known(self, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def check_below(folder: str) -> None:
    """Count what stands below a folder as checked."""
    _checked.add(_inside(folder))


def is_checked(file: str) -> bool:
    """Whether a file stands below a checked folder, and does not belong to Python or to an installed distribution.

    A virtual environment inside the checked folder is no part of what is checked: nobody changes it between two runs.
    """
    real = os.path.realpath(file)
    return real.startswith(tuple(_checked)) and not real.startswith(_installed)


def _inside(folder: str) -> str:
    """What the real paths of all files in a folder begin with."""
    return os.path.join(os.path.realpath(folder), "")


_checked: set[str] = set()
_installed = tuple(
    {_inside(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {_inside(folder) for folder in [*site.getsitepackages(), site.getusersitepackages()]}
)
