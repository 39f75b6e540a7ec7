"""A convolution of sequences, whose stride and padding have defaults."""

import numpy as np


def conv1d_forward(x, w, b, stride=1, pad=0):
    N, C, L = x.shape
    F, _, K = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    Lo = (L + 2 * pad - K) // stride + 1
    out = np.zeros((N, F, Lo))
    for i in range(Lo):
        out[:, :, i] = np.tensordot(xp[:, :, i * stride : i * stride + K], w, axes=([1, 2], [1, 2])) + b
    return out, (x, w, b, stride, pad)


def conv1d_backward(dout, cache):
    x, w, b, stride, pad = cache
    N, C, L = x.shape
    F, _, K = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    for i in range(dout.shape[2]):
        s = slice(i * stride, i * stride + K)
        dxp[:, :, s] += np.tensordot(dout[:, :, i], w, axes=(1, 0))
        dw += np.tensordot(dout[:, :, i], xp[:, :, s], axes=(0, 0))
    db = dout.sum(axis=(0, 2))
    return dxp[:, :, pad : pad + L], dw, db
