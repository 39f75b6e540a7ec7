"""MNIST: found, downloaded once, checked before it is used, and brought into the shape that a model takes.

The file is Keras' `mnist.npz`: `x_train (60000, 28, 28)`, `y_train (60000,)`, `x_test (10000, 28, 28)`,
`y_test (10000,)`, all `uint8`. Source of the images: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
handwritten digits".
"""

from __future__ import annotations

import hashlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from beras.array_archive import Header, read_arrays
from beras.arrays import Array
from beras.core import Tensor
from beras.files import in_one_line, written_in_one_step
from beras.progress import Progress

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
MNIST_SHAPES = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}
CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte before a connection counts as dead


class DataError(Exception):
    """The data cannot be had or is not what it should be. The message is one line that says what to do."""


def load_and_preprocess_data(path: str | os.PathLike[str] | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return MNIST as `(train inputs, train labels, test inputs, test labels)`.

    Inputs are float32 in [0, 1], `(60000, 784)` and `(10000, 784)`; labels are `(60000,)` and `(10000,)`,
    the digits themselves (not one-hot). Nothing is shuffled.

    The file is `path`, or `$BERAS_MNIST`, or the one in the cache folder, which is downloaded when it is
    not there yet. Raises DataError.
    """
    given = path if path is not None else os.environ.get("BERAS_MNIST")
    arrays = read_mnist(Path(given) if given else cached_mnist())
    return (
        Tensor(_flat(arrays["x_train"])),
        Tensor(arrays["y_train"]),
        Tensor(_flat(arrays["x_test"])),
        Tensor(arrays["y_test"]),
    )


def _flat(images: Array) -> Array:
    # (n, 28, 28) of 0…255  →  (n, 784) of 0…1
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def read_mnist(path: Path) -> dict[str, Array]:
    """Read and validate the four arrays of an `mnist.npz`. Never unpickles. Raises DataError."""

    def accept(headers: Mapping[str, Header]) -> Iterable[str]:
        missing = sorted(set(MNIST_SHAPES) - set(headers))
        if missing:
            raise DataError(f"{path} has no {', '.join(missing)}, expected Keras' mnist.npz")
        for name, shape in MNIST_SHAPES.items():
            is_ = headers[name]
            if is_.shape != shape or is_.dtype != np.uint8:
                raise DataError(f"{path}: expected {name} as uint8 {shape}, but it is {is_.dtype} {is_.shape}")
        return MNIST_SHAPES

    try:
        arrays = read_arrays(path, accept)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}: BERAS_MNIST must name Keras' mnist.npz, or be unset") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as Keras' mnist.npz: {_told(error)}") from error
    for name in ("y_train", "y_test"):
        if (largest := arrays[name].max()) > 9:
            raise DataError(f"{path}: expected digits 0 to 9 in {name}, but it holds {largest}")
    return arrays


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/beras`, or `.cache/beras` in the home folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beras"


def cached_mnist(url: str = MNIST_URL, sha256: str = MNIST_SHA256, folder: Path | None = None) -> Path:
    """Return the path of the cached `mnist.npz`, after downloading it if it is missing or damaged.

    Raises DataError, one line, when it cannot be had.
    """
    target = (cache_folder() if folder is None else folder) / "mnist.npz"
    if target.is_file():
        if _sha256(target) == sha256:
            return target
        print(f"{target} is damaged and will be downloaded again", file=sys.stderr)
    try:
        download(url, target, sha256)
    except (OSError, HTTPException, ValueError) as error:  # URLError, HTTPError and timeouts are OSErrors
        raise DataError(
            f"cannot download MNIST from {url} ({_told(error)}): "
            "connect to the network, or set BERAS_MNIST to a copy of Keras' mnist.npz"
        ) from error
    return target


def download(url: str, target: Path, sha256: str) -> None:
    """Download `url` to `target`, which appears in one step and only when its sha256 is right.

    Raises OSError (the server's or the file system's), HTTPException, or ValueError for a file that is
    shorter than announced or has another checksum. In each case nothing is left behind.
    """
    try:
        with written_in_one_step(target) as file, urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            digest = _copy(response, file, f"Downloading {url}")
            if digest != sha256:
                raise ValueError(f"its sha256 is {digest}, expected {sha256}")
    except urllib.error.HTTPError as error:
        error.close()  # the exception holds the connection open
        raise


def _copy(response: Any, file: BinaryIO, label: str) -> str:
    """Copy a response to a file under a progress bar and return its sha256."""
    announced = response.headers.get("Content-Length")
    total = None if announced is None else int(announced)
    digest, received = hashlib.sha256(), 0
    with Progress(label, total, "bytes", sys.stderr) as progress:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            progress.update(received)
        if total is not None and received != total:
            raise ValueError(f"it ended after {received} of {total} bytes")
        progress.close(received)
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(error: BaseException) -> str:
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        error = error.reason if isinstance(error.reason, BaseException) else error
    return in_one_line(error)
