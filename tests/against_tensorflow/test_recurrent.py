"""Recurrent layers and attention against Keras', forward and backward, by every weight."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from beras import GRU, LSTM, MultiHeadAttention, SimpleRNN
from gradcheck.report.differential import Record

from .inputs import DTYPES
from .peer import gradients, keras
from .rounding import Array, Machine
from .running import Node, bounds, leaves_of, stack

BASIS = "running error bound of every step and of its adjoint; σ to eps of 1, for it may come from a tanh"
UNITS = 4


def rows(x: Node, start: int, stop: int) -> Node:
    return x[..., start:stop]


def simple(h: Node, c: Node, x: Node, w: Node, u: Node, b: Node | None) -> tuple[Node, Node]:
    z = x @ w + h @ u
    return (z if b is None else z + b).tanh(), c


def lstm(h: Node, c: Node, x: Node, w: Node, u: Node, b: Node | None) -> tuple[Node, Node]:
    z = x @ w + h @ u
    z = z if b is None else z + b
    i, f, g, o = (rows(z, k * UNITS, (k + 1) * UNITS) for k in range(4))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru(h: Node, c: Node, x: Node, w: Node, u: Node, b: Node | None) -> tuple[Node, Node]:
    a, s = x @ w, h @ u
    a, s = (a, s) if b is None else (a + b[0], s + b[1])
    (az, ar, ag), (sz, sr, sg) = ([rows(v, k * UNITS, (k + 1) * UNITS) for k in range(3)] for v in (a, s))
    z, r = (az + sz).sigmoid(), (ar + sr).sigmoid()
    g = (ag + r * sg).tanh()
    return z * h + (1.0 - z) * g, c


FORMULAS = {SimpleRNN: simple, LSTM: lstm, GRU: gru}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_recurrent(record: Record, cls: Any, return_sequences: bool, use_bias: bool, dtype: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 6, 2)).astype(dtype)
    options = {"use_bias": use_bias, "return_sequences": return_sequences, "dtype": dtype}
    ours = cls(UNITS, input_size=2, **options)
    weights = [(random.normal(size=w.shape) / 2).astype(dtype) for w in ours.weights]
    ours.set_weights(weights)
    theirs = getattr(keras.layers, cls.__name__)(UNITS, **options)
    theirs.build(x.shape)
    theirs.set_weights(weights)
    cell = theirs.cell
    variables = [cell.kernel, cell.recurrent_kernel, cell.bias][: len(weights)]

    def call(x_: Any, *values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return theirs(x_)

    y = ours(x)
    upstream = random.normal(size=y.shape).astype(dtype)
    found = [*ours.compose_input_gradients([upstream]), *ours.compose_weight_gradients([upstream])]
    their_y, their_found = gradients(call, [x, *weights], upstream)

    leaves = leaves_of([x, *weights], Machine.of(dtype))
    h, c = leaves_of([np.zeros((3, UNITS))] * 2, Machine.of(dtype))
    states = []
    for t in range(6):
        h, c = FORMULAS[cls](h, c, leaves[0][:, t], leaves[1], leaves[2], leaves[3] if use_bias else None)
        states.append(h)
    forward, backward = bounds(stack(states, axis=1) if return_sequences else h, upstream, leaves)
    name = f"{cls.__module__}.{cls.__name__}"
    record.compare(name, "forward", dtype, y, their_y, forward, BASIS)
    for part, a, b, error in zip("xwub", found, their_found, backward, strict=False):
        record.compare(name, f"backward[{part}]", dtype, a, b, error, BASIS)
        assert a.dtype == b.dtype == dtype


def attended(leaves: list[Node], inputs: int, mask: Array, key_dim: int) -> Node:
    """softmax(q kᵀ / √d) v for all heads, and the output's rows."""
    query, value, *rest = leaves[:inputs]
    key = rest[0] if rest else value
    wq, bq, wk, bk, wv, bv, wo, bo = leaves[inputs:]

    def heads(x: Node, w: Node, b: Node) -> Node:
        size, number, dim = w.shape
        z = (x @ w.reshape(size, number * dim)).reshape(*x.shape[:2], number, dim) + b
        return z.transpose(0, 2, 1, 3)

    q, k, v = heads(query, wq, bq), heads(key, wk, bk), heads(value, wv, bv)
    scores = (q @ k.transpose(0, 1, 3, 2)) * (1 / math.sqrt(key_dim))
    found = (scores + np.where(mask, 0.0, -1e9)).softmax() @ v
    number, dim, size = wo.shape
    return found.transpose(0, 2, 1, 3).reshape(*query.shape[:2], number * dim) @ wo.reshape(number * dim, size) + bo


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["value is key", "key", "mask", "causal"])
def test_attention(record: Record, kind: str, dtype: str) -> None:
    random = np.random.default_rng(0)
    shapes = [(2, 3, 5), (2, 4, 3), (2, 4, 2)]
    inputs = [random.normal(size=shape).astype(dtype) for shape in shapes[: 3 if kind == "key" else 2]]
    causal = kind == "causal"
    # Keras rounds 1/√key_dim to float32, for float64 too: with 4 there is nothing to round.
    ours = MultiHeadAttention(2, 4, 3, use_causal_mask=causal, dtype=dtype)
    ours.build(*[x.shape for x in inputs])
    weights = [(random.normal(size=w.shape) / 2).astype(dtype) for w in ours.weights]
    ours.set_weights(weights)
    # Keras takes another way, "flash attention", unless it is told not to; the formula is the same.
    theirs = keras.layers.MultiHeadAttention(2, 4, 3, dtype=dtype, flash_attention=False)
    theirs.build(inputs[0].shape, inputs[1].shape, inputs[-1].shape if kind == "key" else None)
    theirs.set_weights(weights)
    mask = np.ones((3, 4), bool)
    options: dict[str, Any] = {}
    if kind == "mask":
        mask = random.random((3, 4)) < 0.6
        mask[:, 0] = True
        options["attention_mask"] = mask
    if causal:
        mask = np.tri(3, 4, dtype=bool)

    def call(*values: Any) -> Any:
        mapping = list(zip(theirs.trainable_variables, values[len(inputs) :], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            extra = {"use_causal_mask": True} if causal else options
            return theirs(*values[: len(inputs)], **extra)

    y = ours(*inputs, **options)
    upstream = random.normal(size=y.shape).astype(dtype)
    by_input = ours.compose_input_gradients([upstream])
    if kind == "mask":
        by_input = [by_input[0], by_input[1] + by_input[2]]
    found = [*by_input, *ours.compose_weight_gradients([upstream])]
    their_y, their_found = gradients(call, [*inputs, *weights], upstream)

    leaves = leaves_of([*inputs, *weights], Machine.of(dtype))
    forward, backward = bounds(attended(leaves, len(inputs), mask, 4), upstream, leaves)
    name = "beras.attention.MultiHeadAttention"
    record.compare(name, f"forward, {kind}", dtype, y, their_y, forward, BASIS)
    names = [*["query", "value", "key"][: len(inputs)], "wq", "bq", "wk", "bk", "wv", "bv", "wo", "bo"]
    for part, a, b, error in zip(names, found, their_found, backward, strict=True):
        record.compare(name, f"backward[{part}], {kind}", dtype, a, b, error, BASIS)
        assert a.dtype == b.dtype == dtype
