"""A file stands whole under its name, or not at all; an archive of arrays holds nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from beras.files import read_arrays, write_arrays, written_in_one_step


def test_the_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with written_in_one_step(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_an_exception_keeps_what_was_there_and_leaves_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with written_in_one_step(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with written_in_one_step(path) as outer:
        outer.write(b"outer")
        with written_in_one_step(path) as inner:
            inner.write(b"inner")
        assert path.read_bytes() == b"inner"
    assert path.read_bytes() == b"outer"


def test_the_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    with written_in_one_step(tmp_path / "ours") as file:
        file.write(b"")
    (tmp_path / "theirs").write_bytes(b"")
    assert os.stat(tmp_path / "ours").st_mode == os.stat(tmp_path / "theirs").st_mode


def test_arrays_come_back_with_name_shape_order_and_dtype(tmp_path: Path) -> None:
    arrays = {
        "file": np.arange(6, dtype=">i4").reshape(2, 3),  # np.savez has an argument of that name
        "a.b/c": np.array(1.5, np.float16),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 3), np.float32),
    }
    write_arrays(tmp_path / "a", arrays)
    read = read_arrays(tmp_path / "a")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


def test_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "a", {"x": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []
