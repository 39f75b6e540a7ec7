"""Tests of whether two samples come from one distribution, each at a given significance.

Two-sided throughout; `z` is the normal quantile for that significance.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
SIGNIFICANCE = 1e-6
Z = -NormalDist().inv_cdf(SIGNIFICANCE / 2)
PROBABILITIES = np.array([0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999])


def kolmogorov_smirnov(a: Array, b: Array) -> tuple[float, float]:
    """Return the largest distance of the two empirical distribution functions, and its critical value.

    D = max |F_a − F_b|; asymptotically P(D > c·√(1/n + 1/m)) = 2·exp(−2c²) (Smirnov 1948), so
    c = √(−ln(significance / 2) / 2).
    """
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    f_a = np.searchsorted(a, both, side="right") / len(a)
    f_b = np.searchsorted(b, both, side="right") / len(b)
    critical = math.sqrt(-math.log(SIGNIFICANCE / 2) / 2 * (1 / len(a) + 1 / len(b)))
    return float(np.abs(f_a - f_b).max()), critical


def moments(sample: Array) -> tuple[Array, Array]:
    """Return mean, variance, skewness·σ³ and fourth central moment, and the standard error of each.

    The k-th central moment of n draws has variance (μ_2k − μ_k² − 2k·μ_(k−1)·μ_(k+1) + k²·μ_2·μ_(k−1)²) / n
    (Kendall & Stuart, *The Advanced Theory of Statistics*, vol. 1, eq. 10.9).
    """
    n, mean = len(sample), float(sample.mean())
    mu = [float(((sample - mean) ** k).mean()) for k in range(9)]
    values, errors = [mean], [mu[2] / n]
    for k in (2, 3, 4):
        values.append(mu[k])
        errors.append((mu[2 * k] - mu[k] ** 2 - 2 * k * mu[k - 1] * mu[k + 1] + k**2 * mu[2] * mu[k - 1] ** 2) / n)
    return np.array(values), np.sqrt(errors)


def shares_below(a: Array, b: Array) -> tuple[Array, Array]:
    """Return which share of `b` lies below the quantiles of `a`, and how far from p that may be.

    That share has variance 2p(1 − p)/n where both are n draws of one distribution, whatever it is.
    """
    share = np.searchsorted(np.sort(b), np.quantile(a, PROBABILITIES)) / len(b)
    return share, Z * np.sqrt(PROBABILITIES * (1 - PROBABILITIES) * (1 / len(a) + 1 / len(b)))
