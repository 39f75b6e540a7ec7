"""Attention: one head and many, masks of −1e9 and −inf, additive, linear, rotary; as classes and as functions."""

import numpy as np

from tests.right.table import at, layer, some

# ruff: noqa: NPY002


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(da, a):
    return a * (da - (da * a).sum(axis=-1, keepdims=True))


class SelfAttention:
    """One head on `(n, t, d)`; gradients in attributes."""

    def __init__(self, d_model, d_k):
        self.Wq, self.Wk, self.Wv = (np.random.randn(d_model, d_k) / np.sqrt(d_model) for _ in range(3))

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = x @ self.Wq, x @ self.Wk, x @ self.Wv
        self.a = softmax(self.q @ self.k.transpose(0, 2, 1) / np.sqrt(self.q.shape[-1]))
        return self.a @ self.v

    def backward(self, dout):
        dv = self.a.transpose(0, 2, 1) @ dout
        ds = softmax_backward(dout @ self.v.transpose(0, 2, 1), self.a) / np.sqrt(self.q.shape[-1])
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        self.dWq, self.dWk, self.dWv = (np.einsum("ntd,nth->dh", self.x, d) for d in (dq, dk, dv))
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T


class CausalAttention:
    """The future gets −1e9; gradients in a dict."""

    def __init__(self, d_model=2, d_head=3):
        rng = np.random.default_rng(1)
        self.params = {name: rng.normal(size=(d_model, d_head)) for name in ("q", "k", "v")}
        self.grads = {}

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = (x @ self.params[name] for name in ("q", "k", "v"))
        scores = np.einsum("nih,njh->nij", self.q, self.k) / np.sqrt(self.q.shape[-1])
        future = np.triu(np.ones(scores.shape[-2:], dtype=bool), k=1)
        self.a = softmax(np.where(future, -1e9, scores))
        return self.a @ self.v

    def backward(self, dout):
        ds = softmax_backward(np.einsum("nih,njh->nij", dout, self.v), self.a) / np.sqrt(self.q.shape[-1])
        d = {
            "q": np.einsum("nij,njh->nih", ds, self.k),
            "k": np.einsum("nij,nih->njh", ds, self.q),
            "v": np.einsum("nij,nih->njh", self.a, dout),
        }
        self.grads = {name: np.einsum("ntd,nth->dh", self.x, d[name]) for name in d}
        return sum(d[name] @ self.params[name].T for name in d)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 2)]


class MultiHeadAttention:
    """Heads by reshaping, one output matrix with bias; all gradients are returned."""

    def __init__(self, d_model=4, heads=2):
        self.heads = heads
        self.W_qkv = np.random.randn(d_model, 3 * d_model) / 2
        self.W_out, self.b_out = np.random.randn(d_model, d_model) / 2, np.zeros(d_model)

    def _split(self, x):
        n, t, _ = x.shape
        return x.reshape(n, t, self.heads, -1).transpose(0, 2, 1, 3)

    def _merge(self, x):
        n, _, t, _ = x.shape
        return x.transpose(0, 2, 1, 3).reshape(n, t, -1)

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = (self._split(part) for part in np.split(x @ self.W_qkv, 3, axis=-1))
        self.scale = self.q.shape[-1] ** -0.5
        self.a = softmax(self.q @ self.k.swapaxes(-1, -2) * self.scale)
        self.o = self._merge(self.a @ self.v)
        return self.o @ self.W_out + self.b_out

    def backward(self, dout):
        dW_out = np.einsum("nti,nto->io", self.o, dout)
        do = self._split(dout @ self.W_out.T)
        dv = self.a.swapaxes(-1, -2) @ do
        ds = softmax_backward(do @ self.v.swapaxes(-1, -2), self.a) * self.scale
        dq, dk = ds @ self.k, ds.swapaxes(-1, -2) @ self.q
        dqkv = np.concatenate([self._merge(d) for d in (dq, dk, dv)], axis=-1)
        dW_qkv = np.einsum("nti,nto->io", self.x, dqkv)
        return dqkv @ self.W_qkv.T, dW_qkv, dW_out, dout.sum(axis=(0, 1))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 4)]


class PaddedAttention:
    """Keys beyond each length get −inf; queries, keys and values come from outside."""

    constant_inputs = ("mask",)

    def forward(self, q, k, v, mask):
        self.q, self.k, self.v = q, k, v
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(k.shape[-1])
        scores[np.broadcast_to(mask[:, None, :] == 0, scores.shape)] = -np.inf
        self.a = softmax(scores)
        return self.a @ v

    def backward(self, dout):
        dv = self.a.transpose(0, 2, 1) @ dout
        ds = softmax_backward(dout @ self.v.transpose(0, 2, 1), self.a) / np.sqrt(self.k.shape[-1])
        return ds @ self.k, ds.transpose(0, 2, 1) @ self.q, dv, None

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 2, 3), some(2, 4, 3), some(2, 4, 2), np.array([[1, 1, 1, 0], [1, 1, 0, 0]])]


