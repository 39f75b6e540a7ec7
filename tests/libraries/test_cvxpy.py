"""cvxpy: the gradients of its atoms, `expression.grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

cp = pytest.importorskip("cvxpy")

from gradcheck import check
from tests.libraries.table import Bug, Call, judges_of

V = np.array([0.5, -1.25, 2.0])
P = np.array([0.4, 1.3, 2.2])
U = np.array([0.2, 0.5, 0.8])
M = np.array([[0.5, -1.25], [2.0, 0.75]])
SPD = np.array([[2.0, 0.3], [0.3, 1.2]])
A = np.array([[1.0, -0.5, 2.0], [0.3, 0.7, -1.1]])

# An expression of one variable, and its value.
ATOMS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "abs": (cp.abs, V),
    "affine": (lambda x: A @ x + 1, V),
    "exp": (cp.exp, V),
    "log": (cp.log, P),
    "log1p": (cp.log1p, P),
    "entr": (cp.entr, P),
    "logistic": (cp.logistic, V),
    "sqrt": (cp.sqrt, P),
    "square": (cp.square, V),
    "power 3": (lambda x: cp.power(x, 3), P),
    "power -1": (cp.inv_pos, P),
    "power 0.3": (lambda x: cp.power(x, 0.3), P),
    "huber": (cp.huber, V),
    "pos": (cp.pos, V),
    "neg": (cp.neg, V),
    "xexp": (cp.xexp, P),
    "sum": (cp.sum, V),
    "sum along 0": (lambda x: cp.sum(x, axis=0), M),
    "sum of squares": (cp.sum_squares, V),
    "max": (cp.max, V),
    "min": (cp.min, V),
    "max along 1": (lambda x: cp.max(x, axis=1), M),
    "sum of the largest": (lambda x: cp.sum_largest(x, 2), V),
    "sum of the smallest": (lambda x: cp.sum_smallest(x, 2), V),
    "norm 1": (cp.norm1, V),
    "norm 2": (lambda x: cp.norm(x, 2), V),
    "norm 3": (lambda x: cp.pnorm(x, 3), V),
    "norm 2 along 1": (lambda x: cp.norm(x, 2, axis=1), M),
    "Frobenius": (lambda x: cp.norm(x, "fro"), M),
    "nuclear": (cp.normNuc, M),
    "spectral": (cp.sigma_max, M),
    "total variation": (cp.tv, V),
    "quadratic form": (lambda x: cp.quad_form(x, np.diag([1.0, 2.0, 3.0])), V),
    "quadratic over linear": (lambda x: cp.quad_over_lin(x, 2.0), V),
    "log-sum-exp": (cp.log_sum_exp, V),
    "log-sum-exp along 1": (lambda x: cp.log_sum_exp(x, axis=1), M),
    "geometric mean": (cp.geo_mean, P),
    "harmonic mean": (cp.harmonic_mean, P),
    "product": (cp.prod, P),
    "cumulative sum": (cp.cumsum, V),
    "trace": (cp.trace, M),
    "transpose": (lambda x: x.T, M),
    "reshape": (lambda x: cp.reshape(x, (4, 1), order="F"), M),
    "diagonal": (cp.diag, M),
    "upper triangle": (cp.upper_tri, M),
    "slice": (lambda x: x[0, :], M),
    "convolution": (lambda x: cp.convolve([1.0, -2.0], x), V),
    "Kronecker": (lambda x: cp.kron(SPD, x), M),
    "matrix product": (lambda x: SPD @ x, M),
    "multiply": (lambda x: cp.multiply(P, x), V),
    "KL, first": (lambda x: cp.kl_div(x, U), P),
    "KL, second": (lambda x: cp.kl_div(U, x), P),
    "relative entropy": (lambda x: cp.rel_entr(x, U), P),
    "log-normal distribution": (cp.log_normcdf, V),
    "log gamma": (cp.loggamma, P),
    "log determinant": (cp.log_det, SPD),
    "largest eigenvalue": (cp.lambda_max, SPD),
    "smallest eigenvalue": (cp.lambda_min, SPD),
    "trace of the inverse": (cp.tr_inv, SPD),
    "hstack": (lambda x: cp.hstack([x, 2 * x]), V),
    "vstack": (lambda x: cp.vstack([x, 2 * x]), V),
    "scalar product": (lambda x: P @ x, V),
    "sum of exponentials": (lambda x: cp.sum(cp.exp(A @ x)), V),
    "norm of a residual": (lambda x: cp.norm(A @ x - 1), V),
    "log-likelihood": (lambda x: cp.sum(cp.logistic(A @ x)), V),
    "maximum": (lambda x: cp.maximum(x, U), V),
    "minimum": (lambda x: cp.minimum(x, U), V),
}
SYMMETRIC = {"log determinant", "largest eigenvalue", "smallest eigenvalue", "trace of the inverse"}


def atom(make: Callable[..., Any], *values: np.ndarray, **how: Any) -> Call:
    """`grad` is a dict of sparse matrices (inputs, outputs), both flattened column by column."""
    variables = [cp.Variable(value.shape) for value in values]
    expression = make(*variables)

    def put(point: tuple[np.ndarray, ...]) -> None:
        for variable, value in zip(variables, point, strict=True):
            variable.value = value

    def value(*point: np.ndarray) -> Any:
        put(point)
        return np.asarray(expression.value)

    def jacobian(*point: np.ndarray) -> Any:
        put(point)
        found = [expression.grad[variable] for variable in variables]
        parts = [
            np.asarray(one.todense() if hasattr(one, "todense") else one).T.reshape(
                (*expression.shape[::-1], *at.shape[::-1])
            )
            for one, at in zip(found, point, strict=True)
        ]
        outputs = expression.ndim
        turned = [part.transpose(*range(outputs)[::-1], *range(outputs, part.ndim)[::-1]) for part in parts]
        return turned if len(turned) > 1 else turned[0]

    return lambda: check(value, *values, jac=jacobian, wrt=range(len(values)), **how)


RIGHT: dict[str, Call] = {
    name: atom(make, value, **({"symmetric": True} if name in SYMMETRIC else {}))
    for name, (make, value) in ATOMS.items()
}
RIGHT |= {
    "multiplied by a variable": atom(lambda x, y: x * y, np.array(1.5), np.array(2.5)),
    "KL divergence of two": atom(cp.kl_div, P, U),
    "relative entropy of two": atom(cp.rel_entr, P, U),
    "maximum of two": atom(cp.maximum, V, P),
    "sum of two": atom(lambda x, y: x + 2 * y, V, P),
    "quadratic over linear, both": atom(cp.quad_over_lin, V, np.array(1.7)),
}
BUGS = {
    "y/x for two variables": Bug(atom(lambda y, x: y / x, P, U), ("jac[x0]", "jac[x1]"), atom(lambda y: y / U, P)),
    "log-sum-exp at 1000": Bug(
        atom(cp.log_sum_exp, np.array([1000.0, 999.0])), ("jac[x]",), atom(cp.log_sum_exp, np.array([1.0, 0.0]))
    ),
    "cumulative maximum": Bug(atom(cp.cummax, V), ("jac[x]",), atom(cp.cumsum, V)),
    "cumulative product": Bug(atom(cp.cumprod, P), ("jac[x]",), atom(cp.prod, P)),
}
test_right, test_bugs = judges_of("cvxpy", RIGHT, BUGS)
