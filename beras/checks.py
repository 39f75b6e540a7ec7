"""Checks of arguments that several modules share, so that the same mistake gets the same message."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from beras.arrays import Array


def numeric(value: npt.ArrayLike, who: str, what: str = "input") -> Array:
    """Return `value` as a plain array of numbers with at least one entry.

    Raises `TypeError` where it does not hold numbers, `ValueError` where it is ragged or empty.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{who} expects {what} to be a rectangular array of numbers: {error}") from None
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"{who} expects {what} to hold numbers, got an array of type {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{who} expects {what} to hold at least one sample, got an empty array of shape {array.shape}")
    return array


def floating(value: npt.ArrayLike, who: str, what: str = "input") -> Array:
    """Return `value` as a plain array of floating-point (or complex) numbers; integers become float64."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
        return np.asarray(value)  # the usual case, at every call of every layer
    array = numeric(value, who, what)
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


def real(value: npt.ArrayLike, who: str, what: str = "input") -> Array:
    """Like `floating`, for functions that complex numbers have no place in: those are a `TypeError`."""
    array = floating(value, who, what)
    if array.dtype.kind == "c":
        raise TypeError(f"{who} is not defined on complex numbers, got {what} of type {array.dtype}")
    return array


def matrix(array: Array, who: str, what: str, columns: int | None = None) -> Array:
    """Return `array` if it has two axes (and so many `columns`), else raise `ValueError`."""
    if array.ndim != 2 or (columns is not None and array.shape[1] != columns):
        expected = f"(batch, {'n' if columns is None else columns})"
        raise ValueError(f"{who} expects {what} of shape {expected}, got shape {array.shape}")
    return array


def rows(array: Array, who: str, what: str, columns: int) -> Array:
    """Return `array` if it has at least two axes, the last of so many `columns`, else raise `ValueError`."""
    if array.ndim < 2 or array.shape[-1] != columns:
        raise ValueError(f"{who} expects {what} of shape (batch, {columns}), got shape {array.shape}")
    return array


def broadcasts_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether an array of `shape` can be repeated to `target`."""
    tail = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(n in (1, m) for n, m in zip(shape, tail, strict=True))


def floating_dtype(dtype: npt.DTypeLike, who: str) -> np.dtype[Any]:
    """Return `dtype` if weights can have it: a floating-point one, else raise `TypeError`."""
    found = np.dtype(dtype)
    if found.kind != "f":
        raise TypeError(f"{who} expects a floating-point dtype, got {found}")
    return found


def same_shape(first: Array, second: Array, who: str, names: tuple[str, str]) -> None:
    """Raise `ValueError` unless both arrays have one shape; a differing batch size is named as such."""
    if first.shape == second.shape:
        return
    if first.ndim and second.ndim and first.shape[0] != second.shape[0]:
        raise ValueError(
            f"{who} expects as many samples in {names[0]} as in {names[1]}, got {first.shape[0]} and {second.shape[0]} "
            f"(shapes {first.shape} and {second.shape})"
        )
    raise ValueError(f"{who} expects {names[0]} and {names[1]} of one shape, got {first.shape} and {second.shape}")


def gradient_dtype(array: Array) -> np.dtype[Any]:
    """Return the type of a gradient by `array`: its own, or float64 where it holds integers."""
    return array.dtype if array.dtype.kind in "fc" else np.dtype(np.float64)


def whole_number(value: int, who: str, what: str, least: int = 1) -> int:
    """Return `value` if it is an integer of at least `least`. Raises `TypeError`, `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{who} expects {what} to be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{who} expects {what} to be at least {least}, got {value}")
    return int(value)


def number(value: float, who: str, what: str) -> float:
    """Return `value` if it is a real number, else raise `TypeError`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{who} expects {what} to be a number, got {value!r}")
    return value


def number_between(value: float, who: str, what: str, low: float, high: float) -> float:
    """Return `value` if low <= value < high. Raises `TypeError`, `ValueError`."""
    if not low <= number(value, who, what) < high:
        raise ValueError(f"{who} expects {low} <= {what} < {high}, got {value}")
    return value
