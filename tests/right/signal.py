"""Signals: interpolation, Fourier and cosine transforms, convolutions and correlations, filters, wavelets, windows."""

import numpy as np

from tests.right.table import at, layer, some

KNOTS = np.array([-2.0, -0.5, 0.75, 1.5, 3.0])


class PowerSpectrum:
    """|FFT|² of each row."""

    def forward(self, x):
        self.X = np.fft.fft(x, axis=-1)
        return np.abs(self.X) ** 2

    def backward(self, dout):
        return 2 * np.fft.fft(dout * np.conj(self.X), axis=-1).real


class DCT:
    """Type II, orthonormal, as a matrix."""

    def _matrix(self, n):
        k, t = np.arange(n)[:, None], np.arange(n)
        C = np.sqrt(2 / n) * np.cos(np.pi * (2 * t + 1) * k / (2 * n))
        C[0] /= np.sqrt(2)
        return C

    def forward(self, x):
        return x @ self._matrix(x.shape[-1]).T

    def backward(self, dout):
        return dout @ self._matrix(dout.shape[-1])


class Interpolate:
    """Values of a piecewise linear function with learned heights, at whatever points come in."""

    def __init__(self):
        self.heights = np.array([0.0, 1.0, -1.0, 0.5, 2.0])

    def forward(self, x):
        self.x = x
        return np.interp(x, KNOTS, self.heights)

    def backward(self, dout):
        x = self.x
        i = np.clip(np.searchsorted(KNOTS, x, side="right") - 1, 0, len(KNOTS) - 2)
        width = KNOTS[i + 1] - KNOTS[i]
        share = np.clip((x - KNOTS[i]) / width, 0, 1)
        self.dheights = np.zeros_like(self.heights)
        np.add.at(self.dheights, i, dout * (1 - share))
        np.add.at(self.dheights, i + 1, dout * share)
        slope = (self.heights[i + 1] - self.heights[i]) / width
        return dout * slope * ((x >= KNOTS[0]) & (x <= KNOTS[-1]))

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(3, 4)]


class HaarStep:
    """Sums and differences of neighbours."""

    def forward(self, x):
        even, odd = x[:, 0::2], x[:, 1::2]
        return np.hstack([even + odd, even - odd]) / np.sqrt(2)

    def backward(self, dout):
        half = dout.shape[1] // 2
        s, d = dout[:, :half], dout[:, half:]
        dx = np.empty(dout.shape)
        dx[:, 0::2], dx[:, 1::2] = (s + d) / np.sqrt(2), (s - d) / np.sqrt(2)
        return dx


class Smoother:
    """A recursive filter yₜ = x_t + a yₜ₋₁ − b yₜ₋₂ over time; both coefficients are learned."""

    def __init__(self):
        self.coefficients = np.array([0.9, 0.3])

    def forward(self, x):
        a, b = self.coefficients
        self.y = np.zeros((len(x), x.shape[1] + 2))
        for t in range(x.shape[1]):
            self.y[:, t + 2] = x[:, t] + a * self.y[:, t + 1] - b * self.y[:, t]
        return self.y[:, 2:].copy()

    def backward(self, dout):
        a, b = self.coefficients
        d = np.zeros((len(dout), dout.shape[1] + 2))
        for t in reversed(range(dout.shape[1])):
            d[:, t] = dout[:, t] + a * d[:, t + 1] - b * d[:, t + 2]
        dx = d[:, :-2]
        self.dcoefficients = np.array([(dx * self.y[:, 1:-1]).sum(), -(dx * self.y[:, :-2]).sum()])
        return dx


def interpolate_heights(heights):
    return np.interp([-1.0, 0.0, 2.5], KNOTS, heights)


def interpolate_heights_jac(heights):
    return np.stack([np.interp([-1.0, 0.0, 2.5], KNOTS, row) for row in np.eye(len(heights))], axis=1)


def amplitude(x):
    return np.abs(np.fft.rfft(x))


