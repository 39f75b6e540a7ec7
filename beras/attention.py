"""Attention with several heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array
from beras.checks import broadcasts_to, floating_dtype, numeric, real, whole_number
from beras.initializers import Initializer, Seed, initialize
from beras.jacobians import Composed
from beras.tensor import Tensor, wrap
from beras.variable import Variable


class MultiHeadAttention(Composed):
    """`y = Σ_heads softmax(q kᵀ / √key_dim) v · wo + bo`, with `q, k, v` linear functions of query, key and value.

    `query (batch, T, D)`, `value (batch, S, Dv)` and `key (batch, S, Dk)`, which is `value` by default, to
    `(batch, T, D)`. `attention_mask`, which can be broadcast to `(batch, T, S)`, is true where a query may look at a
    key; `use_causal_mask=True` lets none look at later places. Masks are data and held constant. A query that may look
    nowhere gets the mean of all values.

    Weights, with H heads: `wq (D, H, key_dim)`, `bq (H, key_dim)`, `wk (Dk, H, key_dim)`, `bk`,
    `wv (Dv, H, value_dim)`, `bv`, `wo (H, value_dim, D)`, `bo (D,)`: in Keras' order and shapes, "xavier uniform" by
    default, biases zeros. They are made at the first call, or at once where `input_size` (then of all three) is given.
    `value_dim` is `key_dim` by default. Vaswani et al. 2017.

    >>> layer = MultiHeadAttention(1, 1, kernel_initializer="one", input_size=1)
    >>> layer([[[0.0], [0.0]]], [[[1.0], [3.0]]])
    Tensor([[[2.],
             [2.]]])
    """

    constant_inputs = ("attention_mask",)
    input_data = {"attention_mask": "binary"}  # noqa: RUF012 -- read by name, never written

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        *,
        use_bias: bool = True,
        use_causal_mask: bool = False,
        kernel_initializer: str | Initializer = "xavier uniform",
        input_size: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        seed: Seed = None,
    ) -> None:
        who = "MultiHeadAttention"
        self.num_heads = whole_number(num_heads, who, "num_heads")
        self.key_dim = whole_number(key_dim, who, "key_dim")
        self.value_dim = self.key_dim if value_dim is None else whole_number(value_dim, who, "value_dim")
        self.use_bias, self.use_causal_mask = bool(use_bias), bool(use_causal_mask)
        self.kernel_initializer, self.seed = kernel_initializer, seed
        self.dtype = floating_dtype(dtype, who)
        self.built = False
        self._weights: list[Tensor] = []
        if input_size is not None:
            self.build(*[(1, 1, whole_number(input_size, who, "input_size"))] * 3)

    def build(self, *input_shapes: tuple[int, ...]) -> None:
        """Make the weights for query, value and key of these shapes."""
        self.built_for = input_shapes
        query, value = (shape[-1] if shape else 1 for shape in input_shapes[:2])
        key = input_shapes[2][-1] if len(input_shapes) > 2 else value
        random = np.random.default_rng(self.seed)

        def drawn(*shape: int, fan_in: int, fan_out: int) -> Variable:
            w = initialize(self.kernel_initializer, fan_in, fan_out, dtype=self.dtype, seed=random, shape=shape)
            return Variable(w)

        heads = self.num_heads
        inner = {"q": (query, self.key_dim), "k": (key, self.key_dim), "v": (value, self.value_dim)}
        for name, (size, dim) in inner.items():
            setattr(self, f"w{name}", drawn(size, heads, dim, fan_in=size, fan_out=heads * dim))
            setattr(self, f"b{name}", Variable(np.zeros((heads, dim), self.dtype)))
        self.wo = drawn(heads, self.value_dim, query, fan_in=heads * self.value_dim, fan_out=query)
        self.bo = Variable(np.zeros(query, self.dtype))
        names = [f"{kind}{part}" for part in "qkvo" for kind in ("wb" if self.use_bias else "w")]
        self._weights = [getattr(self, name) for name in names]
        self.built = True

    @property
    def weights(self) -> list[Tensor]:
        """`[wq, bq, wk, bk, wv, bv, wo, bo]`."""
        return list(self._weights)

    def __call__(self, query: Any, value: Any, key: Any = None, attention_mask: Any = None) -> Any:
        """Call `forward`, and record it; a mask comes after the key, which is then the value."""
        given = [query, value]
        if key is not None or attention_mask is not None:
            given.append(value if key is None else key)
        if attention_mask is not None:
            given.append(attention_mask)
        return super().__call__(*given)

    def forward(
        self,
        query: npt.ArrayLike,
        value: npt.ArrayLike,
        key: npt.ArrayLike | None = None,
        attention_mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Return what every query finds."""
        q_in, v_in = self._sequences(query, "query"), self._sequences(value, "value")
        k_in = self._sequences(value if key is None else key, "key")
        if not (len(q_in) == len(v_in) == len(k_in) and v_in.shape[1] == k_in.shape[1]):
            raise ValueError(
                "MultiHeadAttention expects query, value and key of one batch, the latter two of one length, got "
                f"shapes {q_in.shape}, {v_in.shape} and {k_in.shape}"
            )
        q, k, v = self._heads(q_in, "q"), self._heads(k_in, "k"), self._heads(v_in, "v")
        scores = (q @ k.swapaxes(-1, -2)) * q.dtype.type(1 / math.sqrt(self.key_dim))
        hidden = self._hidden(scores.shape, attention_mask)
        if hidden is not None:
            scores = np.where(hidden, scores.dtype.type(np.finfo(scores.dtype).min), scores)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = e / e.sum(axis=-1, keepdims=True)
        found = shares @ v
        self._saving = q, k, v, shares, found, hidden
        y = _rows(found) @ self._matrix("o", found.dtype)
        if self.use_bias:
            y = y + np.asarray(self.bo)
        return wrap(y.reshape(*q_in.shape[:2], -1))

    def _sequences(self, x: npt.ArrayLike, name: str) -> Array:
        array = real(x, "MultiHeadAttention", name)
        size = len(getattr(self, f"w{name[0]}"))
        if array.ndim != 3 or array.shape[-1] != size:
            raise ValueError(
                f"MultiHeadAttention expects {name} of shape (batch, length, {size}), got shape {array.shape}"
            )
        return array

    def _matrix(self, name: str, dtype: np.dtype[Any]) -> Array:
        """Return a weight as a matrix: heads and their columns, or rows, count as one axis."""
        w = np.asarray(getattr(self, f"w{name}")).astype(dtype, copy=False)
        return w.reshape(-1, w.shape[-1]) if name == "o" else w.reshape(len(w), -1)

    def _heads(self, x: Array, name: str) -> Array:
        """Return the linear function of `x` for every head, `(batch, heads, length, dim)`."""
        w, b = getattr(self, f"w{name}"), getattr(self, f"b{name}")
        z = x.reshape(-1, x.shape[-1]) @ self._matrix(name, np.result_type(x, w))
        z = z.reshape(*x.shape[:2], *w.shape[1:])
        return (z + np.asarray(b) if self.use_bias else z).swapaxes(1, 2)

    def _hidden(self, shape: tuple[int, ...], mask: npt.ArrayLike | None) -> Array | None:
        """Return where a query must not look, of a shape that goes with `(batch, heads, T, S)`."""
        hidden = None
        if mask is not None:
            seen = numeric(mask, "MultiHeadAttention", "attention_mask") != 0
            if not broadcasts_to(seen.shape, (shape[0], *shape[2:])):
                raise ValueError(
                    f"MultiHeadAttention expects an attention_mask for {(shape[0], *shape[2:])}, got shape {seen.shape}"
                )
            hidden = ~np.broadcast_to(seen, (shape[0], *shape[2:]))[:, None]
        if self.use_causal_mask:
            later = np.tri(shape[2], shape[3]) == 0
            hidden = later if hidden is None else hidden | later
        return hidden

    def _back(self, J: list[Array]) -> tuple[Array, ...]:
        """Return the upstream rows, and the gradients by q, k and v."""
        q, k, v, shares, _, hidden = self.saved
        rows = np.asarray(J[0]).reshape(-1, J[0].shape[-1])
        by_found = (rows @ self._matrix("o", rows.dtype).T).reshape(len(q), -1, self.num_heads, self.value_dim)
        by_found = by_found.swapaxes(1, 2)
        by_shares = by_found @ v.swapaxes(-1, -2)
        by_scores = shares * (by_shares - (by_shares * shares).sum(axis=-1, keepdims=True))
        if hidden is not None:
            by_scores = np.where(hidden, by_scores.dtype.type(0), by_scores)
        by_scores = by_scores * by_scores.dtype.type(1 / math.sqrt(self.key_dim))
        return rows, by_scores @ k, by_scores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ by_found

    def input_gradients_for(self, J: list[Array], wanted: Sequence[bool]) -> list[Any]:
        """Return what flows back into query, value and key; a value that is the key too gets both."""
        _, by_q, by_k, by_v = self.once(J, self._back)

        def through(g: Array, name: str) -> Array:
            return (_rows(g) @ self._matrix(name, g.dtype).T).reshape(len(g), g.shape[2], -1)

        by_value, by_key = through(by_v, "v"), through(by_k, "k")
        found: list[Any] = [through(by_q, "q"), by_value + by_key if len(self.inputs) == 2 else by_value, by_key]
        masks = [np.zeros(np.shape(mask)) for mask in self.inputs[3:]]
        return [*found[: len(self.inputs)], *masks]

    def weight_gradients_for(self, J: list[Array]) -> list[Array]:
        """Return what flows back into the weights."""
        rows, *by_heads = self.once(J, self._back)
        found = self.saved[4]
        query, value, *rest = (np.asarray(x) for x in self.inputs)
        gradients: list[Array] = []
        for x, g in zip((query, rest[0] if rest else value, value), by_heads, strict=True):
            flat = _rows(g)
            gradients.append(np.dot(x.reshape(-1, x.shape[-1]).T, flat).reshape(x.shape[-1], *g.shape[1::2]))
            gradients.append(flat.sum(axis=0).reshape(g.shape[1::2]))
        gradients[3][...] = 0  # bk adds the same to all scores of a query, which no softmax sees
        gradients.append(np.dot(_rows(found).T, rows).reshape(self.wo.shape))
        gradients.append(rows.sum(axis=0))
        return gradients if self.use_bias else gradients[::2]

    @classmethod
    def gradcheck_example(cls) -> tuple[MultiHeadAttention, list[Array]]:
        """Two heads; queries of their own size, values that are keys too."""
        random = np.random.default_rng(0)
        layer = cls(2, 2, 3, dtype=np.float64, seed=0)
        layer.build((2, 2, 3), (2, 3, 2))
        return layer, [random.normal(size=shape) for shape in ((2, 2, 3), (2, 3, 2))]

    @classmethod
    def gradcheck_cases(cls) -> list[tuple[MultiHeadAttention, list[Array]]]:
        """Seen up to the present; keys of their own and a mask as well, which leaves the first query nothing to see,
        without biases; biases that are not zero.
        """

        class Masked(cls):  # type: ignore[valid-type, misc]
            def forward(self, query: Any, value: Any, key: Any, attention_mask: Any) -> Tensor:
                return MultiHeadAttention.forward(self, query, value, key, attention_mask)

        random = np.random.default_rng(1)
        double: Any = {"input_size": 2, "dtype": np.float64, "seed": 0}
        x, y = random.normal(size=(2, 2, 3, 2))
        mask = np.array([[False, False, True], [True, True, False], [False, False, True]])
        biased = cls(2, 1, **double)
        for weight in biased.weights[1::2]:
            weight[...] = random.normal(size=weight.shape)
        causal = cls(1, 2, use_causal_mask=True, **double)
        masked = Masked(2, 1, use_bias=False, use_causal_mask=True, **double)
        return [(causal, [x, y]), (masked, [x, y, random.normal(size=x.shape), mask]), (biased, [x, y])]


def _rows(heads: Array) -> Array:
    """Return `(batch, heads, length, dim)` as rows, the heads of one place side by side."""
    batch, number, length, dim = heads.shape
    return heads.swapaxes(1, 2).reshape(batch * length, number * dim)
