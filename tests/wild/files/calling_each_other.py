"""Chebyshev polynomials of both kinds, each by the other: functions that call each other in a circle."""

import numpy as np


def first_kind(x, n=3):
    return np.ones_like(x) if n == 0 else x * first_kind(x, n - 1) - (1 - x * x) * second_kind(x, n - 2)


def second_kind(x, n):
    return np.zeros_like(x) if n < 0 else first_kind(x, n) + x * second_kind(x, n - 1)


def first_kind_grad(x, n=3):
    return n * second_kind(x, n - 1)
