"""numba: functions that are compiled (`@njit`, `@vectorize`), right and wrong, measured as they run."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from tests.frameworks.rules import B, P, V, W, X
from tests.frameworks.test_files import found_in

numba = pytest.importorskip("numba")
njit = numba.njit

check = gradcheck.check

LABELS = np.array([1, 0, 1])


@njit
def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


@njit
def _softmax(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        e = np.exp(x[i] - x[i].max())
        out[i] = e / e.sum()
    return out


@njit
def by_cross_entropy(x, labels):
    g = _softmax(x)
    for i in range(x.shape[0]):
        g[i, labels[i]] -= 1
    return g


def cross_entropy(x, labels):
    total = 0.0
    for i in range(x.shape[0]):
        total -= np.log(_softmax(x)[i, labels[i]])
    return total


def gathered(w, rows):
    out = np.empty((rows.size, w.shape[1]))
    for n, row in enumerate(rows):
        out[n] = w[row]
    return out


def by_gather(w, rows, g):
    out = np.zeros_like(w)
    for n, row in enumerate(rows):
        out[row] += g[n]
    return out


def by_gather_overwritten(w, rows, g):
    out = np.zeros_like(w)
    for n, row in enumerate(rows):
        out[row] = g[n]
    return out


def cumulated(x):
    out = x.copy()
    for i in range(1, x.shape[0]):
        out[i] += out[i - 1]
    return out


def by_cumulated(x, g):
    out = g.copy()
    for i in range(g.shape[0] - 2, -1, -1):
        out[i] += out[i + 1]
    return out


def by_cumulated_forwards(x, g):
    out = g.copy()
    for i in range(1, g.shape[0]):
        out[i] += out[i - 1]
    return out


# The keyword of `check`, forward, the right derivative, a wrong one, and the point.
ROWS = {
    "sin": ("deriv", lambda x: np.sin(x), lambda x: np.cos(x), lambda x: -np.cos(x), (X,)),
    "square": ("deriv", lambda x: x**2, lambda x: 2 * x, lambda x: x, (X,)),
    "log": ("deriv", lambda x: np.log(x), lambda x: 1 / x, lambda x: 1 / x**2, (P,)),
    "sqrt": ("deriv", lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x), lambda x: 1 / np.sqrt(x), (P,)),
    "tanh": ("deriv", lambda x: np.tanh(x), lambda x: 1 - np.tanh(x) ** 2, lambda x: 1 - np.tanh(x), (X,)),
    "sigmoid": (
        "deriv",
        lambda x: _sigmoid(x),
        lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
        lambda x: x * (1 - x),
        (X,),
    ),
    "softplus": ("deriv", lambda x: np.log1p(np.exp(x)), lambda x: _sigmoid(x), lambda x: _sigmoid(-x), (X,)),
    "swish": (
        "deriv",
        lambda x: x * _sigmoid(x),
        lambda x: _sigmoid(x) + x * _sigmoid(x) * (1 - _sigmoid(x)),
        lambda x: _sigmoid(x) + x * _sigmoid(x),
        (X,),
    ),
    "clip": (
        "deriv",
        lambda x: np.minimum(np.maximum(x, -1), 1),
        lambda x: (np.abs(x) < 1) * 1.0,
        lambda x: np.ones_like(x),
        (X,),
    ),
    "leaky ReLU": (
        "deriv",
        lambda x: np.where(x > 0, x, 0.1 * x),
        lambda x: np.where(x > 0, 1.0, 0.1),
        lambda x: np.where(x > 0, 1.0, 0.0),
        (X,),
    ),
    "abs": ("deriv", lambda x: np.abs(x), lambda x: np.sign(x), lambda x: np.abs(np.sign(x)), (X,)),
    "sign": ("deriv", lambda x: np.sign(x), lambda x: np.zeros_like(x), lambda x: np.ones_like(x), (X,)),
    "sum of squares": ("grad", lambda x: np.sum(x**2), lambda x: 2 * x, lambda x: x, (X,)),
    "norm": (
        "grad",
        lambda x: np.sqrt(np.sum(x**2)),
        lambda x: x / np.sqrt(np.sum(x**2)),
        lambda x: x * np.sqrt(np.sum(x**2)),
        (X,),
    ),
    "log-sum-exp": (
        "grad",
        lambda x: np.log(np.sum(np.exp(x))),
        lambda x: np.exp(x) / np.sum(np.exp(x)),
        lambda x: np.exp(x),
        (X,),
    ),
    "softmax cross-entropy": (
        "grad",
        cross_entropy,
        lambda x, labels: by_cross_entropy(x, labels),
        lambda x, labels: by_cross_entropy(x, labels) / 3,
        (X, LABELS),
    ),
    "squared error": (
        "grad",
        lambda p, t: np.sum((p - t) ** 2) / p.size,
        lambda p, t: (2 * (p - t) / p.size, 2 * (t - p) / p.size),
        lambda p, t: (2 * (p - t) / p.size, 2 * (p - t) / p.size),
        (X, V),
    ),
    "linear with bias": (
        "vjp",
        lambda x, w, b: x @ w + b,
        lambda x, w, b, g: (g @ w.T, x.T @ g, g.sum(0)),
        lambda x, w, b, g: (g @ w.T, x.T @ g, g.sum(0) / x.shape[0]),
        (X, W[:, :2].copy(), B),
    ),
    "product and sum": (
        "vjp",
        lambda x, v: (x * v, x + v),
        lambda x, v, g, h: (g * v + h, g * x + h),
        lambda x, v, g, h: (g * v + h, g * x - h),
        (X, V),
    ),
    "gather": ("vjp", gathered, by_gather, by_gather_overwritten, (X, np.array([2, 0, 2]))),
    "cumulative sum": ("vjp", cumulated, by_cumulated, by_cumulated_forwards, (X,)),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_right_function_is_right_and_a_wrong_one_wrong(name):
    kind, forward, right, wrong, point = ROWS[name]
    result = check(njit(forward), *point, **{kind: njit(right)})
    assert result.verdict in ("correct", "convention"), result
    assert max(claim.resolution for claim in result.claims) < 1e-8
    assert check(njit(forward), *point, **{kind: njit(wrong)}).verdict == "wrong"


@pytest.mark.parametrize("signatures", [(), (["float64(float64)"],)], ids=["dynamic", "float64"])
def test_elementwise_functions_made_by_vectorize(signatures):
    swish, right, wrong = (numba.vectorize(*signatures)(one) for one in ROWS["swish"][1:4])
    result = check(swish, X, deriv=right)
    assert result.verdict == "correct", result
    assert result.source.startswith("tests/frameworks/test_numba.py:")
    assert check(swish, X, deriv=wrong).verdict == "wrong"


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_layouts_and_arrays_that_are_read_only(layout):
    x = layout(X)
    x.setflags(write=False)
    cube, right = njit(lambda x: x**3), njit(lambda x: 3 * x**2)
    assert check(cube, x, deriv=right).verdict == "correct"
    assert check(cube, x, deriv=njit(lambda x: x**2)).verdict == "wrong"
    assert check(cube, x.astype(np.float32), deriv=right).verdict == "correct"


def test_a_call_that_fits_no_signature_could_not_be_asked():
    one_row = "float64[:](float64[::1])"
    relu, slope = (njit(one_row)(one) for one in (lambda x: np.maximum(x, 0.0), lambda x: (x > 0) * 1.0))
    assert check(relu, B, deriv=slope).verdict == "correct"
    for forward in (relu, njit(relu.py_func)):
        for point in (X, B.astype(np.float32)):
            result = check(forward, point, deriv=slope)
            assert result.verdict == "could not be asked", result
            assert "No matching definition for argument type(s)" in str(result)
    doubled = njit(one_row)(lambda x: 2.0 * (x > 0))
    assert check(relu, B, deriv=doubled).verdict == "wrong"


def test_nothing_is_run_exactly_that_numba_has_compiled():
    """An array of exact numbers says that it is one of floats, and numba would believe it."""
    pytest.importorskip("flint")
    inner = njit(lambda x: x * x)
    for f in (inner, lambda x: inner(x)):
        result = check(f, X, deriv=lambda x: 2 * x)
        assert result.verdict == "correct"
        assert [claim.basis for claim in result.claims] == ["measured"]
        assert "numba has compiled" in str(result)


FILE = """
import numpy as np
from numba import njit, vectorize


@njit
def cube(x):
    return x**3


@njit
def cube_grad(x):
    return 3 * x**2


@vectorize
def softplus(x):
    return np.log1p(np.exp(x))


@vectorize
def softplus_prime(x):
    return 1 / (1 + np.exp(x))


@njit
def halved(x):
    return x / 2


ACTIVATIONS = {"halved": (halved, njit(lambda x: np.full_like(x, 0.5)))}
"""


def test_the_command_finds_and_judges_them(tmp_path):
    found = found_in(FILE, tmp_path)
    assert {name: one["verdict"] for name, one in found.items()} == {
        "cube": "correct",
        "softplus": "wrong",
        "halved": "correct",
    }
    assert found["softplus"]["source"].startswith("rules.py:")
