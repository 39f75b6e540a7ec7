"""Every initializer against Keras': moments, quantiles and the Kolmogorov–Smirnov test on 200,000 draws.

The seeds are fixed, so the outcome is too. Both samples have one null hypothesis, that they come from
the same distribution, tested at a significance of 1e-6; two planted samples show that it can be rejected.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from beras.initializers import INITIALIZERS, initialize
from beras.layers import Dense
from gradcheck.report.differential import Record

from .inputs import DTYPES, Array
from .peer import keras
from .samples import PROBABILITIES, Z, kolmogorov_smirnov, moments, shares_below

FAN_IN, FAN_OUT = 400, 500
SEED = 20240607
KERAS = {
    "normal": lambda: keras.initializers.RandomNormal(mean=0.0, stddev=1.0, seed=SEED),
    "xavier": lambda: keras.initializers.GlorotNormal(seed=SEED),
    "kaiming": lambda: keras.initializers.HeNormal(seed=SEED),
    "xavier uniform": lambda: keras.initializers.GlorotUniform(seed=SEED),
    "kaiming uniform": lambda: keras.initializers.HeUniform(seed=SEED),
    "lecun": lambda: keras.initializers.LecunNormal(seed=SEED),
    "lecun uniform": lambda: keras.initializers.LecunUniform(seed=SEED),
    "random normal": lambda: keras.initializers.RandomNormal(seed=SEED),
    "uniform": lambda: keras.initializers.RandomUniform(seed=SEED),
}
NORMAL_STDDEV = {"xavier": math.sqrt(2 / (FAN_IN + FAN_OUT)), "kaiming": math.sqrt(2 / FAN_IN)}
MOMENTS_BASIS = "significance 1e-6: 4.9 standard errors of the difference of two samples of 200,000"
QUANTILES_BASIS = "share of Keras' draws below Beras' quantile: 4.9 standard errors, 200,000 draws each"
KS_BASIS = "largest distance of the two distribution functions; the tolerance is the critical value at 1e-6"


def drawn(name: str, dtype: str) -> Array:
    """Return 200,000 draws of Beras."""
    w, _ = Dense._initialize_weight(name, FAN_IN, FAN_OUT, dtype=dtype, seed=SEED)
    assert w.shape == (FAN_IN, FAN_OUT)
    assert w.dtype == dtype
    return np.asarray(w, np.float64).ravel()


def drawn_by_keras(name: str, dtype: str) -> Array:
    """Return 200,000 draws of Keras."""
    return np.asarray(KERAS[name]()((FAN_IN, FAN_OUT), dtype=dtype).numpy(), np.float64).ravel()


def test_every_random_initializer_is_compared() -> None:
    assert set(KERAS) == set(INITIALIZERS) - {"zero", "one", "orthogonal"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(KERAS))
def test_initializer(record: Record, name: str, dtype: str) -> None:
    ours, theirs = drawn(name, dtype), drawn_by_keras(name, dtype)
    component = f"beras.initializers: {name}"

    (values, errors), (their_values, their_errors) = moments(ours), moments(theirs)
    allowed = Z * np.hypot(errors, their_errors)
    for k, aspect in enumerate(["mean", "variance", "third central moment", "fourth central moment"]):
        record.compare(component, aspect, dtype, values[k], their_values[k], allowed[k], MOMENTS_BASIS)

    shares, allowed = shares_below(ours, theirs)
    record.compare(component, "quantiles", dtype, shares, PROBABILITIES, allowed, QUANTILES_BASIS)

    distance, critical = kolmogorov_smirnov(ours, theirs)
    record.compare(component, "Kolmogorov–Smirnov", dtype, distance, 0.0, critical, KS_BASIS)


@pytest.mark.parametrize("name", sorted(set(KERAS) - {"normal", "random normal"}))
def test_draws_end_where_keras_draws_end(record: Record, name: str) -> None:
    # A truncated normal ends at two of its standard deviations before the cut, a uniform one at its limit.
    ours, theirs = np.abs(drawn(name, "float64")).max(), np.abs(drawn_by_keras(name, "float64")).max()
    variance = {"kaiming": 2 / FAN_IN, "lecun": 1 / FAN_IN, "uniform": 0.05**2 / 3, "xavier": 2 / (FAN_IN + FAN_OUT)}
    deviation = math.sqrt(variance[name.split()[0]])
    limit = deviation * math.sqrt(3) if "uniform" in name else deviation * 2 / 0.87962566103423978
    assert max(ours, theirs) <= limit * (1 + np.finfo(float).eps)
    # The density there is at least 0.06 / deviation on either end: all 200,000 draws stay δ below the limit with
    # probability exp(−200,000 · 2 · 0.06 · δ / deviation), which is 1e-6 for this δ.
    allowed = -math.log(1e-6) / (2 * 0.06 * FAN_IN * FAN_OUT) * deviation
    basis = "200,000 draws come so near to the end of the distribution, but for a probability of 1e-6"
    record.compare(f"beras.initializers: {name}", "largest draw", "float64", ours, theirs, allowed, basis)


@pytest.mark.parametrize("name", sorted(NORMAL_STDDEV))
def test_a_plain_normal_of_the_same_variance_fails(name: str) -> None:
    plain = np.random.default_rng(SEED).normal(0, NORMAL_STDDEV[name], FAN_IN * FAN_OUT)
    theirs = drawn_by_keras(name, "float64")
    distance, critical = kolmogorov_smirnov(plain, theirs)
    assert distance > critical
    shares, allowed = shares_below(plain, theirs)
    assert (np.abs(shares - PROBABILITIES) > allowed).any()
    (values, errors), (their_values, their_errors) = moments(plain), moments(theirs)
    assert abs(values[3] - their_values[3]) > Z * np.hypot(errors[3], their_errors[3])


@pytest.mark.parametrize("name", sorted(NORMAL_STDDEV))
def test_a_truncated_normal_without_the_rescaling_fails(name: str) -> None:
    ours, theirs = drawn(name, "float64") * 0.87962566103423978, drawn_by_keras(name, "float64")
    distance, critical = kolmogorov_smirnov(ours, theirs)
    assert distance > critical


def test_the_test_keeps_its_significance() -> None:
    # Of 2,000 pairs of samples of one distribution, none may be rejected at 1e-6 (chance: 0.002), and the share
    # beyond the 5 % point must be near 5 % (4.9 standard errors), else the critical values are not what they say.
    rng = np.random.default_rng(SEED)
    n, rejected, beyond = 500, 0, 0
    for _ in range(2000):
        a, b = rng.normal(size=n), rng.normal(size=n)
        distance, critical = kolmogorov_smirnov(a, b)
        rejected += distance > critical
        beyond += distance > math.sqrt(-math.log(0.025) / 2 * 2 / n)
    assert rejected == 0
    # The asymptotic law is conservative for finite samples: fewer may be beyond, not more.
    assert beyond / 2000 < 0.05 + Z * math.sqrt(0.05 * 0.95 / 2000)
    assert beyond / 2000 > 0.02


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_and_biases(record: Record, dtype: str) -> None:
    w, b = Dense._initialize_weight("zero", 4, 3, dtype=dtype)
    basis: Any = "zeros: no difference is allowed"
    zeros = keras.initializers.Zeros()
    record.compare("beras.initializers: zero", "value", dtype, w, zeros((4, 3), dtype=dtype).numpy(), 0, basis)
    for name in INITIALIZERS:
        _, b = Dense._initialize_weight(name, 4, 3, dtype=dtype, seed=SEED)
        record.compare(f"beras.initializers: {name}", "bias", dtype, b, zeros((1, 3), dtype=dtype).numpy(), 0, basis)


def test_orthogonal_is_spread_as_in_keras(record: Record) -> None:
    """The same distribution: of the first entry of 3 × 2 matrices, by Kolmogorov and Smirnov."""
    ours = np.array([initialize("orthogonal", 3, 2, dtype="float64", seed=k)[0, 0] for k in range(2000)])
    theirs = np.array(
        [keras.initializers.Orthogonal(seed=k)((3, 2), dtype="float64").numpy()[0, 0] for k in range(2000)]
    )
    distance, critical = kolmogorov_smirnov(ours, theirs)
    record.compare("beras.initializers: orthogonal", "Kolmogorov–Smirnov", "float64", distance, 0.0, critical, KS_BASIS)


def test_a_kernel_draws_as_keras_draws_it(record: Record) -> None:
    shape = (3, 3, 40, 60)
    for name in ("xavier", "kaiming uniform", "lecun"):
        ours = initialize(name, 9 * 40, 9 * 60, dtype="float64", seed=SEED, shape=shape).ravel()
        theirs = np.asarray(KERAS[name]()(shape, dtype="float64").numpy()).ravel()
        distance, critical = kolmogorov_smirnov(ours, theirs)
        component = f"beras.initializers: {name}"
        record.compare(component, "Kolmogorov–Smirnov, a kernel", "float64", distance, 0.0, critical, KS_BASIS)
