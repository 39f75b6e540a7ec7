"""Smooth activations, LogSoftmax and PReLU: values in many digits, slopes by differences, types."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from beras import ELU, GELU, SELU, GradientTape, LogSoftmax, PReLU, SiLU, Softmax, Softplus, Tensor, normal
from beras.elementwise import Elementwise
from tests.beras.differences import assert_vjp_matches
from tests.beras.test_nested_tapes import assert_second_derivatives

A, S = mp.mpf("1.6732632423543772848170429916717"), mp.mpf("1.0507009873554804934193349852946")
EXACT: dict[Any, Any] = {
    GELU(): lambda x: x * mp.ncdf(x),
    GELU(approximate=True): lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
    ELU(): lambda x: x if x > 0 else mp.expm1(x),
    ELU(0.5): lambda x: x if x > 0 else mp.expm1(x) / 2,
    SELU(): lambda x: S * (x if x > 0 else A * mp.expm1(x)),
    SiLU(): lambda x: x / (1 + mp.exp(-x)),
    Softplus(): lambda x: mp.log1p(mp.exp(x)),
}
POINTS = np.array([-30.0, -8.0, -2.5, -1.0, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.5, 1.0, 3.0, 8.0, 30.0])


@pytest.mark.parametrize("layer", EXACT, ids=lambda layer: f"{type(layer).__name__} {vars(layer)}")
@pytest.mark.parametrize(("dtype", "ulps"), [(np.float64, 16), (np.float32, 16)])
def test_values_and_slopes_in_many_digits(layer: Any, dtype: type, ulps: int) -> None:
    mp.mp.dps = 40
    x = POINTS.astype(dtype)
    y = np.asarray(layer(x))
    [slope] = (np.asarray(g) for g in layer.get_input_gradients())
    assert (y.dtype, slope.dtype) == (dtype, dtype)
    eps = np.finfo(dtype).eps
    for value, found, rise in zip(x, y, slope, strict=True):
        at = mp.mpf(float(value))
        expected = EXACT[layer](at)
        # The square of x is rounded before exp: eps of the exponent, which is relative in the result.
        lost = (ulps + float(at) ** 2) * eps
        assert abs(found - expected) <= lost * abs(expected) + np.finfo(dtype).tiny, value
        if at == 0 and isinstance(layer, ELU | SELU):  # a kink, but for ELU with alpha = 1
            assert rise == pytest.approx(getattr(layer, "alpha", float(S * A)))
            continue
        derivative = mp.diff(EXACT[layer], at, h=mp.mpf("1e-12"))
        assert abs(rise - derivative) <= lost * max(abs(derivative), 1e-3) + 1e-11, value


@pytest.mark.parametrize("layer", [*EXACT, LogSoftmax()], ids=lambda layer: type(layer).__name__)
def test_slopes_agree_with_differences_also_on_a_tape_in_a_tape(layer: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert_vjp_matches(layer, x)
    assert_second_derivatives(layer, [Tensor(x.copy())])


@pytest.mark.parametrize("layer", EXACT, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_number_overflows(layer: Any, dtype: type) -> None:
    largest = np.finfo(dtype).max
    x = np.array([-largest, -1e4, 1e4, largest / 4], dtype)
    assert np.isfinite(np.asarray(layer(x))).all()
    assert layer(x).dtype == dtype
    assert np.isfinite(np.asarray(layer.get_input_gradients()[0])).all()
    assert isinstance(layer, Elementwise)


def test_the_normal_distribution_is_as_good_as_it_says() -> None:
    mp.mp.dps = 40
    a = np.concatenate([np.linspace(0, 10, 300), np.linspace(10, 37, 50)])
    exact = np.array([float(mp.erfc(mp.mpf(v) / mp.sqrt(2)) / 2) for v in a])
    # The polynomial to 3.4e-16; exp(−a²/2) has a rounded argument, and four more operations are rounded.
    allowed = 3.4e-16 + (a**2 + 6) * np.finfo(float).eps
    assert (np.abs(normal.upper_tail(a) / exact - 1) <= allowed).all()
    single = normal.upper_tail(a[:300].astype(np.float32))
    exact = np.array([float(mp.erfc(mp.mpf(float(v)) / mp.sqrt(2)) / 2) for v in a[:300].astype(np.float32)])
    allowed = 3.3e-9 + (a[:300] ** 2 + 20) * np.finfo(np.float32).eps
    assert (np.abs(single / exact - 1) <= allowed).all()


def test_the_coefficients_are_those_of_chebyshevs_series() -> None:
    mp.mp.dps = 40
    nodes = 120

    def smooth(t: Any) -> Any:
        a = 5 * (1 + t) / (1 - t)
        return mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2 * (1 + a)

    angles = [mp.pi * (mp.mpf(j) + mp.mpf(1) / 2) / nodes for j in range(nodes)]
    values = [smooth(mp.cos(angle)) for angle in angles]
    for coefficients in (normal.DOUBLE, normal.SINGLE):
        series = [
            (2 if k else 1) * sum(v * mp.cos(k * angle) for v, angle in zip(values, angles, strict=True)) / nodes
            for k in range(len(coefficients))
        ]
        for t in np.linspace(-1, 1, 41):
            horner = mp.mpf(0)
            for coefficient in coefficients[::-1]:
                horner = horner * mp.mpf(t) + mp.mpf(coefficient)
            chebyshev = sum(c * mp.cos(k * mp.acos(mp.mpf(t))) for k, c in enumerate(series))
            assert abs(horner - chebyshev) < 1e-15


def test_log_softmax_is_the_logarithm_and_does_not_overflow() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(LogSoftmax()(x), np.log(np.asarray(Softmax()(x))), rtol=1e-12)
    assert LogSoftmax()([[1e300, -1e300]]).tolist() == [[0.0, -2e300]]
    assert LogSoftmax()([1.0, 1.0]).tolist() == [-math.log(2)] * 2
    with pytest.raises(ValueError, match="got a scalar"):
        LogSoftmax()(1.0)


def test_prelu_learns_a_slope_for_each_entry_or_for_those_that_share_one() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    own, shared = PReLU("uniform", seed=1, dtype=np.float64), PReLU("one", [1, 2], dtype=np.float64)
    for layer, shape in ((own, (3, 4, 5)), (shared, (1, 1, 5))):
        y = layer(x)
        assert layer.alpha.shape == shape
        np.testing.assert_allclose(y, np.where(x > 0, x, np.asarray(layer.alpha) * x))
        assert_vjp_matches(layer, x)
        assert_second_derivatives(lambda a, _, layer=layer: layer(a), [Tensor(x[:1].copy()), layer.alpha])
    assert not np.asarray(PReLU(shape=(2,)).alpha).any()
    assert PReLU(shape=(2,))([[0.0, -1.0]]).tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"for samples of shape \(2,\), got input of shape \(1, 3\)"):
        PReLU(shape=(2,))(np.ones((1, 3)))


def test_prelu_takes_part_in_training() -> None:
    layer, x = PReLU(shape=(2,)), Tensor([[-1.0, 2.0]])
    with GradientTape() as tape:
        y = layer(x).sum()
    assert tape.gradient(y, layer.alpha).tolist() == [-1.0, 0.0]


@pytest.mark.parametrize("make", [lambda: ELU("1"), lambda: ELU(True)])
def test_options_of_another_type_are_refused(make: Any) -> None:
    with pytest.raises(TypeError, match="ELU expects alpha to be a number"):
        make()
    with pytest.raises(ValueError, match="finite alpha"):
        ELU(np.inf)
