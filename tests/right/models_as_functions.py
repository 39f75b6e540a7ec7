"""Small networks as functions of their parameters: the loss and its gradients, over flat vectors, arrays and caches."""

import numpy as np

from tests.right.table import at, beside, cached, some

X, T = some(5, 3), some(5, 2)
LABELS = np.array([0, 1, 1, 0, 1])


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx = np.array(dout, copy=True)
    dx[cache <= 0] = 0
    return dx


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)


def linear_sum_forward(A, W, b):
    """Samples are columns; gradients are sums over them."""
    return W @ A + b, {"A": A, "W": W}


def linear_sum_backward(dZ, cache):
    return cache["W"].T @ dZ, dZ @ cache["A"].T, np.sum(dZ, axis=1, keepdims=True)


def two_layer_loss(W1, b1, W2, b2):
    """Softmax over class numbers, with a penalty on both matrices."""
    h = np.maximum(0, X @ W1 + b1)
    s = h @ W2 + b2
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    return -log_p[np.arange(5), LABELS].mean() + 0.05 * (np.sum(W1**2) + np.sum(W2**2))


def two_layer_loss_grad(W1, b1, W2, b2):
    h = np.maximum(0, X @ W1 + b1)
    s = h @ W2 + b2
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(5), LABELS] -= 1
    ds = p / 5
    dh = ds @ W2.T
    dh[h <= 0] = 0
    return X.T @ dh + 0.1 * W1, dh.sum(axis=0), h.T @ ds + 0.1 * W2, ds.sum(axis=0)


def _unroll(theta):
    return theta[:12].reshape(3, 4), theta[12:].reshape(5, 2)


def flat_cost(theta):
    """Half the squared error of a net 3 → 4 → 2 with sigmoids; bias as a column of ones."""
    W1, W2 = _unroll(theta)
    a = 1 / (1 + np.exp(-X @ W1))
    y = np.column_stack([np.ones(5), a]) @ W2
    return 0.5 * np.sum((y - T) ** 2)


def flat_cost_grad(theta):
    W1, W2 = _unroll(theta)
    a = 1 / (1 + np.exp(-X @ W1))
    wide = np.column_stack([np.ones(5), a])
    d2 = wide @ W2 - T
    d1 = (d2 @ W2.T)[:, 1:] * a * (1 - a)
    return np.concatenate([(X.T @ d1).ravel(), (wide.T @ d2).ravel()])


def autoencoder(W, V):
    return np.mean((np.tanh(X @ W) @ V - X) ** 2)


def autoencoder_grad(W, V):
    h = np.tanh(X @ W)
    e = 2 * (h @ V - X) / X.size
    return X.T @ (e @ V.T * (1 - h**2)), h.T @ e


NOISE = some(5, 2, seed=4)


def variational(W_mu, W_log, V):
    """−ELBO with the noise fixed."""
    mu, log_var = X @ W_mu, X @ W_log
    z = mu + np.exp(log_var / 2) * NOISE
    error = z @ V - X
    return 0.5 * np.sum(error**2) - 0.5 * np.sum(1 + log_var - mu**2 - np.exp(log_var))


def variational_grad(W_mu, W_log, V):
    mu, log_var = X @ W_mu, X @ W_log
    std = np.exp(log_var / 2)
    z = mu + std * NOISE
    error = z @ V - X
    dz = error @ V.T
    dmu = dz + mu
    dlog = dz * std * NOISE / 2 - 0.5 * (1 - np.exp(log_var))
    return X.T @ dmu, X.T @ dlog, z.T @ error


def neuron(x, w, b):
    """One sigmoid unit, all of it scalars and vectors."""
    return 1 / (1 + np.exp(-(np.dot(w, x) + b)))


def neuron_jac(x, w, b):
    y = neuron(x, w, b)
    return y * (1 - y) * w, y * (1 - y) * x, y * (1 - y)


def hypernetwork(x, H):
    """The matrix of the last layer is made from the input."""
    W = (H @ x).reshape(2, 3)
    return W @ np.tanh(x)


def hypernetwork_jvp(x, H, dx, dH):
    W, t = (H @ x).reshape(2, 3), np.tanh(x)
    dW = (dH @ x + H @ dx).reshape(2, 3)
    return dW @ t + W @ ((1 - t**2) * dx)


def policy_gradient(theta):
    """Expected return of a softmax policy over four arms."""
    p = np.exp(theta - theta.max())
    p = p / p.sum()
    return p @ np.array([1.0, -2.0, 0.5, 3.0])


def policy_gradient_grad(theta):
    p = np.exp(theta - theta.max())
    p = p / p.sum()
    returns = np.array([1.0, -2.0, 0.5, 3.0])
    return p * (returns - p @ returns)


CASES = [
    beside(affine_forward, 3),
    beside(relu_forward),
    beside(affine_relu_forward, 3),
    cached(linear_sum_forward, linear_sum_backward, some(3, 4), some(2, 3), some(2, 1)),
    at(two_layer_loss, some(3, 4), some(4), some(4, 2), some(2), grad=two_layer_loss_grad),
    at(flat_cost, some(22), grad=flat_cost_grad),
    at(autoencoder, some(3, 2), some(2, 3), grad=autoencoder_grad),
    at(variational, some(3, 2), some(3, 2, seed=1), some(2, 3), grad=variational_grad),
    at(neuron, some(3), some(3, seed=1), 0.25, jac=neuron_jac),
    at(hypernetwork, some(3), some(6, 3), jvp=hypernetwork_jvp),
    at(policy_gradient, some(4), grad=policy_gradient_grad),
]
