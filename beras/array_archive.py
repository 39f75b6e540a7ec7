"""Archives that hold arrays of numbers and nothing else: what NumPy calls `.npz`, read with care.

What a file says about itself is looked at first, and held against what is wanted, before any content is unpacked: a
small file may claim, or unpack to, more than fits into memory.
"""

from __future__ import annotations

import ast
import math
import os
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from beras.arrays import Array
from beras.files import in_one_line, written_in_one_step

LONGEST_HEADER = 10_000  # bytes: what NumPy itself takes for safe to parse
LENGTHS = {b"\x01\x00": "<H", b"\x02\x00": "<I"}  # how a header's length is written, by the version of the format
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True)
class Header:
    """What an array in a file is said to be; `start`: where in its member the numbers begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    start: int

    @property
    def nbytes(self) -> int:
        """How much memory the array takes."""
        return math.prod(self.shape) * self.dtype.itemsize


Accept = Callable[[Mapping[str, Header]], Iterable[str]]
"""Raises ValueError where the arrays are not what is wanted, and returns the names of those to read."""


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write an `.npz` of plain arrays, in one step."""
    # Not np.savez, which appends a suffix to the path and has argument names that an array must not have.
    with written_in_one_step(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_arrays(path: str | os.PathLike[str], accept: Accept = list) -> dict[str, Array]:
    """Read arrays from an `.npz`. Never unpickles. `accept` sees the headers before any content is read.

    Raises OSError where the file cannot be opened (a missing one, say), or ValueError, which says in one line what is
    wrong with it, for anything that is not such an archive.
    """
    with Path(path).open("rb") as file:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
        if start == np.lib.format.MAGIC_PREFIX:
            raise ValueError("it is a single array, not an archive of arrays")
        if not start.startswith(b"PK"):
            raise ValueError("it is not an archive of arrays" if start else "it is empty")
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # at damage, whatever the wrong bytes lead zipfile to
            raise _damaged(error) from error
        with archive:
            members = _members(archive)
            headers = {name: _header(archive, member) for name, member in members.items()}
            return {name: _content(archive, members[name], headers[name]) for name in accept(headers)}


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by the names of their arrays."""
    members = archive.infolist()
    for member in members:
        if not member.filename.endswith(".npy"):
            raise ValueError(f"it holds {_shown(member)}, which is not an array")
        if member.compress_type not in METHODS:
            raise ValueError(f"it holds {_shown(member)}, which is compressed in a way that NumPy does not use")
    [(name, times)] = Counter(member.filename for member in members).most_common(1) or [("", 0)]
    if times > 1:
        raise ValueError(f"it holds {_cut(repr(name))} {times} times")
    return {member.filename.removesuffix(".npy"): member for member in members}


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Header:
    """Read what an array is said to be, and hold it against the size of its member."""
    try:
        with archive.open(member) as stream:
            start = stream.read(8)
            if start[:6] != np.lib.format.MAGIC_PREFIX:
                raise _NotAnArray(f"it holds {_shown(member)}, which is not an array")
            form = LENGTHS[start[6:]]
            size = struct.calcsize(form)
            [length] = struct.unpack(form, stream.read(size))
            if length > LONGEST_HEADER:
                raise _NotAnArray(f"it holds {_shown(member)}, whose header of {length:,} bytes is no array's")
            header = _parsed(stream.read(length).decode("latin-1"), 8 + size + length)
    except _NotAnArray:
        raise
    except zipfile.BadZipFile as error:
        raise _damaged(error) from error
    except Exception as error:  # wrong bytes may lead to anything
        raise ValueError(
            f"it holds {_shown(member)}, which is not a plain array ({_cut(in_one_line(error))})"
        ) from error
    if header.start + header.nbytes != member.file_size:
        raise ValueError(
            f"it holds {_shown(member)}, which is said to be {header.dtype} {_cut(str(header.shape))} but takes "
            f"{member.file_size:,} bytes"
        )
    return header


def _parsed(text: str, start: int) -> Header:
    found = ast.literal_eval(text)
    shape, fortran_order = found["shape"], found["fortran_order"]
    dtype = np.lib.format.descr_to_dtype(found["descr"])
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 32):
        raise ValueError("its shape is none")
    if dtype.kind not in "fiubc":
        raise ValueError(f"Object arrays and the like are not read: it is of type {dtype}")
    return Header(shape, dtype, bool(fortran_order), start)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: Header) -> Array:
    try:
        with archive.open(member) as stream:
            stream.read(header.start)
            content = bytearray(stream.read(header.nbytes + 1))  # to the end, where the checksum is looked at
        array = np.frombuffer(content, header.dtype)
        return array.reshape(header.shape, order="F" if header.fortran_order else "C")
    except Exception as error:
        raise _damaged(error) from error


class _NotAnArray(ValueError):
    """Says already all that there is to say."""


def _damaged(error: BaseException) -> ValueError:
    return ValueError(f"it is damaged or cut off ({_cut(in_one_line(error))})")


def _shown(member: zipfile.ZipInfo) -> str:
    return _cut(repr(member.filename))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:76]} …"
