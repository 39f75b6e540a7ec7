"""Every function of jets encloses its value and its derivative: against mpmath, and against fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from flint import arb, fmpq

import gradcheck.exact.arrays.protocols  # noqa: F401 -- what NumPy asks when it meets jets
from gradcheck.exact import session
from gradcheck.exact.jets.analytic import RULES
from gradcheck.exact.jets.functions import FUNCTIONS, PREDICATES
from gradcheck.exact.jets.jet import Jet, jet

MP = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.MPContext()
MP.dps = 60

# What mpmath has, and where it is defined.
ANYWHERE, POSITIVE, UNIT, SHARE, ABOVE_ONE = (-3.0, 3.0), (0.1, 4.0), (-0.9, 0.9), (0.1, 0.9), (1.1, 4.0)
UNARY: dict[str, tuple[Callable[[Any], Any], tuple[float, float]]] = {
    "exp": (MP.exp, ANYWHERE),
    "exp2": (lambda x: MP.mpf(2) ** x, ANYWHERE),
    "expm1": (MP.expm1, ANYWHERE),
    "log": (MP.log, POSITIVE),
    "log2": (lambda x: MP.log(x, 2), POSITIVE),
    "log10": (MP.log10, POSITIVE),
    "log1p": (lambda x: MP.log(1 + x), UNIT),
    "sqrt": (MP.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / MP.sqrt(x), POSITIVE),
    "cbrt": (lambda x: MP.sign(x) * MP.cbrt(abs(x)), ANYWHERE),
    "sin": (MP.sin, ANYWHERE),
    "cos": (MP.cos, ANYWHERE),
    "tan": (MP.tan, UNIT),
    "arcsin": (MP.asin, UNIT),
    "arccos": (MP.acos, UNIT),
    "arctan": (MP.atan, ANYWHERE),
    "sinh": (MP.sinh, ANYWHERE),
    "cosh": (MP.cosh, ANYWHERE),
    "tanh": (MP.tanh, ANYWHERE),
    "arcsinh": (MP.asinh, ANYWHERE),
    "arccosh": (MP.acosh, ABOVE_ONE),
    "arctanh": (MP.atanh, UNIT),
    "sinc": (MP.sincpi, ANYWHERE),
    "expit": (lambda x: 1 / (1 + MP.exp(-x)), ANYWHERE),
    "log_expit": (lambda x: -MP.log(1 + MP.exp(-x)), ANYWHERE),
    "logit": (lambda x: MP.log(x / (1 - x)), SHARE),
    "erf": (MP.erf, ANYWHERE),
    "erfc": (MP.erfc, ANYWHERE),
    "erfinv": (MP.erfinv, UNIT),
    "erfcinv": (lambda x: MP.erfinv(1 - x), SHARE),
    "ndtr": (MP.ncdf, ANYWHERE),
    "log_ndtr": (lambda x: MP.log(MP.ncdf(x)), ANYWHERE),
    "gamma": (MP.gamma, POSITIVE),
    "gammaln": (lambda x: MP.log(abs(MP.gamma(x))), (-2.9, -2.1)),
    "loggamma": (lambda x: MP.log(MP.gamma(x)), POSITIVE),
    "psi": (lambda x: MP.psi(0, x), POSITIVE),
    "digamma": (lambda x: MP.psi(0, x), POSITIVE),
    "i0": (lambda x: MP.besseli(0, x), POSITIVE),
    "i1": (lambda x: MP.besseli(1, x), POSITIVE),
    "j0": (lambda x: MP.besselj(0, x), POSITIVE),
    "j1": (lambda x: MP.besselj(1, x), POSITIVE),
    "negative": (lambda x: -x, ANYWHERE),
    "positive": (lambda x: x, ANYWHERE),
    "square": (lambda x: x * x, ANYWHERE),
    "reciprocal": (lambda x: 1 / x, POSITIVE),
    "absolute": (abs, ANYWHERE),
    "fabs": (abs, ANYWHERE),
    "degrees": (MP.degrees, ANYWHERE),
    "rad2deg": (MP.degrees, ANYWHERE),
    "radians": (MP.radians, ANYWHERE),
    "deg2rad": (MP.radians, ANYWHERE),
    "entr": (lambda x: -x * MP.log(x), POSITIVE),
    "conjugate": (lambda x: x, ANYWHERE),
    "real": (lambda x: x, ANYWHERE),
    "imag": (lambda x: MP.mpf(0), ANYWHERE),
    "sign": (MP.sign, ANYWHERE),
    "floor": (MP.floor, ANYWHERE),
    "ceil": (MP.ceil, ANYWHERE),
    "rint": (MP.nint, ANYWHERE),
    "trunc": (lambda x: MP.sign(x) * MP.floor(abs(x)), ANYWHERE),
    "round": (MP.nint, ANYWHERE),
}
BINARY: dict[str, tuple[Callable[[Any, Any], Any], tuple[float, float]]] = {
    "add": (lambda x, y: x + y, ANYWHERE),
    "subtract": (lambda x, y: x - y, ANYWHERE),
    "multiply": (lambda x, y: x * y, ANYWHERE),
    "divide": (lambda x, y: x / y, POSITIVE),
    "true_divide": (lambda x, y: x / y, POSITIVE),
    "power": (lambda x, y: x**y, POSITIVE),
    "float_power": (lambda x, y: x**y, POSITIVE),
    "maximum": (max, ANYWHERE),
    "minimum": (min, ANYWHERE),
    "fmax": (max, ANYWHERE),
    "fmin": (min, ANYWHERE),
    "hypot": (MP.hypot, ANYWHERE),
    "logaddexp": (lambda x, y: MP.log(MP.exp(x) + MP.exp(y)), ANYWHERE),
    "logaddexp2": (lambda x, y: MP.log(MP.mpf(2) ** x + MP.mpf(2) ** y, 2), ANYWHERE),
    "arctan2": (MP.atan2, ANYWHERE),
    "floor_divide": (lambda x, y: MP.floor(x / y), ANYWHERE),
    "remainder": (lambda x, y: x - y * MP.floor(x / y), ANYWHERE),
    "mod": (lambda x, y: x - y * MP.floor(x / y), ANYWHERE),
    "fmod": (lambda x, y: x - y * MP.sign(x / y) * MP.floor(abs(x / y)), ANYWHERE),
    "copysign": (lambda x, y: abs(x) * (1 if y >= 0 else -1), ANYWHERE),
    "heaviside": (lambda x, y: MP.mpf(1 if x > 0 else 0), ANYWHERE),
    "xlogy": (lambda x, y: x * MP.log(y), POSITIVE),
    "xlog1py": (lambda x, y: x * MP.log(1 + y), POSITIVE),
    "huber": (lambda d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2), POSITIVE),
}
# Of other forms, with tests of their own.
OTHERS = {"clip", "modf", "divmod", "ldexp"}


def encloses(ball: Any, value: Any) -> bool:
    """Whether mpmath's number, which is right to 40 digits at least, lies in a ball, which is narrow."""
    assert ball.rad() <= 1e-30 * (1 + abs(ball))
    return bool(arb(MP.nstr(value, 50), abs(arb(MP.nstr(value, 50))) * 1e-38 + 1e-38).overlaps(ball))


