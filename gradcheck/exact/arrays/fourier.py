"""Discrete Fourier transforms, as the sums that they are: X[k] = Σₙ x[n] exp(−2πi k n / N)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb, arb, fmpq

from gradcheck.exact.arrays.array import Array, as_array, full
from gradcheck.exact.arrays.products import matmul


def _roots(length: int, direction: int) -> Array:
    """exp(direction · 2πi k n / N), a matrix of balls."""
    powers = []
    for k in range(length):
        sine, cosine = arb.sin_cos_pi_fmpq(fmpq(2 * k * direction, length))
        powers.append(acb(cosine, sine))
    made = np.empty((length, length), dtype=object)
    for k in range(length):
        for n in range(length):
            made[k, n] = powers[k * n % length]
    return made


def _fitted(x: Any, length: int, axis: int) -> Any:
    """Cut or padded with zeros, the axis last."""
    moved = np.moveaxis(as_array(x), axis, -1)
    if moved.shape[-1] >= length:
        return moved[..., :length]
    return np.concatenate([moved, full((*moved.shape[:-1], length - moved.shape[-1]), 0.0)], axis=-1)


def _scale(norm: str | None, direction: int, length: int) -> Any:
    """What the sum is divided by: of the two directions, the inverse one unless `norm` says otherwise."""
    if norm == "ortho":
        return arb(length).sqrt()
    divided = (direction > 0) if norm in (None, "backward") else (direction < 0)
    return arb(length) if divided else arb(1)


def _transform(x: Any, n: int | None, axis: int, norm: str | None, direction: int) -> Any:
    length = as_array(x).shape[axis] if n is None else n
    sums = matmul(_fitted(x, length, axis), as_array(_roots(length, direction)))
    return np.moveaxis(sums / _scale(norm, direction, length), -1, axis)


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """The transform of complex or real numbers."""
    return _transform(a, n, axis, norm, -1)


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """Its inverse."""
    return _transform(a, n, axis, norm, 1)


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """The transform of real numbers, of which half tells all."""
    whole = fft(a, n, axis, norm)
    return np.take(whole, range(whole.shape[axis] // 2 + 1), axis=axis)


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """Its inverse: the other half is the conjugate of the first."""
    half = as_array(a)
    length = 2 * (half.shape[axis] - 1) if n is None else n
    given = _fitted(half, length // 2 + 1, axis)
    back = np.conjugate(given[..., 1 : (length + 1) // 2])[..., ::-1]
    whole = np.moveaxis(np.concatenate([given, back], axis=-1), -1, axis)
    return np.real(ifft(whole, None, axis, norm))  # the imaginary parts of the first and the middle one do not count


def _several(function: Callable[..., Any], usual: Any) -> Callable[..., Any]:
    """Transform along several axes, the last first."""

    def several(a: Any, s: Any = None, axes: Any = usual, norm: str | None = None, out: None = None) -> Any:
        x = as_array(a)
        if axes is None:
            axes = range(-len(s), 0) if s is not None else range(x.ndim)
        sizes = [None] * len(list(axes)) if s is None else list(s)
        for size, axis in reversed(list(zip(sizes, axes, strict=True))):
            x = function(x, size, axis, norm)
        return x

    return several


fft2, ifft2 = _several(fft, (-2, -1)), _several(ifft, (-2, -1))
fftn, ifftn = _several(fft, None), _several(ifft, None)


def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: None = None) -> Any:
    """The transform of real numbers along two axes."""
    *others, last = axes
    sizes = [None, None] if s is None else list(s)
    return fft(rfft(a, sizes[-1], last, norm), sizes[0], others[0], norm)


def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: None = None) -> Any:
    """Its inverse."""
    *others, last = axes
    sizes = [None, None] if s is None else list(s)
    return irfft(ifft(a, sizes[0], others[0], norm), sizes[-1], last, norm)


NUMPY: dict[Any, Callable[..., Any]] = {
    np.fft.fft: fft,
    np.fft.ifft: ifft,
    np.fft.rfft: rfft,
    np.fft.irfft: irfft,
    np.fft.fft2: fft2,
    np.fft.ifft2: ifft2,
    np.fft.fftn: fftn,
    np.fft.ifftn: ifftn,
    np.fft.rfft2: rfft2,
    np.fft.irfft2: irfft2,
}
