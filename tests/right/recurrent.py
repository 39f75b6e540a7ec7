"""Recurrent layers over whole sequences, as classes: plain, LSTM, GRU and kin, one way and both ways."""

import numpy as np

from tests.right.table import layer, some

# ruff: noqa: NPY002


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class RNN:
    """`(n, t, d)` to `(n, t, h)`; gradients in attributes."""

    def __init__(self, input_size, hidden_size):
        self.Wx = np.random.randn(input_size, hidden_size) / np.sqrt(input_size)
        self.Wh = np.random.randn(hidden_size, hidden_size) / np.sqrt(hidden_size)
        self.b = np.zeros(hidden_size)

    def forward(self, xs):
        n, steps, _ = xs.shape
        self.xs = xs
        self.hs = [np.zeros((n, len(self.b)))]
        for t in range(steps):
            self.hs.append(np.tanh(xs[:, t] @ self.Wx + self.hs[-1] @ self.Wh + self.b))
        return np.stack(self.hs[1:], axis=1)

    def backward(self, dhs):
        dxs = np.empty_like(self.xs)
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dh = 0
        for t in reversed(range(dhs.shape[1])):
            dz = (dhs[:, t] + dh) * (1 - self.hs[t + 1] ** 2)
            self.dWx += self.xs[:, t].T @ dz
            self.dWh += self.hs[t].T @ dz
            self.db += dz.sum(axis=0)
            dxs[:, t] = dz @ self.Wx.T
            dh = dz @ self.Wh.T
        return dxs

    @classmethod
    def gradcheck_example(cls):
        return cls(3, 2), [some(2, 4, 3)]


class LastState:
    """ReLU units; only the last state goes out. Caches are pushed and popped."""

    def __init__(self, n_in=2, n_hidden=3):
        rng = np.random.default_rng(6)
        self.params = {"U": rng.normal(size=(n_in, n_hidden)), "W": rng.normal(size=(n_hidden, n_hidden)) / 2}
        self.grads, self.stack = {}, []

    def forward(self, x):
        h = np.zeros((len(x), len(self.params["W"])))
        for step in np.moveaxis(x, 1, 0):
            z = step @ self.params["U"] + h @ self.params["W"]
            self.stack.append((step, h, z))
            h = np.maximum(z, 0)
        return h

    def backward(self, dh):
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}
        dx = []
        while self.stack:
            step, h, z = self.stack.pop()
            dz = dh * (z > 0)
            self.grads["U"] += step.T @ dz
            self.grads["W"] += h.T @ dz
            dx.insert(0, dz @ self.params["U"].T)
            dh = dz @ self.params["W"].T
        return np.stack(dx, axis=1)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 3, 2)]


class LSTM:
    """One matrix for the four gates, in the order i, f, o, g."""

    def __init__(self, input_dim, hidden_dim):
        self.Wx = np.random.randn(input_dim, 4 * hidden_dim) / 2
        self.Wh = np.random.randn(hidden_dim, 4 * hidden_dim) / 2
        self.b = np.zeros(4 * hidden_dim)
        self.H = hidden_dim

    def forward(self, x):
        n, steps, _ = x.shape
        h = c = np.zeros((n, self.H))
        self.x, self.cache, out = x, [], np.zeros((n, steps, self.H))
        for t in range(steps):
            a = x[:, t] @ self.Wx + h @ self.Wh + self.b
            i, f, o = (sigmoid(part) for part in np.split(a[:, : 3 * self.H], 3, axis=1))
            g = np.tanh(a[:, 3 * self.H :])
            previous = h, c
            c = f * c + i * g
            h = o * np.tanh(c)
            self.cache.append((*previous, i, f, o, g, c))
            out[:, t] = h
        return out

    def backward(self, dout):
        dx = np.zeros(self.x.shape)
        self.dWx, self.dWh, self.db = np.zeros(self.Wx.shape), np.zeros(self.Wh.shape), np.zeros(self.b.shape)
        dh, dc = np.zeros(dout[:, 0].shape), np.zeros(dout[:, 0].shape)
        for t in range(dout.shape[1] - 1, -1, -1):
            h_prev, c_prev, i, f, o, g, c = self.cache[t]
            dh = dh + dout[:, t]
            tanh_c = np.tanh(c)
            dc = dc + dh * o * (1 - tanh_c**2)
            da = np.hstack(
                [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)]
            )
            self.dWx += self.x[:, t].T @ da
            self.dWh += h_prev.T @ da
            self.db += da.sum(axis=0)
            dx[:, t] = da @ self.Wx.T
            dh = da @ self.Wh.T
            dc = dc * f
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(2, 2), [some(2, 3, 2)]


