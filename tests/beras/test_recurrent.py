"""Recurrent layers, attention and embedding against their formulas, one sample and one step at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from beras import GRU, LSTM, Embedding, GradientTape, MultiHeadAttention, SimpleRNN, Tensor
from tests.beras.differences import assert_vjp_matches, gradient

RECURRENT = [SimpleRNN, LSTM, GRU]


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def simple(h: Any, c: Any, z: Any, s: Any, _: Any) -> tuple[Any, Any]:
    return np.tanh(z + s), c


def lstm(h: Any, c: Any, z: Any, s: Any, _: Any) -> tuple[Any, Any]:
    i, f, g, o = np.split(z + s, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(h: Any, c: Any, a: Any, s: Any, b: Any) -> tuple[Any, Any]:
    (az, ar, ag), (sz, sr, sg) = np.split(a, 3), np.split(s + b, 3)
    z, r = sigmoid(az + sz), sigmoid(ar + sr)
    return z * h + (1 - z) * np.tanh(ag + r * sg), c


STEPS = {SimpleRNN: simple, LSTM: lstm, GRU: gru}


def filled(cls: Any, **options: Any) -> Any:
    layer = cls(3, input_size=2, dtype=np.float64, seed=0, **options)
    for k, weight in enumerate(layer.weights):
        weight[...] = np.random.default_rng(k).normal(size=weight.shape)
    return layer


@pytest.mark.parametrize("cls", RECURRENT)
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_every_step_by_its_formula(cls: Any, use_bias: bool, return_sequences: bool) -> None:
    layer = filled(cls, use_bias=use_bias, return_sequences=return_sequences)
    x = np.random.default_rng(9).normal(size=(4, 5, 2))
    w, u = np.asarray(layer.w), np.asarray(layer.u)
    b = np.atleast_2d(np.asarray(layer.b)) if use_bias else np.zeros((2, w.shape[1]))
    states = []
    for sample in x:
        h, c, seen = np.zeros(3), np.zeros(3), []
        for row in sample:
            h, c = STEPS[cls](h, c, row @ w + b[0], h @ u, b[1] if len(b) > 1 else 0)
            seen.append(h)
        states.append(seen if return_sequences else h)
    np.testing.assert_allclose(layer(x), states, rtol=1e-12, atol=1e-14)
    assert_vjp_matches(layer, x)


@pytest.mark.parametrize("cls", RECURRENT)
def test_weights_are_made_as_keras_makes_them(cls: Any) -> None:
    layer = cls(4, seed=1)
    assert layer.weights == []
    assert layer(np.ones((2, 3, 5), np.float32)).shape == (2, 4)
    w, u, b = (np.asarray(weight) for weight in layer.weights)
    columns = layer.gates * 4
    assert (w.shape, u.shape) == ((5, columns), (4, columns))
    assert np.abs(w).max() <= np.sqrt(6 / (5 + columns))
    np.testing.assert_allclose(u @ u.T, np.eye(4), atol=1e-6)
    expected = {SimpleRNN: np.zeros(4), LSTM: np.repeat([0.0, 1.0, 0.0, 0.0], 4), GRU: np.zeros((2, 12))}
    assert b.tolist() == expected[cls].tolist()


def test_the_bias_of_the_forget_gate_can_be_zero() -> None:
    assert not np.asarray(LSTM(2, unit_forget_bias=False, input_size=1).b).any()


@pytest.mark.parametrize("cls", RECURRENT)
def test_a_layer_of_sequences_feeds_the_next(cls: Any) -> None:
    first, last = filled(cls, return_sequences=True), cls(2, input_size=3, dtype=np.float64, seed=3)
    x = Tensor(np.random.default_rng(9).normal(size=(2, 4, 2)))
    with GradientTape() as tape:
        loss = (last(first(x)) ** 2).sum()
    sources = [x, *first.weights, *last.weights]

    def value() -> float:
        return float((np.asarray(last.forward(first.forward(x))) ** 2).sum())

    for source, found in zip(sources, tape.gradient(loss, sources), strict=True):
        np.testing.assert_allclose(found, gradient(value, np.asarray(source)), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", None, "gelu"])
def test_a_simple_layer_takes_activations_of_each_entry(activation: Any) -> None:
    layer = filled(lambda units, **options: SimpleRNN(units, activation, **options))
    assert_vjp_matches(layer, np.random.default_rng(9).normal(size=(2, 3, 2)))
    with pytest.raises(TypeError, match="an activation of each entry, got Softmax"):
        SimpleRNN(2, "softmax")


@pytest.mark.parametrize("cls", RECURRENT)
def test_recurrent_layers_say_what_they_expect(cls: Any) -> None:
    for x in (np.ones((2, 3)), np.ones((2, 3, 4))):
        with pytest.raises(
            ValueError, match=rf"{cls.__name__} expects sequences of shape \(batch, time, 2\), got shape"
        ):
            cls(3, input_size=2)(x)
    with pytest.raises(ValueError, match=r"\(batch, time, size\), got shape \(2, 3\)"):
        cls(3)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="units to be at least 1, got 0"):
        cls(0)
    with pytest.raises(ValueError, match="empty array"):
        cls(3, input_size=2)(np.ones((0, 3, 2)))


# --- attention


def attended(layer: Any, query: Any, value: Any, key: Any, may_look: Any) -> Any:
    """One sample, one head, one query at a time."""
    wq, bq, wk, bk, wv, bv, wo, bo = (np.asarray(w) for w in layer.weights)
    result = np.zeros((*query.shape[:2], wo.shape[-1])) + bo
    for n in range(len(query)):
        for h in range(wq.shape[1]):
            q, k, v = query[n] @ wq[:, h] + bq[h], key[n] @ wk[:, h] + bk[h], value[n] @ wv[:, h] + bv[h]
            for t in range(len(q)):
                scores = np.array([q[t] @ k[s] / np.sqrt(q.shape[1]) for s in range(len(k))])
                e = np.exp(scores - scores.max()) * may_look[n, t]
                result[n, t] += (e / e.sum()) @ v @ wo[h]
    return result


@pytest.mark.parametrize("kind", ["value is key", "key", "mask", "mask of each sample", "causal", "causal with a mask"])
def test_attention_by_its_formula(kind: str) -> None:
    random = np.random.default_rng(0)
    layer = MultiHeadAttention(2, 3, 4, use_causal_mask=kind.startswith("causal"), dtype=np.float64, seed=0)
    query, value, key = random.normal(size=(2, 3, 5)), random.normal(size=(2, 4, 3)), random.normal(size=(2, 4, 2))
    given = [query, value, key] if kind == "key" else [query, value]
    layer.build(*[x.shape for x in given])
    for weight in layer.weights:
        weight[...] = random.normal(size=weight.shape)
    may_look, options = np.ones((2, 3, 4), bool), {}
    if "mask" in kind:
        shape = (2, 3, 4) if "sample" in kind else (3, 4)
        options["attention_mask"] = mask = random.random(shape) < 0.6
        mask[..., 0] = True
        may_look &= mask
    if "causal" in kind:
        may_look &= np.tri(3, 4, dtype=bool)
    y = layer(*given, **options)
    np.testing.assert_allclose(y, attended(layer, query, value, given[-1], may_look), rtol=1e-12, atol=1e-13)
    J = random.normal(size=y.shape)

    def scalar() -> float:
        mask = options.get("attention_mask")
        return float((np.asarray(layer.forward(*given, *[None] * (3 - len(given)), mask)) * J).sum())

    by_input, by_weight = layer.compose_input_gradients([J]), layer.compose_weight_gradients([J])
    if options:
        *by_input, by_mask = by_input
        assert not np.asarray(by_mask).any()
        if len(by_input) == 3:  # the value stands for the key too, and got a gradient as each
            by_input = [by_input[0], by_input[1] + by_input[2]]
    for x, g in zip([*given, *map(np.asarray, layer.weights)], [*by_input, *by_weight], strict=True):
        np.testing.assert_allclose(g, gradient(scalar, x), rtol=1e-6, atol=1e-7)


def test_self_attention_adds_the_gradients_of_its_three_roles() -> None:
    random = np.random.default_rng(0)
    layer, x = MultiHeadAttention(2, 3, input_size=4, dtype=np.float64, seed=0), Tensor(random.normal(size=(2, 3, 4)))
    with GradientTape() as tape:
        loss = (layer(x, x) ** 2).sum()

    def value() -> float:
        return float((np.asarray(layer.forward(x, x)) ** 2).sum())

    np.testing.assert_allclose(tape.gradient(loss, x), gradient(value, np.asarray(x)), rtol=1e-6, atol=1e-7)


def test_a_query_that_may_look_nowhere_gets_the_mean() -> None:
    layer, x = (
        MultiHeadAttention(1, 2, input_size=2, dtype=np.float64, seed=0),
        np.random.default_rng(0).normal(size=(1, 3, 2)),
    )
    nowhere = layer(x, x, attention_mask=np.zeros((3, 3), bool))
    same = MultiHeadAttention(1, 2, input_size=2, dtype=np.float64, seed=0)
    same.wq.assign(0.0)
    np.testing.assert_allclose(nowhere, same(x, x), rtol=1e-12)
    by_query, by_value, by_key, _ = layer.compose_input_gradients([np.ones((1, 3, 2))])
    assert not np.asarray(by_query).any()
    assert not np.asarray(by_key).any()
    assert np.asarray(by_value).any()


def test_weights_of_attention_are_those_of_keras() -> None:
    layer = MultiHeadAttention(2, 3, 4)
    layer(np.ones((1, 2, 5), np.float32), np.ones((1, 3, 6), np.float32), np.ones((1, 3, 7), np.float32))
    shapes = [(5, 2, 3), (2, 3), (7, 2, 3), (2, 3), (6, 2, 4), (2, 4), (2, 4, 5), (5,)]
    assert [w.shape for w in layer.weights] == shapes
    bare = MultiHeadAttention(2, 3, 4, use_bias=False, input_size=5)
    assert [w.ndim for w in bare.weights] == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1, 2, 3), (1, 2, 4)], r"value of shape \(batch, length, 3\), got shape \(1, 2, 4\)"),
        ([(2, 3), (1, 2, 3)], r"query of shape \(batch, length, 3\), got shape \(2, 3\)"),
        ([(1, 2, 3), (2, 2, 3)], r"of one batch, the latter two of one length, got shapes \(1, 2, 3\), \(2, 2, 3\)"),
        ([(1, 2, 3), (1, 2, 3), (1, 4, 3)], "the latter two of one length"),
        ([(1, 2, 3), (1, 4, 3), (1, 4, 3), (3, 4)], r"an attention_mask for \(1, 2, 4\), got shape \(3, 4\)"),
    ],
)
def test_attention_says_what_it_expects(shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(2, 3, input_size=3)(*[np.ones(shape) for shape in shapes])


# --- embedding


def test_embedding_takes_rows_and_adds_the_gradients_of_a_number_that_occurs_twice() -> None:
    layer = Embedding(4, 2, dtype=np.float64, seed=0)
    x = np.array([[0, 3, 3], [1, 0, 3]])
    y = layer(x)
    assert y.shape == (2, 3, 2)
    np.testing.assert_array_equal(np.asarray(y)[1, 2], np.asarray(layer.w)[3])
    J = np.arange(12.0).reshape(2, 3, 2)
    [by_w] = layer.compose_weight_gradients([J])
    assert by_w.tolist() == [[0.0 + 8, 1.0 + 9], [6.0, 7.0], [0.0, 0.0], [2.0 + 4 + 10, 3.0 + 5 + 11]]
    assert np.abs(np.asarray(layer.w)).max() <= 0.05


def test_numbers_may_come_as_floats_and_are_constants() -> None:
    layer = Embedding(4, 2, seed=0)
    x = Tensor([1.0, 2.0])
    with GradientTape() as tape:
        y = layer(x * 1.0)
    with pytest.raises(ValueError, match="Embedding holds x constant"):
        tape.gradient(y, x)
    assert tape.gradient(y, layer.w).shape == (4, 2)


@pytest.mark.parametrize("x", [[4], [-1], [0.5], [np.nan], [[0, 9]]])
def test_what_is_no_number_of_the_vocabulary_is_refused(x: Any) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="whole numbers from 0 to 3, got values from"):
        Embedding(4, 2)(x)


def test_embedding_options() -> None:
    with pytest.raises(TypeError, match="input_dim to be an integer"):
        Embedding("4", 2)
    with pytest.raises(ValueError, match="output_dim to be at least 1"):
        Embedding(4, 0)
