"""scipy.special: a function of one number, its derivative by other functions of scipy.special, and where to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy import special as s

Row = tuple[str, Callable[..., object], Callable[..., object], list[float]]

ROOT_PI = np.sqrt(np.pi)
REAL = [-1.7, -0.3, 0.6, 2.2]
POSITIVE = [0.2, 0.7, 1.9, 4.3]
UNIT = [0.08, 0.35, 0.61, 0.93]
INNER = [-0.85, -0.3, 0.2, 0.75]
ABOVE_ONE = [1.2, 1.8, 3.5, 9.0]


def npdf(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


PLAIN: list[Row] = [
    ("erf", s.erf, lambda x: 2 / ROOT_PI * np.exp(-(x**2)), REAL),
    ("erfc", s.erfc, lambda x: -2 / ROOT_PI * np.exp(-(x**2)), REAL),
    ("erfi", s.erfi, lambda x: 2 / ROOT_PI * np.exp(x**2), REAL),
    ("erfcx", s.erfcx, lambda x: 2 * x * s.erfcx(x) - 2 / ROOT_PI, REAL),
    ("dawsn", s.dawsn, lambda x: 1 - 2 * x * s.dawsn(x), REAL),
    ("erfinv", s.erfinv, lambda x: ROOT_PI / 2 * np.exp(s.erfinv(x) ** 2), INNER),
    ("erfcinv", s.erfcinv, lambda x: -ROOT_PI / 2 * np.exp(s.erfcinv(x) ** 2), UNIT),
    ("expit", s.expit, lambda x: s.expit(x) * s.expit(-x), REAL),
    ("log_expit", s.log_expit, lambda x: s.expit(-x), REAL),
    ("logit", s.logit, lambda x: 1 / (x * (1 - x)), UNIT),
    ("log1p", s.log1p, lambda x: 1 / (1 + x), INNER),
    ("expm1", s.expm1, np.exp, REAL),
    ("exp2", s.exp2, lambda x: s.exp2(x) * np.log(2), REAL),
    ("exp10", s.exp10, lambda x: s.exp10(x) * np.log(10), REAL),
    ("cbrt", s.cbrt, lambda x: 1 / (3 * s.cbrt(x) ** 2), REAL),
    ("cosm1", s.cosm1, lambda x: -np.sin(x), REAL),
    ("sindg", s.sindg, lambda x: np.pi / 180 * s.cosdg(x), [10.0, 100.0, 200.0]),
    ("cosdg", s.cosdg, lambda x: -np.pi / 180 * s.sindg(x), [10.0, 100.0, 200.0]),
    ("tandg", s.tandg, lambda x: np.pi / 180 / s.cosdg(x) ** 2, [10.0, 60.0, 200.0]),
    ("cotdg", s.cotdg, lambda x: -np.pi / 180 / s.sindg(x) ** 2, [10.0, 60.0, 200.0]),
    ("exprel", s.exprel, lambda x: (np.exp(x) - s.exprel(x)) / x, REAL),
    ("gamma", s.gamma, lambda x: s.gamma(x) * s.digamma(x), [-1.5, -0.4, 0.3, 4.2]),
    ("rgamma", s.rgamma, lambda x: -s.rgamma(x) * s.digamma(x), [-1.5, -0.4, 0.3, 4.2]),
    ("gammaln", s.gammaln, s.digamma, [0.2, 1.7, 12.0, 900.0]),
    ("loggamma", s.loggamma, s.digamma, [0.2, 1.7, 12.0, 900.0]),
    ("digamma", s.digamma, lambda x: s.polygamma(1, x), [0.2, 1.7, 12.0]),
    ("sinc", np.sinc, lambda x: (np.cos(np.pi * x) - np.sinc(x)) / x, REAL),
    ("spence", s.spence, lambda x: np.log(x) / (1 - x), POSITIVE),
    ("ndtr", s.ndtr, npdf, REAL),
    ("log_ndtr", s.log_ndtr, lambda x: npdf(x) / s.ndtr(x), [-12.0, -1.5, 0.4, 3.0]),
    ("ndtri", s.ndtri, lambda p: 1 / npdf(s.ndtri(p)), UNIT),
    ("ndtri_exp", s.ndtri_exp, lambda y: np.exp(y) / npdf(s.ndtri_exp(y)), [-5.0, -1.0, -0.2]),
    ("entr", s.entr, lambda x: -np.log(x) - 1, POSITIVE),
    ("j0", s.j0, lambda x: -s.j1(x), REAL),
    ("j1", s.j1, lambda x: s.j0(x) - s.j1(x) / x, REAL),
    ("y0", s.y0, lambda x: -s.y1(x), POSITIVE),
    ("y1", s.y1, lambda x: s.y0(x) - s.y1(x) / x, POSITIVE),
    ("i0", s.i0, s.i1, REAL),
    ("i1", s.i1, lambda x: s.i0(x) - s.i1(x) / x, REAL),
    ("i0e", s.i0e, lambda x: s.i1e(x) - np.sign(x) * s.i0e(x), REAL),
    ("i1e", s.i1e, lambda x: s.i0e(x) - s.i1e(x) / x - np.sign(x) * s.i1e(x), REAL),
    ("k0", s.k0, lambda x: -s.k1(x), POSITIVE),
    ("k1", s.k1, lambda x: -s.k0(x) - s.k1(x) / x, POSITIVE),
    ("k0e", s.k0e, lambda x: s.k0e(x) - s.k1e(x), POSITIVE),
    ("k1e", s.k1e, lambda x: s.k1e(x) - s.k0e(x) - s.k1e(x) / x, POSITIVE),
    ("ellipk", s.ellipk, lambda m: (s.ellipe(m) / (1 - m) - s.ellipk(m)) / (2 * m), UNIT),
    ("ellipe", s.ellipe, lambda m: (s.ellipe(m) - s.ellipk(m)) / (2 * m), UNIT),
    ("ellipkm1", s.ellipkm1, lambda p: -(s.ellipe(1 - p) / p - s.ellipkm1(p)) / (2 * (1 - p)), UNIT),
    ("expi", s.expi, lambda x: np.exp(x) / x, REAL),
    ("exp1", s.exp1, lambda x: -np.exp(-x) / x, POSITIVE),
    ("wrightomega", s.wrightomega, lambda x: s.wrightomega(x) / (1 + s.wrightomega(x)), REAL),
    ("lambertw", lambda x: s.lambertw(x).real, lambda x: 1 / (x + np.exp(s.lambertw(x).real)), POSITIVE),
    ("lambertw, branch -1", lambda x: s.lambertw(x, -1).real,
     lambda x: 1 / (x + np.exp(s.lambertw(x, -1).real)), [-0.3, -0.2, -0.05]),
    ("fresnel S", lambda x: s.fresnel(x)[0], lambda x: np.sin(np.pi * x**2 / 2), REAL),
    ("fresnel C", lambda x: s.fresnel(x)[1], lambda x: np.cos(np.pi * x**2 / 2), REAL),
    ("sici Si", lambda x: s.sici(x)[0], lambda x: np.sin(x) / x, REAL),
    ("sici Ci", lambda x: s.sici(x)[1], lambda x: np.cos(x) / x, POSITIVE),
    ("shichi Shi", lambda x: s.shichi(x)[0], lambda x: np.sinh(x) / x, REAL),
    ("shichi Chi", lambda x: s.shichi(x)[1], lambda x: np.cosh(x) / x, POSITIVE),
    ("airy Ai", lambda x: s.airy(x)[0], lambda x: s.airy(x)[1], [-5.0, -1.2, 0.4, 3.0]),
    ("airy Ai'", lambda x: s.airy(x)[1], lambda x: x * s.airy(x)[0], [-5.0, -1.2, 0.4, 3.0]),
    ("airy Bi", lambda x: s.airy(x)[2], lambda x: s.airy(x)[3], [-5.0, -1.2, 0.4, 3.0]),
    ("airy Bi'", lambda x: s.airy(x)[3], lambda x: x * s.airy(x)[2], [-5.0, -1.2, 0.4, 3.0]),
    ("ber", s.ber, s.berp, POSITIVE),
    ("bei", s.bei, s.beip, POSITIVE),
    ("ker", s.ker, s.kerp, POSITIVE),
    ("kei", s.kei, s.keip, POSITIVE),
    ("itj0y0 j0", lambda x: s.itj0y0(x)[0], s.j0, POSITIVE),
    ("itj0y0 y0", lambda x: s.itj0y0(x)[1], s.y0, POSITIVE),
    ("iti0k0 i0", lambda x: s.iti0k0(x)[0], s.i0, POSITIVE),
    ("iti0k0 k0", lambda x: s.iti0k0(x)[1], s.k0, POSITIVE),
    ("itstruve0", s.itstruve0, lambda x: s.struve(0, x), POSITIVE),
    ("itmodstruve0", s.itmodstruve0, lambda x: s.modstruve(0, x), POSITIVE),
    ("huber", lambda r: s.huber(1.0, r), lambda r: np.clip(r, -1, 1), REAL),
    ("pseudo_huber", lambda r: s.pseudo_huber(0.8, r), lambda r: r / np.sqrt(1 + (r / 0.8) ** 2), REAL),
    ("wofz", s.wofz, lambda z: 2j / ROOT_PI - 2 * z * s.wofz(z), [0.3 + 0.2j, -1 + 0.7j]),
    ("kolmogorov of kolmogi", lambda p: s.kolmogorov(s.kolmogi(p)), np.ones_like, UNIT),
    ("zeta of 2", lambda q: s.zeta(2.0, q), lambda q: -2 * s.zeta(3.0, q), POSITIVE),
    ("diric 5", lambda x: s.diric(x, 5), lambda x: (
        2.5 * np.cos(2.5 * x) * np.sin(x / 2) - 0.5 * np.sin(2.5 * x) * np.cos(x / 2)) / (5 * np.sin(x / 2) ** 2),
     POSITIVE),
]  # fmt: skip


def of_an_order() -> Iterator[Row]:
    """Families with an order n or another parameter that stays as it is."""
    for n in (0, 1, 2, 5):
        yield f"jn {n}", lambda x, n=n: s.jn(n, x), lambda x, n=n: s.jvp(n, x), POSITIVE
        yield f"yn {n}", lambda x, n=n: s.yn(n, x), lambda x, n=n: s.yvp(n, x), POSITIVE
        yield f"kn {n}", lambda x, n=n: s.kn(n, x), lambda x, n=n: s.kvp(n, x), POSITIVE
        yield f"spherical_jn {n}", *_with(s.spherical_jn, n), POSITIVE
        yield f"spherical_yn {n}", *_with(s.spherical_yn, n), POSITIVE
        yield f"spherical_in {n}", *_with(s.spherical_in, n), POSITIVE
        yield f"spherical_kn {n}", *_with(s.spherical_kn, n), POSITIVE
        yield f"polygamma {n + 1}", lambda x, n=n: s.polygamma(n + 1, x), lambda x, n=n: s.polygamma(n + 2, x), POSITIVE
        yield f"expn {n + 1}", lambda x, n=n: s.expn(n + 1, x), lambda x, n=n: -s.expn(n, x), POSITIVE
        yield f"legendre_p {n}", *_diff(s.legendre_p, n), INNER
        yield f"assoc_legendre_p {n}, 1", *_diff(s.assoc_legendre_p, n, 1), INNER
        yield f"assoc_legendre_p {n}, normalised", *_diff(s.assoc_legendre_p, n, 0, norm=True), INNER
        yield (
            f"sph_legendre_p {n}",
            lambda t, n=n: s.sph_legendre_p(n, 0, t)[0],
            lambda t, n=n: s.sph_legendre_p(n, 0, t, diff_n=1)[1],
            UNIT,
        )
    for v in (0.5, 1.3, 2.7):
        yield f"jv {v}", lambda x, v=v: s.jv(v, x), lambda x, v=v: s.jvp(v, x), POSITIVE
        yield f"yv {v}", lambda x, v=v: s.yv(v, x), lambda x, v=v: s.yvp(v, x), POSITIVE
        yield f"iv {v}", lambda x, v=v: s.iv(v, x), lambda x, v=v: s.ivp(v, x), POSITIVE
        yield f"kv {v}", lambda x, v=v: s.kv(v, x), lambda x, v=v: s.kvp(v, x), POSITIVE
        yield f"jve {v}", lambda x, v=v: s.jve(v, x), lambda x, v=v: s.jvp(v, x), POSITIVE
        yield (
            f"kve {v}",
            lambda x, v=v: s.kve(v, x),
            lambda x, v=v: s.kve(v, x) * (1 + v / x) - s.kve(v + 1, x),
            POSITIVE,
        )
        yield (
            f"ive {v}",
            lambda x, v=v: s.ive(v, x),
            lambda x, v=v: s.ive(v, x) * (v / x - 1) + s.ive(v + 1, x),
            POSITIVE,
        )
        yield (
            f"struve {v}",
            lambda x, v=v: s.struve(v, x),
            lambda x, v=v: s.struve(v - 1, x) - v / x * s.struve(v, x),
            POSITIVE,
        )
        yield (
            f"modstruve {v}",
            lambda x, v=v: s.modstruve(v, x),
            lambda x, v=v: s.modstruve(v - 1, x) - v / x * s.modstruve(v, x),
            POSITIVE,
        )
        yield f"pbdv {v}", lambda x, v=v: s.pbdv(v, x)[0], lambda x, v=v: s.pbdv(v, x)[1], REAL
        yield f"pbvv {v}", lambda x, v=v: s.pbvv(v, x)[0], lambda x, v=v: s.pbvv(v, x)[1], REAL
        yield f"pbwa {v}", lambda x, v=v: s.pbwa(v, x)[0], lambda x, v=v: s.pbwa(v, x)[1], POSITIVE
        yield f"gammainc {v}", lambda x, a=v: s.gammainc(a, x), lambda x, a=v: _gamma_density(a, x), POSITIVE
        yield f"gammaincc {v}", lambda x, a=v: s.gammaincc(a, x), lambda x, a=v: -_gamma_density(a, x), POSITIVE
        yield (
            f"gammaincinv {v}",
            lambda p, a=v: s.gammaincinv(a, p),
            lambda p, a=v: 1 / _gamma_density(a, s.gammaincinv(a, p)),
            UNIT,
        )
        yield (
            f"gammainccinv {v}",
            lambda p, a=v: s.gammainccinv(a, p),
            lambda p, a=v: -1 / _gamma_density(a, s.gammainccinv(a, p)),
            UNIT,
        )
        yield f"betainc {v}", lambda x, a=v: s.betainc(a, 1.6, x), lambda x, a=v: _beta_density(a, 1.6, x), UNIT
        yield f"betaincc {v}", lambda x, a=v: s.betaincc(a, 1.6, x), lambda x, a=v: -_beta_density(a, 1.6, x), UNIT
        yield (
            f"betaincinv {v}",
            lambda p, a=v: s.betaincinv(a, 1.6, p),
            lambda p, a=v: 1 / _beta_density(a, 1.6, s.betaincinv(a, 1.6, p)),
            UNIT,
        )
        yield (
            f"hyp2f1 {v}",
            lambda x, a=v: s.hyp2f1(a, 1.1, 2.3, x),
            lambda x, a=v: a * 1.1 / 2.3 * s.hyp2f1(a + 1, 2.1, 3.3, x),
            INNER,
        )
        yield (
            f"hyp1f1 {v}",
            lambda x, a=v: s.hyp1f1(a, 1.7, x),
            lambda x, a=v: a / 1.7 * s.hyp1f1(a + 1, 2.7, x),
            REAL,
        )
        yield f"hyp0f1 {v}", lambda x, a=v: s.hyp0f1(a, x), lambda x, a=v: s.hyp0f1(a + 1, x) / a, REAL
        yield (
            f"hyperu {v}",
            lambda x, a=v: s.hyperu(a, 1.7, x),
            lambda x, a=v: -a * s.hyperu(a + 1, 2.7, x),
            POSITIVE,
        )
        yield f"boxcox {v}", lambda x, a=v: s.boxcox(x, a), lambda x, a=v: x ** (a - 1), POSITIVE
        yield f"boxcox1p {v}", lambda x, a=v: s.boxcox1p(x, a), lambda x, a=v: (1 + x) ** (a - 1), POSITIVE
        yield (
            f"inv_boxcox {v}",
            lambda y, a=v: s.inv_boxcox(y, a),
            lambda y, a=v: (1 + a * y) ** (1 / a - 1),
            POSITIVE,
        )
        yield (
            f"inv_boxcox1p {v}",
            lambda y, a=v: s.inv_boxcox1p(y, a),
            lambda y, a=v: (1 + a * y) ** (1 / a - 1),
            POSITIVE,
        )
        yield f"chdtr {v}", lambda x, k=v: s.chdtr(k, x), lambda x, k=v: _gamma_density(k / 2, x / 2) / 2, POSITIVE
        yield f"stdtr {v}", lambda t, k=v: s.stdtr(k, t), lambda t, k=v: _student(k, t), REAL
        yield f"stdtrit {v}", lambda p, k=v: s.stdtrit(k, p), lambda p, k=v: 1 / _student(k, s.stdtrit(k, p)), UNIT
        yield f"gdtr {v}", lambda x, b=v: s.gdtr(1.5, b, x), lambda x, b=v: 1.5 * _gamma_density(b, 1.5 * x), POSITIVE
        yield f"beta {v}", lambda b, a=v: s.beta(a, b), lambda b, a=v: s.beta(a, b) * _beta_slope(a, b), POSITIVE
        yield f"betaln {v}", lambda b, a=v: s.betaln(a, b), lambda b, a=v: _beta_slope(a, b), POSITIVE
        yield (
            f"poch {v}",
            lambda z, m=v: s.poch(z, m),
            lambda z, m=v: s.poch(z, m) * (s.digamma(z + m) - s.digamma(z)),
            POSITIVE,
        )
        yield f"multigammaln {v}", lambda a: s.multigammaln(a, 2), lambda a: s.digamma(a) + s.digamma(a - 0.5), [v + 1]
        yield f"zeta {v + 1}", lambda q, a=v + 1: s.zeta(a, q), lambda q, a=v + 1: -a * s.zeta(a + 1, q), POSITIVE
        yield (
            f"owens_t {v}",
            lambda h, a=v: s.owens_t(h, a),
            lambda h, a=v: -np.exp(-(h**2) / 2) * s.erf(a * h / np.sqrt(2)) / (2 * np.sqrt(2 * np.pi)),
            REAL,
        )
        yield (
            f"owens_t by a {v}",
            lambda a, h=v: s.owens_t(h, a),
            lambda a, h=v: np.exp(-(h**2) * (1 + a**2) / 2) / (2 * np.pi * (1 + a**2)),
            REAL,
        )
        m = v / 3
        yield (
            f"ellipkinc {m:.2f}",
            lambda p, m=m: s.ellipkinc(p, m),
            lambda p, m=m: 1 / np.sqrt(1 - m * np.sin(p) ** 2),
            REAL,
        )
        yield (
            f"ellipeinc {m:.2f}",
            lambda p, m=m: s.ellipeinc(p, m),
            lambda p, m=m: np.sqrt(1 - m * np.sin(p) ** 2),
            REAL,
        )
        yield f"sn {m:.2f}", lambda u, m=m: s.ellipj(u, m)[0], lambda u, m=m: np.prod(s.ellipj(u, m)[1:3], axis=0), REAL
        yield (
            f"cn {m:.2f}",
            lambda u, m=m: s.ellipj(u, m)[1],
            lambda u, m=m: -s.ellipj(u, m)[0] * s.ellipj(u, m)[2],
            REAL,
        )
        yield (
            f"dn {m:.2f}",
            lambda u, m=m: s.ellipj(u, m)[2],
            lambda u, m=m: -m * s.ellipj(u, m)[0] * s.ellipj(u, m)[1],
            REAL,
        )
        yield f"am {m:.2f}", lambda u, m=m: s.ellipj(u, m)[3], lambda u, m=m: s.ellipj(u, m)[2], REAL
    for n in (2, 3, 6):
        yield f"eval_legendre {n}", lambda x, n=n: s.eval_legendre(n, x), s.legendre(n).deriv(), INNER
        yield f"eval_chebyt {n}", lambda x, n=n: s.eval_chebyt(n, x), lambda x, n=n: n * s.eval_chebyu(n - 1, x), INNER
        yield f"eval_chebyu {n}", lambda x, n=n: s.eval_chebyu(n, x), s.chebyu(n).deriv(), INNER
        yield (
            f"eval_hermite {n}",
            lambda x, n=n: s.eval_hermite(n, x),
            lambda x, n=n: 2 * n * s.eval_hermite(n - 1, x),
            REAL,
        )
        yield f"eval_hermitenorm {n}", *_lower(s.eval_hermitenorm, n), REAL
        yield f"eval_laguerre {n}", lambda x, n=n: s.eval_laguerre(n, x), s.laguerre(n).deriv(), REAL
        yield (
            f"eval_genlaguerre {n}",
            lambda x, n=n: s.eval_genlaguerre(n, 0.4, x),
            lambda x, n=n: -s.eval_genlaguerre(n - 1, 1.4, x),
            REAL,
        )
        yield (
            f"eval_gegenbauer {n}",
            lambda x, n=n: s.eval_gegenbauer(n, 0.7, x),
            lambda x, n=n: 1.4 * s.eval_gegenbauer(n - 1, 1.7, x),
            INNER,
        )
        yield (
            f"eval_jacobi {n}",
            lambda x, n=n: s.eval_jacobi(n, 0.4, 1.2, x),
            lambda x, n=n: (n + 2.6) / 2 * s.eval_jacobi(n - 1, 1.4, 2.2, x),
            INNER,
        )
        yield f"eval_sh_legendre {n}", lambda x, n=n: s.eval_sh_legendre(n, x), s.sh_legendre(n).deriv(), UNIT


def _with(f, n):
    return lambda x: f(n, x), lambda x: f(n, x, derivative=True)


def _diff(f, *order, **kwargs):
    return lambda x: f(*order, x, **kwargs)[0], lambda x: f(*order, x, diff_n=1, **kwargs)[1]


def _lower(f, n):
    return lambda x: f(n, x), lambda x: n * f(n - 1, x)


def _gamma_density(a, x):
    return np.exp((a - 1) * np.log(x) - x - s.gammaln(a))


def _beta_density(a, b, x):
    return np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - s.betaln(a, b))


def _beta_slope(a, b):
    return s.digamma(b) - s.digamma(a + b)


def _student(k, t):
    return np.exp(s.gammaln((k + 1) / 2) - s.gammaln(k / 2)) / np.sqrt(k * np.pi) * (1 + t**2 / k) ** (-(k + 1) / 2)


ROWS: list[Row] = [*PLAIN, *of_an_order()]
