"""An archive of arrays holds nothing else, and what it says about itself is looked at before it is believed."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from beras import Dense, SequentialModel
from beras.array_archive import Header, read_arrays, write_arrays


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


def npy(shape: object, dtype: str = "<f4", content: bytes = b"", version: int = 1, blanks: int = 0) -> bytes:
    """A member that says it is an array of this shape, with `content` for its numbers."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode() + b" " * blanks
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + content


def archive_of(path: Path, *members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that occurs twice
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in members:
                archive.writestr(name, content)
    return path


NUMBERS = np.zeros(6, np.float32).tobytes()
GOOD = ("layers.0.w.npy", npy("(2, 3)", content=NUMBERS)), ("layers.0.b.npy", npy("(1, 3)", content=NUMBERS[:12]))
BOMB = npy("(1000, 50000)", content=bytes(200_000_000))
CRAFTED = {
    "a bomb under a weight's name": [("layers.0.w.npy", BOMB), GOOD[1]],
    "a bomb beside the weights": [*GOOD, ("more.npy", BOMB)],
    "a shape of terabytes": [("layers.0.w.npy", npy(f"({2**40}, 2)", content=NUMBERS)), GOOD[1]],
    "a type of gigabytes": [("layers.0.w.npy", npy("(2, 3)", dtype="<U1000000000", content=NUMBERS)), GOOD[1]],
    "a type that is an array": [("layers.0.w.npy", npy("(2, 3)", dtype="(1000,1000)<f4", content=NUMBERS)), GOOD[1]],
    "a giant header": [("layers.0.w.npy", npy("(2, 3)", version=2, blanks=200_000_000, content=NUMBERS)), GOOD[1]],
    "a header of brackets": [("layers.0.w.npy", npy("(" * 9_000, content=NUMBERS)), GOOD[1]],
    "a header that is code": [("layers.0.w.npy", npy("__import__('os').abort()", content=NUMBERS)), GOOD[1]],
    "a name twice": [*GOOD, GOOD[0]],
    "thousands of names": [(f"{k}.npy", b"") for k in range(3_000)],
    "thousands of arrays": [*GOOD, *((f"{k}.npy", GOOD[1][1]) for k in range(2_000))],
    "a name of pages": [("\n" * 60_000 + ".npy", GOOD[0][1]), GOOD[1]],
    "a negative size": [("layers.0.w.npy", npy("(-2, -3)", content=NUMBERS)), GOOD[1]],
    "true for a size": [("layers.0.w.npy", npy("(True, 6)", content=NUMBERS)), GOOD[1]],
    "a hundred axes": [("layers.0.w.npy", npy("(" + "1, " * 100 + ")", content=NUMBERS[:4])), GOOD[1]],
    "too few numbers": [("layers.0.w.npy", npy("(2, 3)", content=NUMBERS[:8])), GOOD[1]],
    "too many numbers": [("layers.0.w.npy", npy("(2, 3)", content=NUMBERS * 2)), GOOD[1]],
    "an unknown version": [("layers.0.w.npy", npy("(2, 3)", content=NUMBERS, version=9)), GOOD[1]],
    "text": [("layers.0.w.npy", npy("(2, 3)", dtype="<U1", content=NUMBERS)), GOOD[1]],
    "fields": [("layers.0.w.npy", npy("(2, 3)", dtype="V4", content=NUMBERS)), GOOD[1]],
}


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_crafted_file_is_refused_in_one_line_and_little_memory(tmp_path: Path, kind: str) -> None:
    path = archive_of(tmp_path / "w.npz", *CRAFTED[kind])
    model = SequentialModel([Dense(2, 3)])
    before = [np.array(weight) for weight in model.weights]
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"(cannot be read as saved weights|does not fit this model)") as caught:
        model.load_weights(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 6_000
    assert peak < 64e6
    assert all(map(np.array_equal, model.weights, before))


def test_the_files_that_are_crafted_are_near_misses(tmp_path: Path) -> None:
    model = SequentialModel([Dense(2, 3)])
    model.load_weights(archive_of(tmp_path / "w.npz", *GOOD))
    assert not np.asarray(model.weights[0]).any()


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_numpy_does_not_use_is_refused(tmp_path: Path, compression: int) -> None:
    with pytest.raises(ValueError, match="compressed in a way"):
        read_arrays(archive_of(tmp_path / "w.npz", *GOOD, compression=compression))


def test_what_is_compressed_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "w.npz", x=np.arange(6.0).reshape(2, 3, order="F"))
    np.testing.assert_array_equal(read_arrays(tmp_path / "w.npz")["x"], np.arange(6.0).reshape(2, 3, order="F"))


def test_headers_are_shown_before_any_content_is_read(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", {"x": np.zeros((2, 3), np.float32), "y": np.ones(10_000)})
    content = bytearray((tmp_path / "a").read_bytes())
    content[content.rindex(np.ones(9).tobytes())] ^= 1  # y is damaged near its end
    (tmp_path / "a").write_bytes(content)
    seen: dict[str, Header] = {}

    def accept(headers: Mapping[str, Header]) -> Iterable[str]:
        seen.update(headers)
        return ["x"]

    assert list(read_arrays(tmp_path / "a", accept)) == ["x"]
    assert [(header.shape, header.dtype, header.nbytes) for header in seen.values()] == [
        ((2, 3), np.float32, 24),
        ((10_000,), np.float64, 80_000),
    ]
    with pytest.raises(ValueError, match="damaged"):
        read_arrays(tmp_path / "a")


def test_a_member_that_unpacks_to_more_than_it_says_is_damaged(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "w.npz", ("x.npy", npy("(2,)", content=bytes(8) + bytes(1_000_000))))
    content = bytearray(path.read_bytes())
    size = len(npy("(2,)", content=bytes(8)))
    for at, offset in ((content.index(b"PK\x01\x02"), 24), (0, 22)):  # the sizes in the directory and at the member
        content[at + offset : at + offset + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        read_arrays(path)


def test_the_archive_is_numpys_own(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(3.0))
    (tmp_path / "a").write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(read_arrays(tmp_path / "a")["x"], np.arange(3.0))
