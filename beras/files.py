"""Files that appear whole or not at all, and archives that hold arrays and nothing else."""

from __future__ import annotations

import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


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


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write an `.npz` of plain arrays, in one step."""
    # Not np.savez, which appends a suffix to the path and has argument names that an array must not have.
    with written_in_one_step(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_arrays(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read an `.npz` of plain arrays. Never unpickles.

    Raises OSError (a missing file, say), or ValueError for anything that is not such an archive.
    """
    with open(path, "rb") as file:  # by hand: np.load leaves a file open that it cannot read
        try:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("it is a single array, not an archive of arrays")
            return {name: archive[name] for name in archive.files}
        except (EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(" ".join(str(error).split())) from error
