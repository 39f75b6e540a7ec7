"""Files that appear whole or not at all, and archives that hold arrays and nothing else."""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from beras.arrays import Array


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

    Raises OSError where the file cannot be read (a missing one, say), or ValueError, which says what is wrong with it,
    for anything that is not such an archive.
    """
    content = Path(path).read_bytes()  # at once, so that an OSError is about the file system, not about damage
    if content.startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError("it is a single array, not an archive of arrays")
    if not content.startswith(b"PK"):
        raise ValueError("it is not an archive of arrays" if content else "it is empty")
    # Not np.load, which takes "a.npy" for another name of "a". At damage zipfile raises whatever the wrong bytes lead
    # it to, eight types of error at one flipped bit.
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception as error:
        raise ValueError(f"it is damaged or cut off ({in_one_line(error)})") from error
    return {name.removesuffix(".npy"): _array(name, member) for name, member in members.items()}


def _array(name: str, member: bytes) -> Array:
    if not (name.endswith(".npy") and member.startswith(np.lib.format.MAGIC_PREFIX)):
        raise ValueError(f"it holds {name!r}, which is not an array")
    try:
        array: Array = np.lib.format.read_array(io.BytesIO(member), allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"it holds {name!r}, which is not a plain array ({in_one_line(error)})") from error
    return array


def in_one_line(error: BaseException) -> str:
    """Return what an exception says, or its name."""
    return " ".join(str(error).split()) or type(error).__name__
