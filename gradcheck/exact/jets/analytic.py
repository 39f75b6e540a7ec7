"""Analytic functions of one jet, each with its derivative on the same line: y = f(x) and f′(x).

A rule works on balls, on jets (by the chain rule, so that jets of jets have second derivatives) and on power series
(whose coefficients integrate f′(x) · x′, where flint has no series of its own).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from flint import acb, arb, arb_series

from gradcheck.exact import session
from gradcheck.exact.jets.jet import Jet
from gradcheck.exact.jets.terms import Term

Rule = Callable[[Any], Any]


@dataclass(frozen=True)
class Analytic:
    """`ball`: f on balls. `slope(x, y)`: f′(x), where y = f(x).

    `native`: `ball` takes power series, too. `series`: those are made at all (False where f′ leads round in a circle).
    """

    ball: Rule
    slope: Callable[[Any, Any], Any]
    native: bool = False
    series: bool = True

    def __call__(self, x: Any) -> Any:
        kind = type(x)
        if kind is Jet:
            y = self(x.ball)
            return Jet(y, None if x.slope is None else x.slope * self.slope(x.ball, y))
        if kind is Term:
            return x.apply(self)
        if kind is arb_series and not self.native:
            return self._series(x)
        return self.ball(x if kind in (arb, acb, arb_series) else arb(x))

    def _series(self, x: Any) -> Any:
        """∫ f′(x) x′, from f of the constant term on."""
        if not self.series:
            session.leave("a special function has no power series here")
        first = self.ball(x[0])
        return (self.slope(x, None) * x.derivative()).integral() + first


def rule(method: str, slope: Callable[[Any, Any], Any], native: bool = False) -> Analytic:
    """A function that is a method of flint's balls."""
    return Analytic(methodcaller(method), slope, native)


def _logarithm(x: Any) -> Any:
    """log x, and −∞ at 0, as floats have it: masks are made that way."""
    return arb.neg_inf() if type(x) is arb and x == 0 else x.log()


def _root(x: Any) -> Any:
    """The cube root, also of negative numbers and of 0; a ball around 0 has none that is narrow."""
    if x > 0:
        return x.root(3)
    return arb(0) if x == 0 else -((-x).root(3))


def _cosh(x: Any) -> Any:
    return (exp(x) + exp(-x)) / 2 if type(x) is arb_series else x.cosh()


def _sinh(x: Any) -> Any:
    return (exp(x) - exp(-x)) / 2 if type(x) is arb_series else x.sinh()


def _sech_squared(x: Any) -> Any:
    """1 / cosh(x)², and 4 e / (1 + e)² with e = exp(−2 |x|) where x is wide, since cosh is much wider."""
    if type(x) is not arb_series or x[0].contains(0):
        c = cosh(x)
        return 1 / (c * c)
    e = exp(x * (-2 if x[0] > 0 else 2))
    return e * 4 / ((e + 1) * (e + 1))


def _expit(x: Any) -> Any:
    """1 / (1 + exp(−x)), from the side on which exp does not grow."""
    middle = x[0] if type(x) is arb_series else x
    if type(middle) is arb and middle < 0:
        e = exp(x)
        return e / (e + 1)
    return 1 / (exp(-x) + 1)


def _log_gamma(x: Any) -> Any:
    """log |Γ(x)|."""
    if type(x) in (acb, arb_series) or x > 0:
        return x.lgamma()
    return abs(x.gamma()).log()


def _sinc(x: Any) -> Any:
    return arb.sinc_pi(x)


def _sinc_slope(x: Any, y: Any) -> Any:
    if type(x) is arb and x == 0:
        return arb(0)
    angle = x * arb.pi()
    return (cos(angle) - (sin(angle) / angle if y is None else y)) / x


def ln(base: int) -> Any:
    """The logarithm of 2 or 10, at the precision that is set."""
    return arb.const_log2() if base == 2 else arb.const_log10()


