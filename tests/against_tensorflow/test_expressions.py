"""Random expression graphs: NumPy on Tensors inside Beras' tape against TensorFlow's tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from beras import GradientTape, Tensor

from .inputs import CASES
from .peer import tf

SHAPES = ((3, 4), (4,), (3, 1), (), (2, 3, 4), (1,))

# name: what to write in NumPy, what in TensorFlow, of tensors x and y (broadcast) and a number k drawn for it
BOTH: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, k: x + y,
    "subtract": lambda x, y, k: x - y,
    "multiply": lambda x, y, k: x * y,
    "divide": lambda x, y, k: x / (abs(y) + 1.0),
    "negate": lambda x, y, k: -x,
    "with numbers": lambda x, y, k: 1.5 - 2.0 * x / 3.0,
    "square": lambda x, y, k: x**2,
    "absolute": lambda x, y, k: abs(x - 0.77),
    "reuse": lambda x, y, k: x * x + x,
    "first": lambda x, y, k: x[0],
    "item": lambda x, y, k: x[k % x.shape[0]],
    "slice": lambda x, y, k: x[..., ::-1][..., :2],
    "new axis": lambda x, y, k: x[:, None] if k % 2 else x[None],
}
NUMPY: dict[str, Callable[..., Any]] = {
    "power": lambda x, y, k: (abs(x) + 0.5) ** np.tanh(y),
    "maximum": lambda x, y, k: np.maximum(x, y),
    "minimum": lambda x, y, k: np.minimum(x, y),
    "where": lambda x, y, k: np.where(np.asarray(x) > 1.1, x, y),
    "exp": lambda x, y, k: np.exp(np.tanh(x)),
    "log": lambda x, y, k: np.log(abs(x) + 0.5),
    "sqrt": lambda x, y, k: np.sqrt(abs(x) + 0.5),
    "sin": lambda x, y, k: np.sin(x),
    "cos": lambda x, y, k: np.cos(x),
    "clip": lambda x, y, k: np.clip(x, 0.6, 1.4),
    "sum": lambda x, y, k: x.sum(axis=k % x.ndim),
    "sum, kept": lambda x, y, k: np.sum(x, axis=k % x.ndim, keepdims=True),
    "mean": lambda x, y, k: x.mean(axis=k % x.ndim),
    "max": lambda x, y, k: x.max(axis=k % x.ndim),
    "min": lambda x, y, k: np.min(x, axis=k % x.ndim),
    "reshape": lambda x, y, k: x.reshape(-1),
    "transpose": lambda x, y, k: x.T,
    "take": lambda x, y, k: x[[0, -1, 0]],
    "mask": lambda x, y, k: x[np.arange(x.shape[0]) % 2 == 0],
    "concatenate": lambda x, y, k: np.concatenate([x, 2.0 * x], axis=k % x.ndim),
    "stack": lambda x, y, k: np.stack([x, np.sin(x)], axis=k % (x.ndim + 1)),
    "matmul": lambda x, y, k: x @ np.swapaxes(x, -1, -2),
    "dot": lambda x, y, k: x @ np.ones(x.shape[-1]),
    "einsum": lambda x, y, k: np.einsum("...i,...j->...ij", x, np.sin(x)),
    "einsum, summed": lambda x, y, k: np.einsum("...i,...i->...", x, np.cos(x)),
    "prod": lambda x, y, k: np.prod(x, axis=k % x.ndim),
    "norm": lambda x, y, k: np.linalg.norm(x, axis=k % x.ndim),
    "cumsum": lambda x, y, k: np.cumsum(x, axis=k % x.ndim),
    "sort": lambda x, y, k: np.sort(x, axis=k % x.ndim),
    "logaddexp": lambda x, y, k: np.logaddexp(np.tanh(x), y),
    "outer": lambda x, y, k: np.outer(x, np.ones(2)),
    "pad": lambda x, y, k: np.pad(x, [(k % 2, 1)] * x.ndim),
    "split": lambda x, y, k: np.split(x, [1], axis=k % x.ndim)[0],
    "squeeze": lambda x, y, k: np.squeeze(np.expand_dims(x, k % (x.ndim + 1)), k % (x.ndim + 1)),
    "solve": lambda x, y, k: np.linalg.solve(definite(np.eye, x, np.swapaxes), x),
    "inv": lambda x, y, k: np.linalg.inv(definite(np.eye, x, np.swapaxes)),
    "det": lambda x, y, k: np.log(np.linalg.det(definite(np.eye, x, np.swapaxes))),
    "slogdet": lambda x, y, k: np.linalg.slogdet(definite(np.eye, x, np.swapaxes))[1],
    "cholesky": lambda x, y, k: np.linalg.cholesky(definite(np.eye, x, np.swapaxes)),
}
TENSORFLOW: dict[str, Callable[..., Any]] = {
    "power": lambda x, y, k: (abs(x) + 0.5) ** tf.tanh(y),
    "maximum": lambda x, y, k: tf.maximum(x, y),
    "minimum": lambda x, y, k: tf.minimum(x, y),
    "where": lambda x, y, k: tf.where(x > 1.1, x, y),
    "exp": lambda x, y, k: tf.exp(tf.tanh(x)),
    "log": lambda x, y, k: tf.math.log(abs(x) + 0.5),
    "sqrt": lambda x, y, k: tf.sqrt(abs(x) + 0.5),
    "sin": lambda x, y, k: tf.sin(x),
    "cos": lambda x, y, k: tf.cos(x),
    "clip": lambda x, y, k: tf.clip_by_value(x, 0.6, 1.4),
    "sum": lambda x, y, k: tf.reduce_sum(x, axis=k % x.ndim),
    "sum, kept": lambda x, y, k: tf.reduce_sum(x, axis=k % x.ndim, keepdims=True),
    "mean": lambda x, y, k: tf.reduce_mean(x, axis=k % x.ndim),
    "max": lambda x, y, k: tf.reduce_max(x, axis=k % x.ndim),
    "min": lambda x, y, k: tf.reduce_min(x, axis=k % x.ndim),
    "reshape": lambda x, y, k: tf.reshape(x, [-1]),
    "transpose": lambda x, y, k: tf.transpose(x),
    "take": lambda x, y, k: tf.gather(x, [0, x.shape[0] - 1, 0]),
    "mask": lambda x, y, k: tf.boolean_mask(x, np.arange(x.shape[0]) % 2 == 0),
    "concatenate": lambda x, y, k: tf.concat([x, 2.0 * x], axis=k % x.ndim),
    "stack": lambda x, y, k: tf.stack([x, tf.sin(x)], axis=k % (x.ndim + 1)),
    "matmul": lambda x, y, k: tf.matmul(x, x, transpose_b=True),
    "dot": lambda x, y, k: tf.linalg.matvec(x, np.ones(x.shape[-1])),
    "einsum": lambda x, y, k: tf.einsum("...i,...j->...ij", x, tf.sin(x)),
    "einsum, summed": lambda x, y, k: tf.einsum("...i,...i->...", x, tf.cos(x)),
    "prod": lambda x, y, k: tf.reduce_prod(x, axis=k % x.ndim),
    "norm": lambda x, y, k: tf.norm(x, axis=k % x.ndim),
    "cumsum": lambda x, y, k: tf.cumsum(x, axis=k % x.ndim),
    "sort": lambda x, y, k: tf.sort(x, axis=k % x.ndim) if k % x.ndim == x.ndim - 1 else sorted_along(x, k % x.ndim),
    "logaddexp": lambda x, y, k: tf.reduce_logsumexp(tf.stack(broadcast(tf.tanh(x), y)), axis=0),
    "outer": lambda x, y, k: tf.tensordot(tf.reshape(x, [-1]), tf.ones(2, x.dtype), 0),
    "pad": lambda x, y, k: tf.pad(x, [(k % 2, 1)] * x.ndim),
    "split": lambda x, y, k: tf.gather(x, [0], axis=k % x.ndim),
    "squeeze": lambda x, y, k: tf.squeeze(tf.expand_dims(x, k % (x.ndim + 1)), k % (x.ndim + 1)),
    "solve": lambda x, y, k: tf.linalg.solve(tf_definite(x), x),
    "inv": lambda x, y, k: tf.linalg.inv(tf_definite(x)),
    "det": lambda x, y, k: tf.math.log(tf.linalg.det(tf_definite(x))),
    "slogdet": lambda x, y, k: tf.linalg.slogdet(tf_definite(x))[1],
    "cholesky": lambda x, y, k: tf.linalg.cholesky(tf_definite(x)),
}


def definite(eye: Any, x: Any, swapaxes: Any) -> Any:
    """x xᵀ / n + 1: symmetric, and far from singular."""
    return x @ swapaxes(x, -1, -2) / x.shape[-1] + eye(x.shape[-2])


def tf_definite(x: Any) -> Any:
    return tf.matmul(x, x, transpose_b=True) / float(x.shape[-1]) + tf.eye(x.shape[-2], dtype=x.dtype)


def broadcast(x: Any, y: Any) -> list[Any]:
    shape = np.broadcast_shapes(tuple(x.shape), tuple(y.shape))
    return [tf.broadcast_to(x, shape), tf.broadcast_to(y, shape)]


def sorted_along(x: Any, axis: int) -> Any:
    order = [k for k in range(x.ndim) if k != axis] + [axis]
    return tf.transpose(tf.sort(tf.transpose(x, order)), np.argsort(order))


BROADCAST = {"logaddexp", "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "where"}
NEEDED_AXES = {"matmul": 2, "dot": 2, "first": 1, "item": 1, "slice": 1, "new axis": 1, "take": 1, "mask": 1}
NEEDED_AXES |= dict.fromkeys(("sum", "sum, kept", "mean", "max", "min", "concatenate"), 1)
NEEDED_AXES |= dict.fromkeys(("einsum", "einsum, summed", "prod", "norm", "cumsum", "sort", "outer", "split", "pad"), 1)
NEEDED_AXES |= dict.fromkeys(("solve", "inv", "det", "slogdet", "cholesky"), 2)

STEPS = st.tuples(st.sampled_from(sorted(BOTH | NUMPY)), *[st.integers(0, 11)] * 3)


def run(sources: list[Any], steps: list[tuple[str, int, int, int]], own: dict[str, Callable[..., Any]]) -> Any:
    """Apply the steps, each to earlier values; one that does not fit its operands' shapes is left out."""
    values = list(sources)
    table = BOTH | own
    for name, first, second, k in steps:
        x, y = values[-1 - first % len(values)], values[-1 - second % len(values)]
        if len(x.shape) < NEEDED_AXES.get(name, 0) or (name in BROADCAST and not fit(x, y)):
            continue
        z = table[name](x, y, k)
        if 0 < int(np.prod(z.shape)) <= 2000:
            values.append(z)
    return values[-1]


