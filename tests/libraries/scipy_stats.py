"""scipy.stats: of each continuous distribution what the density says about its other functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from gradcheck import check
from tests.libraries.table import Call

QUANTILES = np.array([0.08, 0.3, 0.55, 0.9])

# The parameters of shape of each.
SHAPES: list[tuple[str, tuple[float, ...]]] = [
    ("alpha", (3.5,)), ("anglit", ()), ("arcsine", ()), ("argus", (1.0,)), ("beta", (2.3, 0.6)), ("betaprime", (5, 6)),
    ("bradford", (0.3,)), ("burr", (10.5, 4.3)), ("burr12", (10, 4)), ("cauchy", ()), ("chi", (7,)), ("chi2", (5,)),
    ("cosine", ()), ("crystalball", (2.0, 3.0)), ("dgamma", (1.1,)),
    ("dweibull", (2.1,)), ("erlang", (10,)), ("expon", ()), ("exponnorm", (1.5,)), ("exponpow", (2.7,)),
    ("exponweib", (2.9, 1.95)), ("f", (29, 18)), ("fatiguelife", (2.5,)), ("fisk", (3.1,)), ("foldcauchy", (4.7,)),
    ("foldnorm", (1.95,)), ("gamma", (1.99,)), ("genexpon", (9.1, 16.2, 3.3)),
    ("genextreme", (-0.1,)), ("gengamma", (4.4, 3.1)), ("gengamma", (4.4, -3.1)), ("genhalflogistic", (0.77,)),
    ("genlogistic", (0.41,)), ("gennorm", (1.3,)),
    ("genpareto", (0.1,)), ("gibrat", ()), ("gompertz", (0.95,)), ("gumbel_l", ()), ("gumbel_r", ()),
    ("halfcauchy", ()), ("halfgennorm", (0.67,)), ("halflogistic", ()), ("halfnorm", ()), ("hypsecant", ()),
    ("invgamma", (4.1,)), ("invgauss", (0.15,)), ("invweibull", (10.6,)), ("irwinhall", (4,)), ("jf_skew_t", (8, 4)),
    ("johnsonsb", (4.3, 3.2)), ("johnsonsu", (2.6, 2.2)), ("kappa3", (1.0,)), ("kappa4", (-0.1, 0.1)),
    ("ksone", (20,)), ("landau", ()), ("laplace", ()),
    ("laplace_asymmetric", (2,)),
    ("levy", ()), ("levy_l", ()), ("loggamma", (0.41,)), ("logistic", ()), ("loglaplace", (3.25,)),
    ("lognorm", (0.95,)),
    ("loguniform", (0.01, 1.25)), ("lomax", (1.9,)), ("maxwell", ()), ("mielke", (10.4, 4.6)), ("moyal", ()),
    ("nakagami", (4.97,)), ("ncf", (27, 27, 0.42)), ("nct", (14, 0.24)), ("ncx2", (21, 1.06)), ("norm", ()),
    ("pareto", (2.6,)), ("pearson3", (0.1,)), ("pearson3", (-2,)), ("powerlaw", (1.66,)),
    ("powerlognorm", (2.1, 0.45)), ("powernorm", (4.4,)), ("rayleigh", ()), ("rdist", (1.6,)),
    ("recipinvgauss", (0.63,)),
    ("rel_breitwigner", (36.5,)), ("rice", (0.77,)), ("semicircular", ()), ("skewcauchy", (0.5,)), ("skewnorm", (4.0,)),
    ("t", (2.74,)), ("trapezoid", (0.2, 0.8)), ("triang", (0.16,)), ("truncexpon", (4.7,)), ("truncnorm", (-1.1, 2.7)),
    ("truncpareto", (1.8, 5.3)), ("truncpareto", (-2, 5)), ("truncweibull_min", (2.5, 0.25, 1.75)),
    ("tukeylambda", (3.13,)), ("uniform", ()), ("vonmises", (3.99,)), ("vonmises_line", (3.99,)), ("wald", ()),
    ("weibull_max", (2.87,)), ("weibull_min", (1.79,)), ("wrapcauchy", (0.03,)),
]  # fmt: skip

# Their distribution functions are quadratures of the density, and as exact as `scipy.integrate.quad` is.
BY_QUADRATURE: list[tuple[str, tuple[float, ...]]] = [
    ("gausshyper", (3.7, 3.1, 2.5, 1.2)), ("genhyperbolic", (0.5, 1.5, -0.5)), ("geninvgauss", (2.3, 1.5)),
    ("norminvgauss", (1.25, 0.5)),
]  # fmt: skip
QUADRATURE = 1.5e-8


def rows() -> dict[str, Call]:
    table: dict[str, Call] = {}
    for name, shapes in SHAPES:
        d = getattr(stats, name)(*shapes)
        title = f"stats.{name}{shapes or ''}"
        x = d.ppf(QUANTILES)
        table[f"{title}.cdf"] = _row(d.cdf, d.pdf, x)
        table[f"{title}.sf"] = _row(d.sf, lambda x, d=d: -d.pdf(x), x)
        table[f"{title}.logcdf"] = _row(d.logcdf, lambda x, d=d: d.pdf(x) / d.cdf(x), x)
        table[f"{title}.logsf"] = _row(d.logsf, lambda x, d=d: -d.pdf(x) / d.sf(x), x)
        table[f"{title}.ppf"] = _row(d.ppf, lambda q, d=d: 1 / d.pdf(d.ppf(q)), QUANTILES)
        table[f"{title}.isf"] = _row(d.isf, lambda q, d=d: -1 / d.pdf(d.isf(q)), QUANTILES)
        table[f"{title}.cdf, loc and scale"] = _moved(getattr(stats, name), shapes, 1.3 * x[1:3] + 0.4)
    for name, shapes in BY_QUADRATURE:
        d = getattr(stats, name)(*shapes)
        x = d.ppf(QUANTILES[1:3])
        table[f"stats.{name}{shapes}.cdf"] = _row(d.cdf, d.pdf, x, accuracy=QUADRATURE)
        table[f"stats.{name}{shapes}.sf"] = _row(d.sf, lambda x, d=d: -d.pdf(x), x, accuracy=QUADRATURE)
    return table


def _row(f: Callable[..., object], df: Callable[..., object], x: np.ndarray, accuracy: float = 0.0) -> Call:
    return lambda: check(f, x, deriv=df, accuracy=accuracy)


def _moved(d: stats.rv_continuous, shapes: tuple[float, ...], x: np.ndarray) -> Call:
    return lambda: check(
        lambda loc, scale: d.cdf(x, *shapes, loc, scale),
        0.4,
        1.3,
        jac=lambda loc, scale: (
            -d.pdf(x, *shapes, loc, scale),
            -(x - loc) / scale * d.pdf(x, *shapes, loc, scale),
        ),
    )
