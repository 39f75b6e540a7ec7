"""Convolutions as classes: im2col, loops, einsum over windows; stride, padding, dilation, groups, one and two axes."""

import numpy as np

from tests.right.table import instance, layer, some

# ruff: noqa: NPY002


def im2col(x, kernel, stride, pad):
    n, c, h, w = x.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    rows, cols = (h + 2 * pad - kernel) // stride + 1, (w + 2 * pad - kernel) // stride + 1
    patches = np.zeros((n, c, kernel, kernel, rows, cols), dtype=x.dtype)
    for i in range(kernel):
        for j in range(kernel):
            patches[:, :, i, j] = x[:, :, i : i + stride * rows : stride, j : j + stride * cols : stride]
    return patches.transpose(0, 4, 5, 1, 2, 3).reshape(n * rows * cols, -1)


def col2im(col, shape, kernel, stride, pad):
    n, c, h, w = shape
    rows, cols = (h + 2 * pad - kernel) // stride + 1, (w + 2 * pad - kernel) // stride + 1
    patches = col.reshape(n, rows, cols, c, kernel, kernel).transpose(0, 3, 4, 5, 1, 2)
    x = np.zeros((n, c, h + 2 * pad, w + 2 * pad), dtype=col.dtype)
    for i in range(kernel):
        for j in range(kernel):
            x[:, :, i : i + stride * rows : stride, j : j + stride * cols : stride] += patches[:, :, i, j]
    return x[:, :, pad : pad + h, pad : pad + w]


