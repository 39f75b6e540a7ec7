"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_in_one_step(target: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file that takes `target`'s place when the block ends without an exception.

    Until then, and after an exception (Ctrl-C as well), whatever stood at `target` stays as it was.
    """
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the move is one step, and under a name of its own, so that two writers do
    # not meet. Not `tempfile`: its files are closed to other users, whatever the umask says.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")
    try:
        with unfinished.open("xb") as file:
            yield file
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def in_one_line(error: BaseException) -> str:
    """Return what an exception says, or its name."""
    return " ".join(str(error).split()) or type(error).__name__
