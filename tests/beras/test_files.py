"""A file stands whole under its name, or not at all; an archive of arrays holds nothing else."""

from __future__ import annotations

import os
import zipfile
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


def test_a_name_and_the_same_name_with_the_suffix_are_two(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", {"x.npy": np.array(1.0), "x": np.array(2.0)})
    assert {name: float(array) for name, array in read_arrays(tmp_path / "a").items()} == {"x.npy": 1.0, "x": 2.0}


def test_one_flipped_bit_anywhere_is_a_value_error_or_no_wrong_number(tmp_path: Path) -> None:
    path, array = tmp_path / "a", np.array([1.5, 2.5], np.float32)
    write_arrays(path, {"x": array})
    good = path.read_bytes()
    refused = 0
    for bit in range(8 * len(good)):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            read = read_arrays(path)
        except ValueError:
            refused += 1
        else:
            assert all(name == "x" and np.array_equal(value, array) for name, value in read.items())
    assert refused > 4 * len(good)  # the others are dates and the like


def test_a_file_cut_off_anywhere_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_arrays(path, {"x": np.array([1.5])})
    good = path.read_bytes()
    for size in range(len(good)):
        path.write_bytes(good[:size])
        with pytest.raises(ValueError, match="^it is empty$" if size == 0 else "^it is (damaged|not an archive)"):
            read_arrays(path)


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("notes.txt", b"text", r"it holds 'notes\.txt', which is not an array"),
        ("x.npy", b"text", r"it holds 'x\.npy', which is not an array"),
        ("x.npy", b"\x93NUMPY\x01\x00", r"it holds 'x\.npy', which is not a plain array \("),
    ],
)
def test_what_is_no_array_in_an_archive_is_named(tmp_path: Path, member: str, content: bytes, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr(member, content)
    with pytest.raises(ValueError, match=said):
        read_arrays(tmp_path / "a")


def test_what_is_no_archive_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("epoch 1: loss 0.3\n")
    with pytest.raises(ValueError, match=r"^it is not an archive of arrays$"):
        read_arrays(tmp_path / "text")
    np.save(tmp_path / "single.npy", np.ones(3))
    with pytest.raises(ValueError, match=r"^it is a single array, not an archive of arrays$"):
        read_arrays(tmp_path / "single.npy")
    with pytest.raises((IsADirectoryError, PermissionError)):
        read_arrays(tmp_path)