class GRU:
    """The reset gate acts after the product with the state's matrix, as cuDNN's; everything in a dict."""

    def __init__(self, n_in=2, n_hidden=2):
        rng = np.random.default_rng(1)
        self.params = {name: rng.normal(size=(n_in, n_hidden)) for name in ("Wz", "Wr", "Wn")}
        self.params |= {name: rng.normal(size=(n_hidden, n_hidden)) for name in ("Uz", "Ur", "Un")}
        self.params["bn"] = rng.normal(size=n_hidden)
        self.grads = {}

    def forward(self, x):
        p = self.params
        h = np.zeros((x.shape[0], p["Uz"].shape[0]))
        self.steps, states = [], []
        for t in range(x.shape[1]):
            z = sigmoid(x[:, t] @ p["Wz"] + h @ p["Uz"])
            r = sigmoid(x[:, t] @ p["Wr"] + h @ p["Ur"])
            inner = h @ p["Un"] + p["bn"]
            n = np.tanh(x[:, t] @ p["Wn"] + r * inner)
            self.steps.append((x[:, t], h, z, r, inner, n))
            h = (1 - z) * n + z * h
            states.append(h)
        return np.stack(states, axis=1)

    def backward(self, dout):
        p = self.params
        grads = {name: np.zeros_like(value) for name, value in p.items()}
        dx, dh = np.zeros((*dout.shape[:2], p["Wz"].shape[0])), 0.0
        for t, (x, h, z, r, inner, n) in reversed(list(enumerate(self.steps))):
            dh = dh + dout[:, t]
            dn = dh * (1 - z) * (1 - n**2)
            dz = dh * (h - n) * z * (1 - z)
            dr = dn * inner * r * (1 - r)
            for gate, d in (("z", dz), ("r", dr), ("n", dn)):
                grads["W" + gate] += x.T @ d
                dx[:, t] += d @ p["W" + gate].T
            dinner = dn * r
            grads["Uz"] += h.T @ dz
            grads["Ur"] += h.T @ dr
            grads["Un"] += h.T @ dinner
            grads["bn"] += dinner.sum(axis=0)
            dh = dh * z + dz @ p["Uz"].T + dr @ p["Ur"].T + dinner @ p["Un"].T
        self.grads = grads
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 2)]


class GRUCell:
    """One step of x and h; the reset gate acts on the state. All gradients are returned."""

    def __init__(self, d=2, h=3):
        rng = np.random.default_rng(9)
        self.W, self.U = rng.normal(size=(d, 3 * h)), rng.normal(size=(h, 3 * h))
        self.h = h

    def forward(self, x, h):
        H = self.h
        a, b = x @ self.W, h @ self.U[:, : 2 * H]
        self.z, self.r = sigmoid(a[:, :H] + b[:, :H]), sigmoid(a[:, H : 2 * H] + b[:, H:])
        self.n = np.tanh(a[:, 2 * H :] + (self.r * h) @ self.U[:, 2 * H :])
        self.x, self.state = x, h
        return self.z * h + (1 - self.z) * self.n

    def backward(self, g):
        H, h = self.h, self.state
        dn = g * (1 - self.z) * (1 - self.n**2)
        dz = g * (h - self.n) * self.z * (1 - self.z)
        drh = dn @ self.U[:, 2 * H :].T
        dr = drh * h * self.r * (1 - self.r)
        da = np.concatenate([dz, dr, dn], axis=1)
        dh = g * self.z + drh * self.r + da[:, : 2 * H] @ self.U[:, : 2 * H].T
        dU = np.concatenate([h.T @ dz, h.T @ dr, (self.r * h).T @ dn], axis=1)
        return da @ self.W.T, dh, self.x.T @ da, dU

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 2), some(2, 3)]


class BidirectionalRNN:
    """Two plain ones, one of which reads backwards; states side by side."""

    def __init__(self, input_size=2, hidden_size=2):
        self.ahead, self.behind = RNN(input_size, hidden_size), RNN(input_size, hidden_size)

    def forward(self, x):
        return np.concatenate([self.ahead.forward(x), self.behind.forward(x[:, ::-1])[:, ::-1]], axis=2)

    def backward(self, dout):
        first, second = np.split(dout, 2, axis=2)
        return self.ahead.backward(first) + self.behind.backward(second[:, ::-1])[:, ::-1]

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 3, 2)]


class LeakyIntegrator:
    """yₜ = a yₜ₋₁ + (1 − a) xₜ along the batch axis: rows are steps, and a = σ(w) is learned."""

    def __init__(self):
        self.w = np.array(0.3)

    def forward(self, x):
        a = sigmoid(self.w)
        self.x, self.y = x, np.zeros((len(x) + 1, *x.shape[1:]))
        for t in range(len(x)):
            self.y[t + 1] = a * self.y[t] + (1 - a) * x[t]
        return self.y[1:].copy()

    def backward(self, dout):
        a = sigmoid(self.w)
        dx, carried, da = np.zeros(dout.shape), np.zeros(dout.shape[1:]), 0.0
        for t in reversed(range(len(dout))):
            carried = carried + dout[t]
            dx[t] = (1 - a) * carried
            da += np.sum(carried * (self.y[t] - self.x[t]))
            carried = a * carried
        self.dw = np.array(da * a * (1 - a))
        return dx


class ReturnsToGo:
    """Discounted sums of what comes after: rows depend on later rows."""

    def __init__(self, gamma=0.9):
        self.gamma = gamma

    def forward(self, rewards):
        out = np.array(rewards, dtype=float)
        for t in range(len(out) - 2, -1, -1):
            out[t] += self.gamma * out[t + 1]
        return out

    def backward(self, dout):
        dr = np.array(dout)
        for t in range(1, len(dr)):
            dr[t] += self.gamma * dr[t - 1]
        return dr


CASES = [
    layer(RNN, 4),
    layer(LastState, 3),
    layer(LSTM, 4),
    layer(GRU, 8),
    layer(GRUCell, 4),
    layer(BidirectionalRNN, 7),
    layer(LeakyIntegrator, 2),
    layer(ReturnsToGo, 1),
]