class AdditiveAttention:
    """Scores vᵀ tanh(hW) over the steps, and their weighted mean."""

    def __init__(self, size=3, inner=2):
        self.W = np.random.randn(size, inner)
        self.v = np.random.randn(inner)

    def forward(self, h):
        self.h = h
        self.t = np.tanh(h @ self.W)
        self.a = softmax(self.t @ self.v)
        return (self.a[:, :, None] * h).sum(axis=1)

    def backward(self, dout):
        da = np.einsum("nd,ntd->nt", dout, self.h)
        ds = softmax_backward(da, self.a)
        self.dv = np.einsum("nt,nti->i", ds, self.t)
        dz = ds[:, :, None] * self.v * (1 - self.t**2)
        self.dW = np.einsum("ntd,nti->di", self.h, dz)
        return self.a[:, :, None] * dout[:, None, :] + dz @ self.W.T

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 3)]


class Rotary:
    """Pairs of features are turned by an angle that grows with the position."""

    def __init__(self, base=100.0):
        self.base = base

    def _angles(self, x):
        t, d = x.shape[-2:]
        angle = np.arange(t)[:, None] * self.base ** (-np.arange(d // 2) * 2 / d)
        return np.cos(angle), np.sin(angle)

    def forward(self, x):
        cos, sin = self._angles(x)
        a, b = x[..., 0::2], x[..., 1::2]
        out = np.empty_like(x, dtype=float)
        out[..., 0::2], out[..., 1::2] = a * cos - b * sin, a * sin + b * cos
        return out

    def backward(self, dout):
        cos, sin = self._angles(dout)
        da, db = dout[..., 0::2], dout[..., 1::2]
        dx = np.empty_like(dout)
        dx[..., 0::2], dx[..., 1::2] = da * cos + db * sin, db * cos - da * sin
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 4)]


def attend(q, k, v):
    return softmax(q @ k.T / np.sqrt(q.shape[1])) @ v


def attend_vjp(q, k, v, g):
    a = softmax(q @ k.T / np.sqrt(q.shape[1]))
    ds = softmax_backward(g @ v.T, a) / np.sqrt(q.shape[1])
    return ds @ k, ds.T @ q, a.T @ g


def attend_jvp(q, k, v, dq, dk, dv):
    scale = 1 / np.sqrt(q.shape[1])
    a = softmax(q @ k.T * scale)
    ds = (dq @ k.T + q @ dk.T) * scale
    return a @ dv + softmax_backward(ds, a) @ v


def biased_causal(x, bias):
    """Scores x xᵀ plus a learned bias for each distance; −inf above the diagonal."""
    t = len(x)
    distance = np.arange(t)[:, None] - np.arange(t)
    scores = np.where(distance >= 0, x @ x.T + bias[np.maximum(distance, 0)], -np.inf)
    return softmax(scores) @ x


def biased_causal_vjp(x, bias, g):
    t = len(x)
    distance = np.arange(t)[:, None] - np.arange(t)
    a = softmax(np.where(distance >= 0, x @ x.T + bias[np.maximum(distance, 0)], -np.inf))
    ds = softmax_backward(g @ x.T, a)
    dbias = np.array([ds[distance == d].sum() for d in range(len(bias))])
    return (ds + ds.T) @ x + a.T @ g, dbias


def linear_attention(q, k, v):
    """Feature map elu + 1 instead of a softmax."""
    phi_q, phi_k = (np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k))
    return (phi_q @ (phi_k.T @ v)) / (phi_q @ phi_k.sum(axis=0))[:, None]


def linear_attention_vjp(q, k, v, g):
    phi_q, phi_k = (np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k))
    state, total = phi_k.T @ v, phi_k.sum(axis=0)
    below = phi_q @ total
    out = (phi_q @ state) / below[:, None]
    g = g / below[:, None]
    dbelow = -(g * out).sum(axis=1)
    dstate = phi_q.T @ g
    dphi_q = g @ state.T + np.outer(dbelow, total)
    dphi_k = v @ dstate.T + phi_q.T @ dbelow
    return dphi_q * np.minimum(phi_q, 1), dphi_k * np.minimum(phi_k, 1), phi_k @ dstate


CASES = [
    layer(SelfAttention, 4, slow=True),
    layer(CausalAttention, 4),
    layer(MultiHeadAttention, 4),
    layer(PaddedAttention, 3),
    layer(AdditiveAttention, 3),
    layer(Rotary, 1),
    at(attend, some(3, 2), some(4, 2), some(4, 3), vjp=attend_vjp, jvp=attend_jvp),
    at(biased_causal, some(4, 2), some(4), vjp=biased_causal_vjp),
    at(linear_attention, some(2, 3), some(3, 3), some(3, 2), vjp=linear_attention_vjp),
]