def holds(ball: Any, value: Fraction) -> bool:
    """Whether a fraction lies in a ball, in exact arithmetic."""
    away = ball.mid().fmpq() - fmpq(value.numerator, value.denominator)
    return bool(abs(away) <= ball.rad().fmpq())


def test_every_function_has_a_reference() -> None:
    assert set(FUNCTIONS) == set(UNARY) | set(BINARY) | OTHERS
    assert set(RULES) <= set(FUNCTIONS)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name: str) -> None:
    f, (low, high) = UNARY[name]
    for x in np.random.default_rng(0).uniform(low, high, size=6).tolist():
        with session.running(160):
            y = FUNCTIONS[name](Jet(arb(x), arb(0.75)))
            slope = arb(0) if y.slope is None else y.slope
            assert encloses(y.ball, f(MP.mpf(x)))
            assert encloses(slope, MP.diff(f, MP.mpf(x)) * 0.75)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name: str) -> None:
    f, (low, high) = BINARY[name]
    for x, y in np.random.default_rng(0).uniform(low, high, size=(6, 2)).tolist():
        by_x, by_y = (MP.diff(f, (MP.mpf(x), MP.mpf(y)), order) for order in ((1, 0), (0, 1)))
        with session.running(160):
            first, second = Jet(arb(x), arb(0.75)), Jet(arb(y), arb(-0.5))
            for a, b, slope in (
                (first, second, by_x * 0.75 - by_y * 0.5),
                (first, y, by_x * 0.75),
                (x, second, -by_y * 0.5),
                (Jet(arb(x)), second, -by_y * 0.5),
            ):
                z = FUNCTIONS[name](a, b)
                assert encloses(z.ball, f(MP.mpf(x), MP.mpf(y)))
                assert encloses(arb(0) if z.slope is None else z.slope, slope)


