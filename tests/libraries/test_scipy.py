"""SciPy: special functions, distributions, test functions of the optimizers, splines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import integrate, interpolate, linalg, optimize, special, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

from gradcheck import check
from tests.libraries import scipy_special, scipy_stats
from tests.libraries.table import Bug, Call, entries, judges_of

X = np.array([0.5, -1.25, 2.0, 0.75])
T = np.linspace(0.0, 2.0, 7)
DATA = np.sin(1.3 * T) + 0.2 * T
INSIDE, OUTSIDE = np.array([0.3, 0.8, 1.7]), np.array([2.5, -0.5, 1.1])
SQUARE = interpolate.RectBivariateSpline(T, T, np.sin(T)[:, None] * np.cos(T))
KNOTS = interpolate.splrep(T, DATA)

SPLINES: dict[str, Any] = {
    "CubicSpline": interpolate.CubicSpline(T, DATA),
    "CubicSpline, natural": interpolate.CubicSpline(T, DATA, bc_type="natural"),
    "CubicSpline, clamped": interpolate.CubicSpline(T, DATA, bc_type="clamped"),
    "Akima": interpolate.Akima1DInterpolator(T, DATA),
    "Akima, modified": interpolate.Akima1DInterpolator(T, DATA, method="makima"),
    "PCHIP": interpolate.PchipInterpolator(T, DATA),
    "PPoly": interpolate.PPoly(np.array([[1.0, 0.5], [-0.3, 0.2], [0.1, 0.9]]), [0.0, 1.0, 2.0]),
    "BPoly": interpolate.BPoly(np.array([[1.0, 0.5], [-0.3, 0.2], [0.1, 0.9]]), [0.0, 1.0, 2.0]),
    "BSpline": interpolate.make_interp_spline(T, DATA, k=3),
    "BSpline, order 5": interpolate.make_interp_spline(T, DATA, k=5),
    "smoothing BSpline": interpolate.make_smoothing_spline(T, DATA, lam=0.1),
    "UnivariateSpline": interpolate.UnivariateSpline(T, DATA, s=0.01),
    "InterpolatedUnivariateSpline": interpolate.InterpolatedUnivariateSpline(T, DATA),
    "Hermite": interpolate.CubicHermiteSpline(T, DATA, np.cos(T)),
}


def of_splines() -> Iterator[tuple[str, Call]]:
    for name, spline in SPLINES.items():
        yield f"{name}", _row(spline, lambda t, s=spline: s(t, 1), INSIDE)
        yield f"{name}, second", _row(lambda t, s=spline: s(t, 1), lambda t, s=spline: s(t, 2), INSIDE)
        yield f"{name}, as a function", _row(spline, spline.derivative(), INSIDE)
        yield f"{name}, antiderivative", _row(spline.antiderivative(), spline, INSIDE)
    for kind in ("BarycentricInterpolator", "KroghInterpolator"):
        one = getattr(interpolate, kind)(T, DATA)
        yield kind, _row(one, lambda t, s=one: s.derivative(t), INSIDE)
        yield (
            f"{kind}, second",
            _row(lambda t, s=one: s.derivative(t, 1), lambda t, s=one: s.derivative(t, 2), INSIDE),
        )
    for order in (0, 1, 2):
        yield (
            f"splev, derivative {order + 1}",
            _row(
                lambda t, n=order: interpolate.splev(t, KNOTS, der=n),
                lambda t, n=order: interpolate.splev(t, KNOTS, der=n + 1),
                INSIDE,
            ),
        )
    yield "splder", _row(lambda t: interpolate.splev(t, KNOTS), lambda t: interpolate.splev(t, _slope()), INSIDE)
    yield (
        "two variables",
        lambda: check(
            SQUARE.ev, INSIDE, INSIDE[::-1].copy(), deriv=lambda x, y: (SQUARE.ev(x, y, dx=1), SQUARE.ev(x, y, dy=1))
        ),
    )


def of_optimizers() -> Iterator[tuple[str, Call]]:
    for size in (2, 4, 7):
        x = np.resize(X, size) + 0.1 * np.arange(size)
        yield (
            f"rosen {size}",
            lambda x=x: check(
                optimize.rosen, x, grad=optimize.rosen_der, hess=optimize.rosen_hess, hessp=optimize.rosen_hess_prod
            ),
        )
    low = optimize.LbfgsInvHessProduct(np.array([[0.5, 0.2], [0.1, -0.4]]), np.array([[0.6, 0.1], [0.3, -0.5]]))
    yield "inverse Hessian of L-BFGS", lambda: check(low.matvec, X[:2], jac=lambda x: low.todense())
    for name in ("huber", "soft_l1", "cauchy", "arctan"):
        yield f"least_squares {name}", _row(lambda z, n=name: _loss(n, z)[0], lambda z, n=name: _loss(n, z)[1], T + 0.3)
        yield (
            f"least_squares {name}, second",
            _row(lambda z, n=name: _loss(n, z)[1], lambda z, n=name: _loss(n, z)[2], T + 0.3),
        )


def of_matrices() -> Iterator[tuple[str, Call]]:
    A, E = np.array([[0.5, 0.2], [-0.3, 0.8]]), np.array([[0.1, -0.4], [0.7, 0.2]])
    yield (
        "expm and expm_frechet",
        lambda: check(linalg.expm, A, jvp=lambda A, E: linalg.expm_frechet(A, E, compute_expm=False)),
    )
    yield "expm, along a line", lambda: check(lambda t: linalg.expm(A + t * E), 0.3, deriv=lambda t: _frechet(A, E, t))
    yield (
        "cumulative trapezoid",
        lambda: check(lambda y: integrate.cumulative_trapezoid(y, dx=0.5), X, vjp=lambda y, g: _by_trapezoids(g)),
    )
    yield "logsumexp and softmax", lambda: check(special.logsumexp, X, grad=special.softmax)
    yield "log_softmax", lambda: check(special.log_softmax, X, vjp=lambda x, g: g - special.softmax(x) * g.sum())


def _row(f: Any, df: Any, x: Any) -> Call:
    return lambda: check(f, np.asarray(x), deriv=df)


def _slope() -> Any:
    return interpolate.splder(KNOTS)


def _loss(name: str, z: np.ndarray) -> np.ndarray:
    rho = np.empty((3, z.size))
    IMPLEMENTED_LOSSES[name](z, rho, False)
    return rho


def _frechet(A: np.ndarray, E: np.ndarray, t: float) -> np.ndarray:
    return linalg.expm_frechet(A + t * E, E, compute_expm=False)


def _by_trapezoids(g: np.ndarray) -> np.ndarray:
    after = np.cumsum(g[::-1])[::-1]
    return 0.25 * (np.append(after, 0) + np.insert(after, 0, 0))


def constant_outside(t: np.ndarray) -> np.ndarray:
    return np.where((t < T[0]) | (t > T[-1]), 0.0, interpolate.splev(t, KNOTS, der=1))


RIGHT: dict[str, Call] = {
    **{f"special {name}": _row(f, df, x) for name, f, df, x in scipy_special.ROWS},
    **scipy_stats.rows(),
    **dict(of_splines()),
    **dict(of_optimizers()),
    **dict(of_matrices()),
}
Y = np.array([0.3, 0.7, 1.2])
BUGS = {
    "RectBivariateSpline.ev outside": Bug(
        lambda: check(SQUARE.ev, OUTSIDE, Y, wrt="xi", jac=lambda x, y: SQUARE.ev(x, y, dx=1)),
        ("jac[xi]",),
        lambda: check(SQUARE.ev, INSIDE, Y, wrt="xi", jac=lambda x, y: SQUARE.ev(x, y, dx=1)),
        entries(0, 1),
    ),
    "splev(ext=3) outside": Bug(
        _row(
            lambda t: interpolate.splev(t, KNOTS, ext=3), lambda t: interpolate.splev(t, KNOTS, der=1, ext=3), OUTSIDE
        ),
        ("deriv[t]",),
        _row(lambda t: interpolate.splev(t, KNOTS, ext=3), constant_outside, OUTSIDE),
        entries(0, 1),
    ),
    # Between 0.823 and about 0.9 the density lacks a term of its series; the distribution function does not.
    "the density of kstwobign": Bug(
        _row(stats.kstwobign.cdf, stats.kstwobign.pdf, [0.7, 0.83, 1.2]),
        ("deriv[x]",),
        _row(stats.kstwobign.cdf, stats.kstwobign.pdf, [0.7, 0.8, 1.2]),
        entries(1),
    ),
    # ∫ Ai from 0 to 4.3 is 0.3331050; the library says 0.3331169.
    "itairy, whose integral of Ai is off in the fifth digit": Bug(
        _row(lambda x: special.itairy(x)[0], lambda x: special.airy(x)[0], [0.7, 4.3]),
        ("deriv[x]",),
        _row(lambda x: special.airy(x)[0], lambda x: special.airy(x)[1], [0.7, 4.3]),
    ),
    "itairy, whose integral of Bi is off in the seventh digit": Bug(
        _row(lambda x: special.itairy(x)[1], lambda x: special.airy(x)[2], [0.7, 4.3]),
        ("deriv[x]",),
        _row(lambda x: special.airy(x)[2], lambda x: special.airy(x)[3], [0.7, 4.3]),
    ),
}
test_right, test_bugs = judges_of("SciPy", RIGHT, BUGS)
