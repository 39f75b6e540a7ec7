"""HIPS autograd: its rules for NumPy's and SciPy's functions, backward and forward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

autograd = pytest.importorskip("autograd")

import autograd.numpy as anp
import autograd.scipy.special as special
import autograd.scipy.stats as stats
from autograd.scipy.linalg import solve_triangular, sqrtm

from gradcheck import check
from tests.libraries.table import Bug, Call, entries, judges_of

X = np.array([[0.5, -1.25, 0.3], [2.0, 0.75, -0.4]])
P = np.array([[0.5, 1.25, 0.3], [2.0, 0.75, 0.9]])
U = np.array([[0.5, -0.25, 0.3], [-0.6, 0.75, 0.1]])
V = np.array([0.4, -1.1, 2.3])
S = np.array([[2.0, 0.3, -0.4], [0.5, 1.7, 0.2], [-0.1, 0.6, 1.4]])
SPD = S @ S.T
B = np.array([[1.0, -0.5], [0.25, 2.0], [0.75, -1.0]])
ABOVE = 1 + P

UNARY: dict[str, list[np.ndarray]] = {
    name: [points]
    for points, names in [
        (X, "negative sin cos exp exp2 expm1 sinh cosh tanh arctan arcsinh square"),
        (X, "abs fabs absolute sinc sign"),
        (X, "deg2rad rad2deg degrees radians real ravel transpose flipud fliplr nan_to_num"),
        (X, "sum mean prod std var max min amax amin cumsum linalg.norm atleast_2d squeeze vstack hstack"),
        (P, "log log2 log10 log1p sqrt reciprocal tan"),
        (U, "arcsin arccos arctanh"),
        (ABOVE, "arccosh"),
        (V, "diff diag atleast_1d atleast_3d sort"),
        (S, "linalg.det linalg.inv linalg.pinv trace tril triu"),
    ]
    for name in names.split()
}
TWO: list[tuple[str, Any, Any]] = [
    *[(name, X, P) for name in ["add", "subtract", "multiply", "divide", "true_divide", "arctan2"]],
    *[(name, X, P) for name in ["maximum", "minimum", "fmax", "fmin"]],
    *[(name, X, P) for name in ["logaddexp", "logaddexp2", "append"]],
    ("mod", P, ABOVE), ("remainder", P, ABOVE),
    ("power", P, X),
    ("dot", X, S), ("dot", V, V), ("matmul", X, S), ("matmul", V, S), ("inner", X, S), ("outer", V, V),
    ("kron", X, S), ("cross", V, V + [1.0, 0, 2.0]),
    ("linalg.solve", S, B), ("linalg.solve", S, V),
]  # fmt: skip
MORE: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("sum along 0", lambda x: anp.sum(x, axis=0), (X,)),
    ("sum, kept", lambda x: anp.sum(x, axis=1, keepdims=True), (X,)),
    ("mean along 1", lambda x: anp.mean(x, axis=1), (X,)),
    ("prod along 0", lambda x: anp.prod(x, axis=0), (X,)),
    ("std along 0", lambda x: anp.std(x, axis=0), (X,)),
    ("std, ddof 1", lambda x: anp.std(x, ddof=1), (X,)),
    ("var along 1", lambda x: anp.var(x, axis=1), (X,)),
    ("var, ddof 1", lambda x: anp.var(x, axis=1, ddof=1), (X,)),
    ("max along 1", lambda x: anp.max(x, axis=1), (X,)),
    ("min along 0", lambda x: anp.min(x, axis=0), (X,)),
    ("cumsum along 1", lambda x: anp.cumsum(x, axis=1), (X,)),
    ("reshape", lambda x: anp.reshape(x, (3, 2)), (X,)),
    ("transpose of three axes", lambda x: anp.transpose(x, (2, 0, 1)), (X[None] * 1.5,)),
    ("swapaxes", lambda x: anp.swapaxes(x, 0, 1), (X,)),
    ("moveaxis", lambda x: anp.moveaxis(x, 0, 2), (X[None] * 1.5,)),
    ("rollaxis", lambda x: anp.rollaxis(x, 2, 0), (X[None] * 1.5,)),
    ("expand_dims", lambda x: anp.expand_dims(x, 1), (X,)),
    ("broadcast_to", lambda x: anp.broadcast_to(x, (4, 2, 3)), (X[None],)),
    ("repeat", lambda x: anp.repeat(x, 2, axis=1), (X,)),
    ("tile", lambda x: anp.tile(x, (2, 3)), (X,)),
    ("roll", lambda x: anp.roll(x, 1, axis=1), (X,)),
    ("rot90", lambda x: anp.rot90(x), (X,)),
    ("pad", lambda x: anp.pad(x, 1, "constant"), (X,)),
    ("clip", lambda x: anp.clip(x, -0.8, 1.1), (X,)),
    ("where", lambda x, p: anp.where(P > 0.8, x, p), (X, P)),
    ("select", lambda x: x[1, [0, 2, 2]], (X,)),
    ("slice", lambda x: x[:, ::2], (X,)),
    ("concatenate", lambda x, p: anp.concatenate([x, p]), (X, P)),
    ("stack", lambda x, p: anp.stack([x, p], axis=1), (X, P)),
    ("column_stack", lambda x, p: anp.column_stack([x, p]), (X, P)),
    ("split", lambda x: anp.split(x, [1], axis=1)[1], (X,)),
    ("einsum ij,jk", lambda x, s: anp.einsum("ij,jk->ik", x, s), (X, S)),
    ("einsum ij,ij->j", lambda x, p: anp.einsum("ij,ij->j", x, p), (X, P)),
    ("einsum trace", lambda s: anp.einsum("ij,ji->", s, s), (S,)),
    ("tensordot, one axis", lambda x, s: anp.tensordot(x, s, axes=1), (X, S)),
    ("diff of order 2", lambda x: anp.diff(x, n=2, axis=1), (X,)),
    ("norm along 1", lambda x: anp.linalg.norm(x, axis=1), (X,)),
    ("norm 3", lambda x: anp.linalg.norm(x, ord=3, axis=1), (X,)),
    ("nuclear norm", lambda x: anp.linalg.norm(x, ord="nuc"), (X,)),
    ("logdet", lambda s: anp.linalg.slogdet(s)[1], (S,)),
    ("eigenvalues of a symmetric matrix", lambda s: anp.linalg.eigh((s + anp.transpose(s)) / 2)[0], (S,)),
    ("singular values", lambda x: anp.linalg.svd(x, compute_uv=False), (X,)),
    ("Cholesky of a symmetric part", lambda s: anp.linalg.cholesky((s + anp.transpose(s)) / 2), (SPD,)),
    ("pseudo-inverse, wide", lambda x: anp.linalg.pinv(x), (X,)),
    ("solve_triangular", lambda s, b: solve_triangular(s, b, lower=True), (np.tril(S), B)),
    ("square root of a matrix", lambda s: sqrtm(s), (SPD,)),
    ("power spectrum", lambda v: anp.abs(anp.fft.fft(v)) ** 2, (V,)),
    ("fft2", lambda x: anp.real(anp.fft.fft2(x)), (X,)),
    ("rfft", lambda v: anp.imag(anp.fft.rfft(v)), (np.append(V, 0.6),)),
    ("irfft", lambda v: anp.fft.irfft(v, 4), (V,)),
    ("fftshift", lambda v: anp.fft.fftshift(v), (V,)),
    ("partition", lambda v: anp.partition(v, 1), (V,)),
    ("multiply by broadcasting", lambda x, v: x * v, (X, V)),
    ("power by broadcasting", lambda p, v: p**v, (P, V)),
    ("arctan2 by broadcasting", lambda x, v: anp.arctan2(x, v), (X, V)),
    ("make_diagonal", lambda x: anp.make_diagonal(x, axis1=-1, axis2=-2), (X,)),
]
SPECIAL: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    *[(f"special.{n}", getattr(special, n), (X,)) for n in ["erf", "erfc", "expit", "logsumexp"]],
    *[(f"special.{n}", getattr(special, n), (X,)) for n in ["j0", "j1", "i0", "i1"]],
    *[(f"special.{n}", getattr(special, n), (P,)) for n in ["gamma", "gammaln", "digamma", "psi", "rgamma"]],
    *[(f"special.{n}", getattr(special, n), (P,)) for n in ["y0", "y1"]],
    *[(f"special.{n}", getattr(special, n), (P / 2.2,)) for n in ["logit"]],
    *[(f"special.{n}", getattr(special, n), (U,)) for n in ["erfinv"]],
    ("special.erfcinv", special.erfcinv, (P / 1.2,)),
    ("special.beta", special.beta, (P, ABOVE)),
    ("special.betaln", special.betaln, (P, ABOVE)),
    ("special.jn", lambda p: special.jn(2, p), (P,)),
    ("special.yn", lambda p: special.yn(2, p), (P,)),
    ("special.iv", lambda p: special.iv(1.3, p), (P,)),
    ("special.ive", lambda p: special.ive(1.3, p), (P,)),
    ("special.polygamma", lambda p: special.polygamma(1, p), (P,)),
    ("special.multigammaln", lambda p: special.multigammaln(p, 2), (ABOVE,)),
    ("special.gammainc", lambda p: special.gammainc(1.3, p), (P,)),
    ("special.gammaincc", lambda p: special.gammaincc(1.3, p), (P,)),
    ("special.logsumexp along 1", lambda x: special.logsumexp(x, axis=1), (X,)),
    *[
        (f"stats.norm.{n}", getattr(stats.norm, n), (X, V / 3, ABOVE))
        for n in ["pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"]
    ],
    *[(f"stats.t.{n}", lambda x, n=n: getattr(stats.t, n)(x, 3.0), (X,)) for n in ["pdf", "logpdf", "cdf", "logcdf"]],
    *[(f"stats.gamma.{n}", lambda p, n=n: getattr(stats.gamma, n)(p, 2.5), (P,)) for n in ["pdf", "logpdf", "cdf"]],
    *[(f"stats.beta.{n}", lambda p, n=n: getattr(stats.beta, n)(p, 2.5, 1.4), (P / 2.2,))
      for n in ["pdf", "logpdf", "cdf"]],
    *[(f"stats.chi2.{n}", lambda p, n=n: getattr(stats.chi2, n)(p, 3.0), (P,)) for n in ["pdf", "logpdf", "cdf"]],
    ("stats.beta.logpdf by its shapes", lambda a, b: stats.beta.logpdf(P / 2.2, a, b), (P, ABOVE)),
    ("stats.gamma.logpdf by its shape", lambda a: stats.gamma.logpdf(P, a), (ABOVE,)),
    ("stats.poisson.logpmf", lambda p: stats.poisson.logpmf(2, p), (P,)),
    ("stats.poisson.pmf", lambda p: stats.poisson.pmf(2, p), (P,)),
    ("stats.dirichlet.logpdf", lambda a: stats.dirichlet.logpdf(np.array([0.2, 0.3, 0.5]), a), (P[0],)),
    ("stats.multivariate_normal.logpdf", lambda x, m: stats.multivariate_normal.logpdf(x, m, SPD), (V, V * 0.5)),
]  # fmt: skip


def found(name: str) -> Callable[..., Any]:
    f = anp
    for part in name.split("."):
        f = getattr(f, part)
    return f


def backward(f: Callable[..., Any], *args: Any) -> Call:
    """The vector-Jacobian product by all the arguments."""

    def vjp(*point_and_cotangent: Any) -> Any:
        *point, g = point_and_cotangent
        grads = autograd.make_vjp(lambda packed: f(*packed))(tuple(point))[0](g)
        return grads if len(point) > 1 else grads[0]

    return lambda: check(f, *args, vjp=vjp, wrt=range(len(args)))


def forward(f: Callable[..., Any], x: Any) -> Call:
    """The Jacobian-vector product by one argument."""
    return lambda: check(f, x, jvp=lambda x, v: autograd.make_jvp(f)(x)(v)[1])


def rows() -> Iterator[tuple[str, Call]]:
    several = [(f"{name}", found(name), tuple(points)) for name, points in UNARY.items()]
    several += [(f"{name} {np.shape(a)} {np.shape(b)}", found(name), (a, b)) for name, a, b in TWO]
    for name, f, points in [*several, *MORE, *SPECIAL]:
        yield name, backward(f, *points)
        if len(points) == 1 and has_forward(f, points[0]):
            yield f"{name}, forward", forward(f, points[0])


def has_forward(f: Callable[..., Any], x: Any) -> bool:
    """Whether the library has a rule forward: it says so where it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            autograd.make_jvp(f)(x)(x)
    except NotImplementedError:
        return False
    return True


ZERO = np.array([0.5, 0.0, 2.0])
RIGHT: dict[str, Call] = dict(rows())
BUGS = {
    "diag of a matrix that is not square": Bug(backward(anp.diag, X), ("vjp[v]",), backward(anp.diag, S)),
    "gradient of a matrix that is not square": Bug(
        backward(lambda x: anp.gradient(x, axis=0), X.T), ("vjp[x]",), backward(anp.gradient, np.append(V, [1.7, 0.2]))
    ),
    "var along several axes, forward": Bug(
        forward(lambda x: anp.var(x, axis=(0, 1)), X), ("jvp[x]",), forward(lambda x: anp.var(x, axis=0), X)
    ),
    "sorting along an axis, forward": Bug(forward(lambda x: anp.sort(x, axis=1), X), ("jvp[x]",), forward(anp.sort, V)),
    "a product with a zero in it": Bug(backward(anp.prod, ZERO), ("vjp[a]",), backward(anp.prod, V), entries(1)),
    "sinc at 0": Bug(backward(anp.sinc, ZERO), ("vjp[x]",), backward(anp.sinc, V), entries(1)),
}
test_right, test_bugs = judges_of("autograd", RIGHT, BUGS)