@pytest.mark.parametrize("name", sorted(RULES))
def test_second_derivatives_by_nesting(name: str) -> None:
    f, (low, high) = UNARY[name]
    x = (low + 2 * high) / 3
    with session.running(160):
        y = RULES[name](Jet(Jet(arb(x), arb(1)), Jet(arb(1))))
        second = arb(0) if y.slope.slope is None else y.slope.slope
        assert encloses(second, MP.diff(f, MP.mpf(x), 2))


def test_a_product_of_jets_of_jets_has_its_second_derivative() -> None:
    with session.running(128):
        x = Jet(Jet(arb(3), arb(1)), Jet(arb(1)))
        y = x * x * x / (x + 1) - 2 * x  # x² − x + 1 − 1/(x + 1) − 2x
        assert holds(y.slope.slope, 2 - 2 / Fraction(4) ** 3)


@settings(database=None, deadline=None)
@given(
    numbers=st.lists(st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3), min_size=2, max_size=6),
    operations=st.lists(st.sampled_from("+-*/"), min_size=5, max_size=5),
)
def test_arithmetic_encloses_what_fractions_say(numbers: list[float], operations: list[str]) -> None:
    """Values and derivatives along the direction in which every number grows by itself."""
    exact, slope = Fraction(numbers[0]), Fraction(numbers[0])
    with session.running(128):
        found = Jet(arb(numbers[0]), arb(numbers[0]))
        for x, operation in zip(numbers[1:], operations, strict=False):
            y = Fraction(x)
            term = Jet(arb(x), arb(x))
            if operation == "+":
                exact, slope, found = exact + y, slope + y, found + term
            elif operation == "-":
                exact, slope, found = exact - y, slope - y, found - term
            elif operation == "*":
                exact, slope, found = exact * y, slope * y + exact * y, found * term
            else:
                exact, slope, found = exact / y, (slope * y - exact * y) / y**2, found / term
        assert holds(found.ball, exact)
        assert holds(found.slope, slope)


@pytest.mark.parametrize("other", [2, 2.5, True, np.float64(2.5), np.float32(0.1), np.int64(3), np.bool_(True)])
def test_plain_numbers_join_at_the_very_value_that_they_have(other: Any) -> None:
    value = Fraction(other.item() if isinstance(other, np.generic) else other)
    with session.running(128):
        x = Jet(arb(3), arb(1))
        for found, exact in (
            (x + other, 3 + value),
            (other + x, 3 + value),
            (x - other, 3 - value),
            (other - x, value - 3),
            (x * other, 3 * value),
            (other * x, 3 * value),
            (x / other, 3 / value),
            (other / x, value / 3),
        ):
            assert type(found) is Jet
            assert holds(found.ball, exact)


def test_a_long_double_joins_with_all_its_bits() -> None:
    x = np.longdouble(1) / 3
    with session.running(128):
        assert float((jet(x) - float(x)).ball) == float(x - float(x))