def amplitude_vjp(x, g):
    X = np.fft.rfft(x)
    half = np.where((np.arange(len(X)) == 0) | (2 * np.arange(len(X)) == len(x)), 1.0, 0.5)
    return len(x) * np.fft.irfft(half * g * X / np.abs(X), n=len(x))


def low_pass(x):
    X = np.fft.rfft(x)
    X[2:] = 0
    return np.fft.irfft(X, n=len(x))


def low_pass_jvp(x, v):
    """Linear, and its own derivative."""
    return low_pass(v)


def convolve(a, b):
    return np.convolve(a, b)


def convolve_vjp(a, b, g):
    return np.correlate(g, b, mode="valid"), np.correlate(g, a, mode="valid")


def correlate(a, b):
    return np.correlate(a, b, mode="full")


def correlate_vjp(a, b, g):
    """c[k] = Σ a[n + k − (len(b) − 1)] b[n]."""
    return np.convolve(g, b, mode="valid"), np.correlate(g, a, mode="valid")[::-1]


def correlate_jvp(a, b, da, db):
    return np.correlate(da, b, mode="full") + np.correlate(a, db, mode="full")


def autocorrelation(x):
    return np.array([x[: len(x) - k] @ x[k:] for k in range(3)])


def autocorrelation_jac(x):
    J = np.zeros((3, len(x)))
    for k in range(3):
        J[k, : len(x) - k] += x[k:]
        J[k, k:] += x[: len(x) - k]
    return J


def frame_energy(x, size=4, hop=2):
    """Log-energy of windowed frames."""
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop] * np.hanning(size + 2)[1:-1]
    return np.log((frames**2).sum(axis=1) + 1e-6)


def frame_energy_vjp(x, g, size=4, hop=2):
    w = np.hanning(size + 2)[1:-1] ** 2
    dx = np.zeros_like(x)
    for i, gi in enumerate(g):
        frame = x[i * hop : i * hop + size]
        dx[i * hop : i * hop + size] += gi * 2 * w * frame / (w @ frame**2 + 1e-6)
    return dx


def total_variation(x):
    return np.sqrt(np.diff(x) ** 2 + 1e-4).sum()


def total_variation_grad(x):
    d = np.diff(x)
    u = d / np.sqrt(d**2 + 1e-4)
    return np.concatenate([[0], u]) - np.concatenate([u, [0]])


def moving_average(x):
    c = np.concatenate([[0], np.cumsum(x)])
    return (c[3:] - c[:-3]) / 3


def moving_average_jac(x):
    rows = len(x) - 2
    return sum(np.eye(rows, len(x), k=k) for k in range(3)) / 3


def chirp(theta):
    """Samples of A sin(ωt + φ) e^(−λt), by its four parameters."""
    A, omega, phi, decay = theta
    t = np.linspace(0, 2, 6)
    return A * np.sin(omega * t + phi) * np.exp(-decay * t)


def chirp_jac(theta):
    A, omega, phi, decay = theta
    t = np.linspace(0, 2, 6)
    s, c, e = np.sin(omega * t + phi), np.cos(omega * t + phi), np.exp(-decay * t)
    return np.column_stack([s * e, A * t * c * e, A * c * e, -t * A * s * e])


CASES = [
    layer(PowerSpectrum, 1),
    layer(DCT, 1),
    layer(Interpolate, 2),
    layer(HaarStep, 1),
    layer(Smoother, 2),
    at(interpolate_heights, some(5), jac=interpolate_heights_jac),
    at(amplitude, some(6), vjp=amplitude_vjp),
    at(low_pass, some(7), jvp=low_pass_jvp),
    at(convolve, some(5), some(3), vjp=convolve_vjp),
    at(correlate, some(5), some(3), vjp=correlate_vjp, jvp=correlate_jvp),
    at(autocorrelation, some(6), jac=autocorrelation_jac),
    at(frame_energy, some(9), vjp=frame_energy_vjp),
    at(total_variation, some(5), grad=total_variation_grad),
    at(moving_average, some(6), jac=moving_average_jac),
    at(chirp, np.array([1.5, 2.0, 0.25, 0.5]), jac=chirp_jac),
]