def fit(x: Any, y: Any) -> bool:
    """Whether x and y can be broadcast."""
    try:
        np.broadcast_shapes(tuple(x.shape), tuple(y.shape))
    except ValueError:
        return False
    return True


def test_both_tables_name_the_same_operations() -> None:
    assert set(NUMPY) == set(TENSORFLOW)


@settings(CASES, max_examples=300)
@given(
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    steps=st.lists(STEPS, min_size=1, max_size=14),
    seed=st.integers(0, 1000),
)
def test_gradients_of_random_expressions(
    shapes: list[tuple[int, ...]], steps: list[tuple[str, int, int, int]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    arrays = [random.uniform(0.3, 2.0, shape) for shape in shapes]

    ours = [Tensor(array) for array in arrays]
    with GradientTape() as tape:
        z = run(ours, steps, NUMPY)
    found = tape.gradient(z, ours)

    theirs = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as their_tape:
        their_tape.watch(theirs)
        their_z = run(theirs, steps, TENSORFLOW)
    expected = their_tape.gradient(their_z, theirs)

    assert z.shape == tuple(their_z.shape)
    np.testing.assert_allclose(z, their_z.numpy(), rtol=1e-10, atol=1e-12)
    for g, their_g in zip(found, expected, strict=True):
        if their_g is None:
            assert g is None
        else:
            want = tf.convert_to_tensor(their_g).numpy()  # indexed slices become an array
            np.testing.assert_allclose(g, want, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(want).max())))