@pytest.mark.parametrize(
    ("base", "exponent", "value", "slope"),
    [
        (0.0, 0, 1, 0),
        (0.0, 1, 0, 1),
        (0.0, 2, 0, 0),
        (0.0, 1.5, 0, 0),
        (-2.0, 3, -8, 12),
        (-2.0, 3.0, -8, 12),
        (-2.0, -1, -0.5, -0.25),
        (4.0, 0.5, 2, 0.25),
        (4.0, -0.5, 0.5, -0.0625),
    ],
)
def test_powers_at_their_edges(base: float, exponent: float, value: float, slope: float) -> None:
    with session.running(128):
        y = Jet(arb(base), arb(1)) ** exponent
        assert y.ball.contains(value)
        assert (arb(0) if y.slope is None else y.slope).contains(slope)


@pytest.mark.parametrize(("base", "exponent"), [(-2.0, 0.5), (0.0, -1), (0.0, -0.5)])
def test_powers_that_are_not_defined_are_not_finite(base: float, exponent: float) -> None:
    with session.running(128):
        assert not (Jet(arb(base), arb(1)) ** exponent).ball.is_finite()


@pytest.mark.parametrize("function", [lambda x: 1 / x, lambda x: x.log(), lambda x: x.sqrt(), lambda x: abs(x) ** 0.5])
def test_a_ball_around_a_singularity_is_not_finite(function: Callable[[Any], Any]) -> None:
    with session.running(128):
        found = function(Jet(arb(0, 1e-9)))
        assert not (found.ball.is_finite() and found.ball.rad() < 1)


def test_masks_of_infinity() -> None:
    with session.running(128):
        x = Jet(arb(3), arb(1))
        masked = x + float("-inf")
        assert masked.exp().ball == 0
        assert masked.exp().slope == 0
        assert (masked < x) is True
        assert FUNCTIONS["maximum"](masked, x).ball == 3
        assert jet(0.0).log().ball == float("-inf")
        assert FUNCTIONS["logaddexp"](masked, x).ball == 3
        assert PREDICATES["isinf"](masked)
        assert not PREDICATES["isfinite"](masked)


@pytest.mark.parametrize(
    ("x", "floor", "ceil", "trunc", "rint"),
    [(2.5, 2, 3, 2, 2), (3.5, 3, 4, 3, 4), (-2.5, -3, -2, -2, -2), (2.0, 2, 2, 2, 2), (-0.25, -1, 0, 0, 0)],
)
def test_roundings_of_constants_are_those_of_floats(x: float, floor: int, ceil: int, trunc: int, rint: int) -> None:
    with session.running(128):
        found = [int(FUNCTIONS[name](jet(x)).ball.fmpz()) for name in ("floor", "ceil", "trunc", "rint")]
    assert found == [floor, ceil, trunc, rint]
    assert found == [int(f(x)) for f in (np.floor, np.ceil, np.trunc, np.rint)]


@pytest.mark.parametrize(
    ("x", "slope", "floor", "rint"), [(2.0, 1, 2, 2), (2.0, -1, 1, 2), (2.5, 1, 2, 3), (2.5, -1, 2, 2)]
)
def test_roundings_at_a_step_are_those_ahead(x: float, slope: int, floor: int, rint: int) -> None:
    with session.running(128):
        assert FUNCTIONS["floor"](Jet(arb(x), arb(slope))).ball == floor
        assert FUNCTIONS["rint"](Jet(arb(x), arb(slope))).ball == rint


def test_forms_of_their_own() -> None:
    with session.running(128):
        x = Jet(arb(-2.75), arb(1))
        part, whole = FUNCTIONS["modf"](x)
        assert (part.ball, part.slope, whole.ball) == (-0.75, 1, -2)
        quotient, rest = FUNCTIONS["divmod"](x, 2)
        assert (quotient.ball, rest.ball, rest.slope) == (-2, 1.25, 1)
        assert FUNCTIONS["ldexp"](x, 3).ball == -22
        assert FUNCTIONS["clip"](x, -1, 1).slope is None
        assert FUNCTIONS["clip"](x, -3, 1).slope == 1
        assert holds(round(x - 0.0625, 1).ball, Fraction(-28, 10))
        assert (int(x), round(x)) == (-2, -3)


def test_formatting_shows_the_nearest_float() -> None:
    with session.running(128):
        assert f"{Jet(arb(1) / 3, arb(1)):.3f}" == "0.333"