exp = rule("exp", lambda x, y: y, native=True)
exp2 = Analytic(lambda x: (x * ln(2)).exp(), lambda x, y: y * ln(2), native=True)
expm1 = rule("expm1", lambda x, y: exp(x))
log = Analytic(_logarithm, lambda x, y: 1 / x, native=True)
log2 = Analytic(lambda x: _logarithm(x) / ln(2), lambda x, y: 1 / (x * ln(2)), native=True)
log10 = Analytic(lambda x: _logarithm(x) / ln(10), lambda x, y: 1 / (x * ln(10)), native=True)
log1p = rule("log1p", lambda x, y: 1 / (x + 1))
sqrt = rule("sqrt", lambda x, y: 1 / (y * 2), native=True)
rsqrt = rule("rsqrt", lambda x, y: y / (x * -2), native=True)
cbrt: Analytic = Analytic(_root, lambda x, y: cbrt(x) / (x * 3) if y is None else y / (x * 3))
sin = rule("sin", lambda x, y: cos(x), native=True)
cos: Analytic = rule("cos", lambda x, y: -sin(x), native=True)
tan = rule("tan", lambda x, y: y * y + 1, native=True)
arcsin = rule("asin", lambda x, y: rsqrt((1 - x) * (x + 1)), native=True)
arccos = rule("acos", lambda x, y: -rsqrt((1 - x) * (x + 1)), native=True)
arctan = rule("atan", lambda x, y: 1 / (x * x + 1), native=True)
sinh = Analytic(_sinh, lambda x, y: cosh(x), native=True)
cosh: Analytic = Analytic(_cosh, lambda x, y: sinh(x), native=True)
tanh = rule("tanh", lambda x, y: _sech_squared(x))
arcsinh = rule("asinh", lambda x, y: rsqrt(x * x + 1))
arccosh = rule("acosh", lambda x, y: rsqrt(x - 1) * rsqrt(x + 1))
arctanh = rule("atanh", lambda x, y: 1 / ((1 - x) * (x + 1)))
sinc = Analytic(_sinc, _sinc_slope)

# What scipy.special has, by its names.
expit: Analytic = Analytic(_expit, lambda x, y: y * expit(-x), native=True)
log_expit = Analytic(lambda x: -log1p((-x).exp()), lambda x, y: expit(-x), native=True)
logit = Analytic(lambda x: _logarithm(x) - log1p(-x), lambda x, y: 1 / ((1 - x) * x), native=True)
erf = rule("erf", lambda x, y: exp(-x * x) * 2 / arb.pi().sqrt(), native=True)
erfc = rule("erfc", lambda x, y: exp(-x * x) * -2 / arb.pi().sqrt(), native=True)
erfinv = rule("erfinv", lambda x, y: exp(y * y) * arb.pi().sqrt() / 2)
erfcinv = rule("erfcinv", lambda x, y: -exp(y * y) * arb.pi().sqrt() / 2)
ndtr = Analytic(
    lambda x: (-x / arb(2).sqrt()).erfc() / 2, lambda x, y: exp(-x * x / 2) / (arb.pi() * 2).sqrt(), native=True
)
log_ndtr = Analytic(lambda x: ndtr(x).log(), lambda x, y: ndtr.slope(x, None) / ndtr(x), native=True)
gamma = rule("gamma", lambda x, y: y * psi(x), native=True)
gammaln = Analytic(_log_gamma, lambda x, y: psi(x), native=True)
psi: Analytic = Analytic(methodcaller("digamma"), lambda x, y: polygamma(1)(x), series=False)
i0 = Analytic(lambda x: x.bessel_i(0), lambda x, y: i1(x), series=False)
i1: Analytic = Analytic(lambda x: x.bessel_i(1), lambda x, y: i0(x) - i1(x) / x, series=False)
j0 = Analytic(lambda x: x.bessel_j(0), lambda x, y: -j1(x), series=False)
j1: Analytic = Analytic(lambda x: x.bessel_j(1), lambda x, y: j0(x) - j1(x) / x, series=False)


def polygamma(order: int) -> Analytic:
    """ψ⁽ⁿ⁾, whose derivative is ψ⁽ⁿ⁺¹⁾."""
    return Analytic(lambda x: acb(x).polygamma(order).real, lambda x, y: polygamma(order + 1)(x), series=False)


RULES: dict[str, Analytic] = {
    name: value for name, value in vars().copy().items() if isinstance(value, Analytic) and not name.startswith("_")
}
"""Every function above, by the name that NumPy or scipy.special gives it."""
