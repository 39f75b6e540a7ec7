"""Functions with caches, and a network whose `loss` returns the gradients as well."""
# ruff: noqa: NPY002

import numpy as np


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T @ dout
    return dx, dw, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    N = x.shape[0]
    loss = -log_probs[np.arange(N), y].mean()
    dx = np.exp(log_probs)
    dx[np.arange(N), y] -= 1
    return loss, dx / N


class TwoLayerNet:
    def __init__(self, input_dim=4, hidden_dim=5, num_classes=3, weight_scale=0.5, reg=0.0):
        self.params = {}
        self.reg = reg
        self.params["W1"] = weight_scale * np.random.randn(input_dim, hidden_dim)
        self.params["b1"] = np.zeros(hidden_dim)
        self.params["W2"] = weight_scale * np.random.randn(hidden_dim, num_classes)
        self.params["b2"] = np.zeros(num_classes)

    def loss(self, X, y=None):
        hidden, cache1 = affine_forward(X, self.params["W1"], self.params["b1"])
        active, cache2 = relu_forward(hidden)
        scores, cache3 = affine_forward(active, self.params["W2"], self.params["b2"])
        if y is None:
            return scores
        grads = {}
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * (np.sum(self.params["W1"] ** 2) + np.sum(self.params["W2"] ** 2))
        dactive, grads["W2"], grads["b2"] = affine_backward(dscores, cache3)
        dhidden = relu_backward(dactive, cache2)
        _, grads["W1"], grads["b1"] = affine_backward(dhidden, cache1)
        grads["W1"] += self.reg * self.params["W1"]
        grads["W2"] += self.reg * self.params["W2"]
        return loss, grads


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=4, num_classes=3, reg=0.0, weight_scale=0.5, dtype=np.float64, seed=0):
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}
        rng = np.random.default_rng(seed)
        dims = [input_dim, *hidden_dims, num_classes]
        for n in range(self.num_layers):
            self.params[f"W{n + 1}"] = weight_scale * rng.normal(size=(dims[n], dims[n + 1]))
            self.params[f"b{n + 1}"] = np.zeros(dims[n + 1])
        for k, v in self.params.items():
            self.params[k] = v.astype(dtype)

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        caches = []
        out = X
        for n in range(1, self.num_layers + 1):
            out, cache = affine_forward(out, self.params[f"W{n}"], self.params[f"b{n}"])
            caches.append(cache)
            if n < self.num_layers:
                out, cache = relu_forward(out)
                caches.append(cache)
        if y is None:
            return out
        loss, dout = softmax_loss(out, y)
        grads = {}
        for n in range(self.num_layers, 0, -1):
            if n < self.num_layers:
                dout = relu_backward(dout, caches.pop())
            dout, grads[f"W{n}"], grads[f"b{n}"] = affine_backward(dout, caches.pop())
            loss += 0.5 * self.reg * np.sum(self.params[f"W{n}"] ** 2)
            grads[f"W{n}"] += self.reg * self.params[f"W{n}"]
        return loss, grads
