"""Normalisation as functions: with a cache, with a mode in a dict, at a point."""

import numpy as np

from tests.right.table import at, beside, cached, positive, some


def batchnorm_forward(x, gamma, beta, bn_param):
    """Nine small steps, each kept; running averages in the dict."""
    eps, mode = bn_param.get("eps", 1e-5), bn_param["mode"]
    if mode == "test":
        scale = gamma / np.sqrt(bn_param["running_var"] + eps)
        return scale * (x - bn_param["running_mean"]) + beta, (mode, x, scale, bn_param, eps)
    mu = np.mean(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = np.mean(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    bn_param["running_mean"] = 0.9 * bn_param.get("running_mean", 0) + 0.1 * mu
    bn_param["running_var"] = 0.9 * bn_param.get("running_var", 0) + 0.1 * var
    return gamma * xhat + beta, (mode, xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def batchnorm_backward(dout, cache):
    if cache[0] == "test":
        _, x, scale, bn_param, eps = cache
        xhat = (x - bn_param["running_mean"]) / np.sqrt(bn_param["running_var"] + eps)
        return dout * scale, (dout * xhat).sum(axis=0), dout.sum(axis=0)
    _, xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / sqrtvar**2 * divar
    dvar = 0.5 / np.sqrt(var + eps) * dsqrtvar
    dsq = np.ones((N, D)) / N * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dx1, axis=0)
    return dx1 + np.ones((N, D)) / N * dmu, dgamma, dbeta


def layernorm_forward(x, gamma, beta):
    mean = np.mean(x, axis=1, keepdims=True)
    std = np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-5)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def layernorm_backward(dout, cache):
    xhat, gamma, std = cache
    D = dout.shape[1]
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.sum(axis=1, keepdims=True) / D - xhat * (dxhat * xhat).sum(axis=1, keepdims=True) / D) / std
    return dx, dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G):
    """`(N, C, H, W)`, γ and β `(1, C, 1, 1)`."""
    N, C, H, W = x.shape
    groups = x.reshape(N * G, -1)
    mean, std = groups.mean(axis=1, keepdims=True), np.sqrt(groups.var(axis=1, keepdims=True) + 1e-5)
    xhat = ((groups - mean) / std).reshape(N, C, H, W)
    return gamma * xhat + beta, (xhat, gamma, std, G)


def spatial_groupnorm_backward(dout, cache):
    xhat, gamma, std, G = cache
    N, C, H, W = dout.shape
    dgamma = np.sum(dout * xhat, axis=(0, 2, 3), keepdims=True)
    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
    d = (dout * gamma).reshape(N * G, -1)
    h = xhat.reshape(N * G, -1)
    dx = (d - d.mean(axis=1, keepdims=True) - h * np.mean(d * h, axis=1, keepdims=True)) / std
    return dx.reshape(N, C, H, W), dgamma, dbeta


def normalise(x):
    return x / np.linalg.norm(x)


def normalise_jac(x):
    r = np.linalg.norm(x)
    u = x / r
    return (np.eye(len(x)) - np.outer(u, u)) / r


def standardise(x):
    return (x - x.mean()) / x.std(ddof=1)


def standardise_jvp(x, v):
    z, s = standardise(x), x.std(ddof=1)
    v = v - v.mean()
    return (v - z * (z @ v) / (len(x) - 1)) / s


def min_max(x):
    """To the unit interval, by the smallest and the largest entry."""
    return (x - x.min()) / (x.max() - x.min())


def min_max_vjp(x, g):
    span = x.max() - x.min()
    y = (x - x.min()) / span
    dx = g / span
    dx[np.argmin(x)] -= (g * (1 - y)).sum() / span
    dx[np.argmax(x)] -= (g * y).sum() / span
    return dx


def proportions(x):
    return x / x.sum(axis=-1, keepdims=True)


def proportions_vjp(x, g):
    total = x.sum(axis=-1, keepdims=True)
    return g / total - (g * x).sum(axis=-1, keepdims=True) / total**2


CASES = [
    cached(batchnorm_forward, batchnorm_backward, some(5, 3), some(3), some(3, seed=1), settings=({"mode": "train"},)),
    cached(
        batchnorm_forward,
        batchnorm_backward,
        some(4, 2),
        some(2),
        some(2, seed=1),
        settings=({"mode": "test", "running_mean": np.array([0.5, -1.0]), "running_var": np.array([2.0, 0.5])},),
        name="batchnorm_forward_test",
    ),
    beside(layernorm_forward, 3),
    cached(
        spatial_groupnorm_forward,
        spatial_groupnorm_backward,
        some(2, 4, 2, 2),
        some(1, 4, 1, 1),
        some(1, 4, 1, 1, seed=1),
        settings=(2,),
    ),
    at(normalise, some(4), jac=normalise_jac),
    at(standardise, some(6), jvp=standardise_jvp),
    at(min_max, some(5), vjp=min_max_vjp),
    at(proportions, positive(2, 4), vjp=proportions_vjp),
]
