"""Quiet TensorFlow, and the record that becomes `reports/data/tensorflow.json`.

The file is written only if `BERAS_TENSORFLOW_DATA` names it, and by one process that has seen all
measurements: with pytest-xdist's workers the tests run, but writing the file is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gradcheck.report.differential import Record, write

# TensorFlow reads these when it is imported, which is after this file: no log lines about CPU features,
# no look for a GPU, and none of oneDNN's reordered sums (it announces itself that results vary with it).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ["KERAS_BACKEND"] = "tensorflow"


@pytest.fixture(scope="session")
def record() -> Iterator[Record]:
    """What the tests measure; written at the end of the session if `BERAS_TENSORFLOW_DATA` is set."""
    from .peer import VERSIONS

    path = os.environ.get("BERAS_TENSORFLOW_DATA")
    if path and "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail("BERAS_TENSORFLOW_DATA is written by one process that sees all measurements: run without -n")
    collected = Record(VERSIONS)
    yield collected
    if path:
        write(collected.result(), path)
