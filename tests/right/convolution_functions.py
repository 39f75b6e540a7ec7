"""Convolutions as functions: pairs with a cache and a dict of settings, Jacobians and products at a point."""

import numpy as np

from tests.right.table import at, cached, some


def conv_forward(x, w, b, conv_param):
    """`(N, C, H, W)` with filters `(F, C, HH, WW)`."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, _, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    window = x_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, F, H_out, W_out = dout.shape
    HH, WW = w.shape[2:]
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dx_pad, dw, db = np.zeros_like(x_pad), np.zeros_like(w), np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += dout[n, f].sum()
            for i in range(H_out):
                for j in range(W_out):
                    rows, cols = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
                    dw[f] += x_pad[n, :, rows, cols] * dout[n, f, i, j]
                    dx_pad[n, :, rows, cols] += w[f] * dout[n, f, i, j]
    dx = dx_pad[:, :, pad:-pad, pad:-pad] if pad else dx_pad
    return dx, dw, db


def dilated_forward(x, w, dilation):
    """One image, one kernel with holes."""
    rows, cols = x.shape[0] - dilation * (w.shape[0] - 1), x.shape[1] - dilation * (w.shape[1] - 1)
    out = np.zeros((rows, cols))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            out += w[i, j] * x[i * dilation : i * dilation + rows, j * dilation : j * dilation + cols]
    return out, (x, w, dilation)


def dilated_backward(dout, cache):
    x, w, dilation = cache
    rows, cols = dout.shape
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            here = slice(i * dilation, i * dilation + rows), slice(j * dilation, j * dilation + cols)
            dx[here] += w[i, j] * dout
            dw[i, j] = np.sum(x[here] * dout)
    return dx, dw


def separable_forward(x, depthwise, pointwise):
    """Rows and columns are filtered channel by channel, then channels are mixed; `(h, w, c)`."""
    windows = np.lib.stride_tricks.sliding_window_view(x, depthwise.shape[:2], axis=(0, 1))
    middle = np.einsum("ijcab,abc->ijc", windows, depthwise)
    return middle @ pointwise, (x, windows, middle, depthwise, pointwise)


def separable_backward(dout, cache):
    x, windows, middle, depthwise, pointwise = cache
    dpointwise = np.einsum("ijc,ijf->cf", middle, dout)
    dmiddle = dout @ pointwise.T
    ddepthwise = np.einsum("ijcab,ijc->abc", windows, dmiddle)
    dx = np.zeros(x.shape)
    for a, b in np.ndindex(depthwise.shape[:2]):
        dx[a : a + dmiddle.shape[0], b : b + dmiddle.shape[1]] += dmiddle * depthwise[a, b]
    return dx, ddepthwise, dpointwise


def filter_valid(x, kernel=(0.5, -1.0, 0.25)):
    return np.convolve(x, kernel, mode="valid")


def filter_valid_jac(x, kernel=(0.5, -1.0, 0.25)):
    """Toeplitz: row i holds the reversed kernel from column i on."""
    J = np.zeros((len(x) - len(kernel) + 1, len(x)))
    for i in range(len(J)):
        J[i, i : i + len(kernel)] = kernel[::-1]
    return J


def circular(x, h):
    """Circular convolution by the convolution theorem."""
    return np.fft.ifft(np.fft.fft(x) * np.fft.fft(h)).real


def circular_jvp(x, h, dx, dh):
    return circular(dx, h) + circular(x, dh)


def circular_vjp(x, h, g):
    """The transpose of a circular convolution is a circular correlation."""
    G = np.fft.fft(g)
    dx = np.fft.ifft(G * np.conj(np.fft.fft(h))).real
    dh = np.fft.ifft(G * np.conj(np.fft.fft(x))).real
    return dx, dh


def unfold(x, size=3):
    """All windows of a signal as rows."""
    return np.lib.stride_tricks.sliding_window_view(x, size).copy()


def fold(x, g):
    dx = np.zeros_like(x)
    np.add.at(dx, np.arange(g.shape[0])[:, None] + np.arange(g.shape[1]), g)
    return dx


CASES = [
    cached(
        conv_forward, conv_backward, some(2, 2, 4, 5), some(3, 2, 3, 3), some(3), settings=({"stride": 2, "pad": 1},)
    ),
    cached(
        conv_forward,
        conv_backward,
        some(1, 2, 3, 3),
        some(2, 2, 2, 2),
        some(2),
        settings=({"stride": 1, "pad": 0},),
        name="conv_forward_valid",
    ),
    cached(dilated_forward, dilated_backward, some(6, 5), some(2, 2), settings=(2,)),
    cached(separable_forward, separable_backward, some(4, 4, 2), some(2, 2, 2), some(2, 3)),
    at(filter_valid, some(7), jac=filter_valid_jac),
    at(circular, some(5), some(5, seed=1), vjp=circular_vjp, jvp=circular_jvp),
    at(unfold, some(6), vjp=fold),
]
