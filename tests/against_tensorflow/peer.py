"""TensorFlow and Keras, or a skip: every module of this folder gets them from here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

tf: Any = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
keras: Any = pytest.importorskip("keras", reason="Keras is not installed")

# One thread sums in one order: the same numbers on every run.
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

VERSIONS = (("keras", keras.__version__), ("numpy", np.__version__), ("tensorflow", tf.__version__))


def gradients(function: Any, arrays: list[Any], upstream: Any = None) -> tuple[Any, list[Any]]:
    """Return `function(*arrays)` and TensorFlow's vector-Jacobian products by every array, as NumPy arrays."""
    tensors = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output = function(*tensors)
    found = tape.gradient(output, tensors, output_gradients=None if upstream is None else tf.constant(upstream))
    return output.numpy(), [g.numpy() for g in found]
