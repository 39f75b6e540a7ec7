"""Where a derivative is infinite, or is approached like a power that is no whole number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import check
from gradcheck.check import Options
from gradcheck.numerical import Estimate, estimate


def at(f: Callable[[Any], Any], *x: float) -> Estimate:
    """The estimate at a point."""
    return estimate(lambda v: [f(v["x"])], {"x": np.array(x)}, "x")


def single(x: Any) -> Any:
    """√x, stored in float32 on its way."""
    return np.sqrt(np.asarray(x, dtype=np.float32)).astype(np.float64)


@pytest.mark.parametrize(
    ("f", "x", "left", "right"),
    [
        pytest.param(np.sqrt, 0.0, 0, 1, id="sqrt"),
        pytest.param(lambda x: x**0.1, 0.0, 0, 1, id="power 0.1"),
        pytest.param(lambda x: x**0.9 - 3 * x, 0.0, 0, 1, id="power 0.9"),
        pytest.param(lambda x: 5 - np.sqrt(x), 0.0, 0, -1, id="beside a constant"),
        pytest.param(lambda x: np.sqrt(np.abs(x)), 0.0, -1, 1, id="cusp"),
        pytest.param(np.cbrt, 0.0, 1, 1, id="cbrt"),
        pytest.param(np.arcsin, 1.0, 1, 0, id="arcsin"),
        pytest.param(np.arccos, -1.0, 0, -1, id="arccos"),
        pytest.param(np.arccosh, 1.0, 0, 1, id="arccosh"),
        pytest.param(lambda x: np.sqrt(4 - x * x), 2.0, -1, 0, id="circle"),
        pytest.param(lambda x: np.where(x > 0, x * np.log(np.maximum(x, 1e-300)), 0), 0.0, 0, -1, id="x log x"),
        pytest.param(single, 0.0, 0, 1, id="sqrt in float32"),
    ],
)
def test_an_infinite_derivative_is_found_with_its_sign(
    f: Callable[[Any], Any], x: float, left: int, right: int
) -> None:
    found = at(f, x)
    assert found.infinite is not None
    assert found.infinite.ravel().tolist() == [left, right]
    assert np.isinf(found.bound).all()


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        pytest.param(lambda x: x**1.1, 0.0, 0.0, id="power 1.1"),
        pytest.param(lambda x: x**1.5 + x, 0.0, 1.0, id="power 1.5"),
        pytest.param(lambda x: 1e4 * np.sqrt(x), 1e-4, 5e5, id="sqrt near 0"),
        pytest.param(lambda x: np.sin(np.asarray(x, np.float32)).astype(np.float64), 0.3, np.cos(0.3), id="stairs"),
        pytest.param(lambda x: np.round(x, 9), 0.3, 1.0, id="rounded"),
    ],
)
def test_a_finite_one_is_not_called_infinite(f: Callable[[Any], Any], x: float, slope: float) -> None:
    found = at(f, x)
    assert found.infinite is None
    assert abs(found.dense().item() - slope) <= found.dense("bound").item() + 1e-6 * abs(slope)


class Root:
    """√x. Its gradient at 0 is infinite, and 0 · ∞ where nothing comes from upstream."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.sqrt(x)

    def backward(self, upstream: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return upstream / (2 * np.sqrt(self.x))


class RootWrong(Root):
    def backward(self, upstream: Any) -> Any:
        return 2 * super().backward(upstream)


class RootDescending(Root):
    """Infinite at 0 with the wrong sign, and right elsewhere."""

    def backward(self, upstream: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(self.x == 0, -np.inf, 1 / (2 * np.sqrt(self.x)))
            return upstream * slope


@pytest.mark.parametrize(
    ("layer", "verdict"), [(Root, "correct"), (RootWrong, "wrong"), (RootDescending, "wrong")], ids=lambda it: str(it)
)
def test_a_layer_whose_derivative_is_infinite_at_zero(layer: type, verdict: str) -> None:
    assert check(layer, options=Options(dtypes=("float64",))).verdict == verdict


@pytest.mark.parametrize(("said", "verdict"), [(np.inf, "correct"), (-np.inf, "wrong"), (0.0, "convention")])
def test_a_claim_about_an_infinite_derivative(said: float, verdict: str) -> None:
    assert check(np.sqrt, np.array(0.0), grad=lambda x: said).verdict == verdict
    assert check(np.arcsin, np.array(1.0), grad=lambda x: said).verdict == verdict


class GeometricMean:
    """Of each row. At two zeros of a row its partial derivatives are 0, and it is infinitely steep in between."""

    def forward(self, x: Any) -> Any:
        with np.errstate(divide="ignore"):
            self.x, self.y = x, np.exp(np.log(x).mean(axis=1, keepdims=True))
        return self.y

    def backward(self, upstream: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return upstream * self.y / self.x / self.x.shape[1]


class Sinc:
    """sin(x)/x, which is smooth at 0; its gradient is NaN there."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.sinc(x / np.pi)

    def backward(self, upstream: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return upstream * (np.cos(self.x) * self.x - np.sin(self.x)) / self.x**2


@pytest.mark.parametrize(("layer", "verdict"), [(GeometricMean, "correct"), (Sinc, "wrong")])
def test_nan_is_wrong_only_where_there_is_a_derivative(layer: type, verdict: str) -> None:
    assert check(layer, options=Options(dtypes=("float64",))).verdict == verdict