class Conv2dIm2col:
    """`(n, c, h, w)`; gradients in attributes."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1, padding=1):
        self.W = np.random.randn(out_channels, in_channels, kernel_size, kernel_size)
        self.b = np.zeros(out_channels)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x):
        n, _, h, w = x.shape
        k, s, p = self.kernel_size, self.stride, self.padding
        rows, cols = (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1
        self.x_shape = x.shape
        self.col = im2col(x, k, s, p)
        out = self.col @ self.W.reshape(len(self.W), -1).T + self.b
        return out.reshape(n, rows, cols, -1).transpose(0, 3, 1, 2)

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, len(self.W))
        self.db = dout.sum(axis=0)
        self.dW = (dout.T @ self.col).reshape(self.W.shape)
        dcol = dout @ self.W.reshape(len(self.W), -1)
        return col2im(dcol, self.x_shape, self.kernel_size, self.stride, self.padding)


class Conv2dLoops:
    """Four loops, padding that keeps the size; gradients in a dict."""

    def __init__(self, in_channels, out_channels):
        self.params = {"W": np.random.randn(out_channels, in_channels, 3, 3) / 3, "b": np.random.randn(out_channels)}
        self.grads = {}

    def forward(self, x):
        n, _, h, w = x.shape
        self.x = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="constant")
        out = np.zeros((n, len(self.params["W"]), h, w))
        for f, kernel in enumerate(self.params["W"]):
            for i in range(h):
                for j in range(w):
                    out[:, f, i, j] = (self.x[:, :, i : i + 3, j : j + 3] * kernel).sum(axis=(1, 2, 3))
            out[:, f] += self.params["b"][f]
        return out

    def backward(self, dout):
        dx = np.zeros_like(self.x, dtype=float)
        dW = np.zeros_like(self.params["W"])
        for f, kernel in enumerate(self.params["W"]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    g = dout[:, f, i, j][:, None, None, None]
                    dx[:, :, i : i + 3, j : j + 3] += g * kernel
                    dW[f] += (g * self.x[:, :, i : i + 3, j : j + 3]).sum(axis=0)
        self.grads = {"W": dW, "b": dout.sum(axis=(0, 2, 3))}
        return dx[:, :, 1:-1, 1:-1]


class Conv2dChannelsLast:
    """`(n, h, w, c)` by einsum over a view of windows; returns all gradients."""

    def __init__(self, in_channels, filters):
        self.kernel = np.random.randn(2, 2, in_channels, filters)
        self.bias = np.random.randn(filters)

    def forward(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2))
        self.windows, self.shape = windows, x.shape
        return np.einsum("nijcab,abcf->nijf", windows, self.kernel) + self.bias

    def backward(self, grad):
        dkernel = np.einsum("nijcab,nijf->abcf", self.windows, grad)
        dx = np.zeros(self.shape)
        for a in range(2):
            for b in range(2):
                rows, cols = grad.shape[1:3]
                dx[:, a : a + rows, b : b + cols] += grad @ self.kernel[a, b].T
        return dx, dkernel, grad.sum(axis=(0, 1, 2))

    @classmethod
    def gradcheck_example(cls):
        return cls(3, 2), [some(2, 4, 3, 3)]


class ConvTranspose2d:
    """Each input pixel stamps the kernel on the output, `stride` apart."""

    def __init__(self, in_channels, out_channels, kernel_size=2, stride=2):
        self.weight = np.random.randn(in_channels, out_channels, kernel_size, kernel_size)
        self.bias = np.zeros(out_channels)
        self.k, self.stride = kernel_size, stride

    def _places(self, i, j):
        return slice(i * self.stride, i * self.stride + self.k), slice(j * self.stride, j * self.stride + self.k)

    def forward(self, x):
        n, _, h, w = x.shape
        self.x = x
        out = np.zeros((n, self.weight.shape[1], (h - 1) * self.stride + self.k, (w - 1) * self.stride + self.k))
        for i in range(h):
            for j in range(w):
                out[:, :, *self._places(i, j)] += np.tensordot(x[:, :, i, j], self.weight, axes=1)
        return out + self.bias[:, None, None]

    def backward(self, grad_output):
        grad_x = np.zeros(self.x.shape)
        self.grad_weight = np.zeros(self.weight.shape)
        for i in range(self.x.shape[2]):
            for j in range(self.x.shape[3]):
                g = grad_output[:, :, *self._places(i, j)]
                grad_x[:, :, i, j] = np.tensordot(g, self.weight, axes=([1, 2, 3], [1, 2, 3]))
                self.grad_weight += np.tensordot(self.x[:, :, i, j], g, axes=([0], [0]))
        self.grad_bias = grad_output.sum(axis=(0, 2, 3))
        return grad_x


class DepthwiseConv2d:
    """One kernel for each channel."""

    def __init__(self, channels, kernel_size=2):
        self.W = np.random.randn(channels, kernel_size, kernel_size)
        self.k = kernel_size

    def forward(self, x):
        self.x = x
        rows, cols = x.shape[2] - self.k + 1, x.shape[3] - self.k + 1
        out = np.zeros((*x.shape[:2], rows, cols))
        for a in range(self.k):
            for b in range(self.k):
                out += x[:, :, a : a + rows, b : b + cols] * self.W[:, a, b][:, None, None]
        return out

    def backward(self, dout):
        rows, cols = dout.shape[2:]
        dx, self.dW = np.zeros(self.x.shape), np.zeros(self.W.shape)
        for a in range(self.k):
            for b in range(self.k):
                dx[:, :, a : a + rows, b : b + cols] += dout * self.W[:, a, b][:, None, None]
                self.dW[:, a, b] = (dout * self.x[:, :, a : a + rows, b : b + cols]).sum(axis=(0, 2, 3))
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(3), [some(2, 3, 4, 3)]


class GroupedConv1x1:
    """Pointwise in two groups, as a block-diagonal matrix product."""

    def __init__(self, channels=4, filters=6, groups=2):
        self.groups = groups
        self.W = np.random.randn(groups, filters // groups, channels // groups)

    def forward(self, x):
        n, c, h, w = x.shape
        self.x = x.reshape(n, self.groups, c // self.groups, h, w)
        return np.einsum("gfc,ngchw->ngfhw", self.W, self.x).reshape(n, -1, h, w)

    def backward(self, dout):
        n, _, h, w = dout.shape
        dout = dout.reshape(n, self.groups, -1, h, w)
        self.dW = np.einsum("ngfhw,ngchw->gfc", dout, self.x)
        return np.einsum("gfc,ngfhw->ngchw", self.W, dout).reshape(n, -1, h, w)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(2, 4, 2, 3)]


class Conv1d:
    """`(n, c, t)`, with stride; the gradients add up until `reset_gradients`."""

    def __init__(self, in_channels, out_channels, kernel_size=2, stride=1):
        self.W = np.random.randn(out_channels, in_channels, kernel_size)
        self.b = np.zeros((out_channels, 1))
        self.kernel_size, self.stride = kernel_size, stride
        self.reset_gradients()

    def reset_gradients(self):
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        steps = (x.shape[2] - self.kernel_size) // self.stride + 1
        windows = [x[:, :, t * self.stride : t * self.stride + self.kernel_size] for t in range(steps)]
        self.windows = np.stack(windows, axis=2)
        return np.einsum("nctk,fck->nft", self.windows, self.W) + self.b

    def backward(self, dout):
        self.dW += np.einsum("nft,nctk->fck", dout, self.windows)
        self.db += dout.sum(axis=(0, 2))[:, None]
        dx = np.zeros(self.x.shape)
        for t in range(dout.shape[2]):
            start = t * self.stride
            dx[:, :, start : start + self.kernel_size] += np.einsum("nf,fck->nck", dout[:, :, t], self.W)
        return dx


class CausalConv1d:
    """Dilated, and padded on the left only, on `(n, t, c)`."""

    def __init__(self, in_channels, out_channels, dilation=2):
        self.weight = np.random.randn(3, in_channels, out_channels)
        self.dilation = dilation

    def forward(self, x):
        n, steps, c = x.shape
        self.padded = np.concatenate([np.zeros((n, 2 * self.dilation, c)), x], axis=1)
        taps = [self.padded[:, k * self.dilation : k * self.dilation + steps] @ self.weight[k] for k in range(3)]
        return sum(taps)

    def backward(self, dout):
        steps = dout.shape[1]
        self.dweight = np.empty_like(self.weight)
        dpadded = np.zeros(self.padded.shape)
        for k in range(3):
            reach = slice(k * self.dilation, k * self.dilation + steps)
            self.dweight[k] = np.einsum("ntc,ntf->cf", self.padded[:, reach], dout)
            dpadded[:, reach] += dout @ self.weight[k].T
        return dpadded[:, 2 * self.dilation :]

    @classmethod
    def gradcheck_example(cls):
        return cls(2, 3), [some(2, 6, 2)]


class FixedBlur:
    """A fixed kernel, stride 2, edges reflected; nothing is learned."""

    def forward(self, x):
        self.shape = x.shape
        padded = np.pad(x, ((0, 0), (1, 1)), mode="reflect")
        return 0.25 * padded[:, :-2:2] + 0.5 * padded[:, 1:-1:2] + 0.25 * padded[:, 2::2]

    def backward(self, dout):
        n, size = self.shape
        dpadded = np.zeros((n, size + 2))
        dpadded[:, :-2:2] += 0.25 * dout
        dpadded[:, 1:-1:2] += 0.5 * dout
        dpadded[:, 2::2] += 0.25 * dout
        dx = dpadded[:, 1:-1].copy()
        dx[:, 1] += dpadded[:, 0]
        dx[:, -2] += dpadded[:, -1]
        return dx

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 8)]


CASES = [
    layer(Conv2dIm2col, 3),
    instance(lambda: Conv2dIm2col(2, 3, kernel_size=2, stride=2, padding=0), 3, "Conv2dIm2col_strided"),
    layer(Conv2dLoops, 3),
    layer(Conv2dChannelsLast, 3),
    layer(ConvTranspose2d, 3),
    layer(DepthwiseConv2d, 2),
    layer(GroupedConv1x1, 2),
    layer(Conv1d, 3),
    instance(lambda: Conv1d(2, 3, kernel_size=3, stride=2), 3, "Conv1d_strided"),
    layer(CausalConv1d, 2),
    layer(FixedBlur, 1),
]
