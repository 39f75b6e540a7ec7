"""The claim is the derivative of something near: a number added, a transpose, another power, what is approximated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import Options, check
from gradcheck.results import ComponentResult

Array = np.ndarray[Any, Any]
EVIDENT, REPAIRED = Options(dtypes=("float64",)), Options(dtypes=("float64",), hints="repair")
RNG = np.random.default_rng(3)
P, Z, B = RNG.uniform(0.1, 1, size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4))
S = B @ B.T + np.eye(4)
A = np.array([3.0, 7.0, 0.5, 12.0])
LABELS = RNG.uniform(0.1, 1, size=(3, 4))


def first(result: ComponentResult) -> tuple[str, str]:
    """The name and sentence of the first cause of the claim that is wrong."""
    (claim,) = (one for one in result.claims if one.verdict == "wrong")
    return (claim.causes[0].name, claim.causes[0].sentence) if claim.causes else ("", "")


def entropy(p):
    return np.sum(p * np.log(p))


def centred(z):
    return np.sin(z - z.mean(axis=1, keepdims=True)).sum()


def centred_grad(z):
    slope = np.cos(z - z.mean(axis=1, keepdims=True))
    return slope - slope.mean(axis=1, keepdims=True)


def log_determinant(a):
    """Cholesky's factor is made of the lower triangle."""
    return 2 * np.log(np.diagonal(np.linalg.cholesky(a))).sum()


def log_determinant_grad(a):
    inverse = np.linalg.inv(np.tril(a) + np.tril(a, -1).T)
    return np.tril(inverse) + np.tril(inverse, -1)


def sines_grad_of_both(b):
    slope = np.cos(b)
    return slope + slope.T - np.diag(np.diagonal(slope))


def cross_entropy(p):
    return -np.sum(LABELS * np.log(p))


@pytest.mark.parametrize(
    ("forward", "x", "right", "wrong", "cause", "said"),
    [
        (entropy, P, lambda p: np.log(p) + 1, np.log, "number missing", "−1 at every entry: is a `+ 1` missing"),
        (entropy, P, lambda p: np.log(p) + 1, lambda p: np.log(p) + 3, "number added", "`+ 2` too much"),
        (centred, Z, centred_grad, lambda z: np.cos(z - z.mean(axis=1, keepdims=True)), "right up to a constant",
         "axis 1 of z: the derivatives of a row add up to 0"),
        (log_determinant, S, log_determinant_grad, np.linalg.inv, "right for symmetric moves", "one triangle"),
        (lambda b: np.sin(b).sum(), B, np.cos, sines_grad_of_both, "both triangles added up", "b[i, j] and b[j, i]"),
        (cross_entropy, P, lambda p: -LABELS / p, lambda p: -LABELS * p, "times a variable", "× p²: is it multiplied"),
        (lambda x: np.sum(x**3) / 2, A, lambda x: 1.5 * x**2, lambda x: 1.0 * x**2, "times a constant", "33.33%"),
    ],
)  # fmt: skip
def test_what_is_wrong_everywhere_is_told_with_its_number(
    forward: Callable[..., Any], x: Array, right: Any, wrong: Any, cause: str, said: str
) -> None:
    assert check(forward, x, options=EVIDENT, grad=right).verdict == "correct"
    name, sentence = first(check(forward, x, options=EVIDENT, grad=wrong))
    assert name == cause
    assert said in sentence


def test_a_form_that_is_right_for_a_symmetric_matrix_has_a_transpose_too_few() -> None:
    def checked(grad: Any) -> ComponentResult:
        return check(lambda x, b: x @ b @ x, A, args=(B,), wrt="x", options=EVIDENT, grad=grad)

    assert checked(lambda x, b: (b + b.T) @ x).verdict == "correct"
    name, sentence = first(checked(lambda x, b: 2 * b @ x))
    assert name == "transpose missing"
    assert "Right only where b is symmetric" in sentence
    assert first(checked(lambda x, b: 2 * np.flip(b) @ x))[0] != "transpose missing"


def exponential(x):
    total = term = np.ones_like(x)
    for k in range(1, 8):
        term = term * x / k
        total = total + term
    return total


def exponential_vjp(x, g):
    return g * (exponential(x) - x**7 / 5040)


def area(a, nodes=21):
    t = np.linspace(0, 1, nodes)
    y = np.sin(a[:, None] * t) ** 2
    return (y[:, 1:] + y[:, :-1]).sum(axis=1) / (2 * (nodes - 1))


def area_vjp(a, g, nodes=21):
    t = np.linspace(0, 1, nodes)
    y = np.sin(2 * a[:, None] * t) * t
    return g * (y[:, 1:] + y[:, :-1]).sum(axis=1) / (2 * (nodes - 1))


def root(a):
    """Three of Heron's steps."""
    y = np.ones_like(a)
    for _ in range(3):
        y = (y + a / y) / 2
    return y


def root_vjp(a, g):
    y, slope = np.ones_like(a), np.zeros_like(a)
    for _ in range(3):
        y, slope = (y + a / y) / 2, (slope + 1 / y - a * slope / y**2) / 2
    return g * slope


@pytest.mark.parametrize(
    ("forward", "x", "right", "wrong", "said"),
    [
        (exponential, Z[0], exponential_vjp, lambda x, g: g * np.exp(x), "16 in place of 8"),
        (area, A[:2], area_vjp, lambda a, g: g * (np.sin(2 * a) / (4 * a**2) - np.cos(2 * a) / (2 * a)),
         "41 in place of 21"),
        (root, A, root_vjp, lambda a, g: g / (2 * np.sqrt(a)), "5 in place of 3"),
    ],
)  # fmt: skip
def test_the_derivative_of_what_forward_approximates(
    forward: Callable[..., Any], x: Array, right: Any, wrong: Any, said: str
) -> None:
    assert check(forward, x, options=EVIDENT, vjp=right).verdict == "correct"
    name, sentence = first(check(forward, x, options=EVIDENT, vjp=wrong))
    assert name == "forward is an approximation"
    assert said in sentence


def cosine_fixed_point(a, tol=1e-4):
    """What ends the loop is decided before, where no test shows the tolerance."""
    y = 1.0
    for _ in range(1000):
        last, y = y, np.cos(y) * a
        is_near = abs(y - last) < tol
        if is_near:
            break
    return y


def test_a_loop_s_tolerance_is_no_epsilon_that_was_forgotten() -> None:
    def slope(a: Any) -> Any:
        y = 1.0
        for _ in range(1000):
            y = np.cos(y) * a
        return np.cos(y) / (1 + a * np.sin(y))

    name, sentence = first(check(cosine_fixed_point, np.array(0.7), options=EVIDENT, grad=slope))
    assert name == "stops at a tolerance"
    assert "accuracy=0.0001" in sentence


class Dense:
    def __init__(self):
        self.W = np.linspace(-1, 2, 12).reshape(4, 3)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class DenseHandedBack(Dense):
    def backward(self, dout):
        self.dW = self.W
        return dout @ self.W.T


class Cubed:
    def forward(self, x):
        self.x = x
        return x**3 / 2

    def backward(self, dout):
        return dout * (3 / 2) * self.x**2


class CubedInWhole(Cubed):
    def backward(self, dout):
        return dout * (3 // 2) * self.x**2


class Standardised:
    def forward(self, x):
        self.scale = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.unit = (x - x.mean(axis=1, keepdims=True)) / self.scale
        return self.unit

    def backward(self, dout):
        d = dout / self.scale
        return d - d.mean(axis=1, keepdims=True) - self.unit * (d * self.unit).mean(axis=1, keepdims=True)


class StandardisedByTheMean(Standardised):
    def backward(self, dout):
        d = dout / self.scale
        return d - d.mean(axis=1, keepdims=True)


class Recurrence:
    """Hidden states hₜ₊₁ = tanh(xₜ + hₜ/2)."""

    def forward(self, x):
        self.hs = [np.zeros(len(x))]
        for t in range(x.shape[1]):
            self.hs.append(np.tanh(x[:, t] + self.hs[t] / 2))
        return np.stack(self.hs[1:], axis=1)

    def backward(self, dout):
        dx, dh = np.zeros(dout.shape), np.zeros(len(dout))
        for t in reversed(range(dout.shape[1])):
            dz = (dout[:, t] + dh) * (1 - self.hs[t + 1] ** 2)
            dx[:, t] = dz
            dh = dz / 2
        return dx


class RecurrenceWithoutSlope(Recurrence):
    def backward(self, dout):
        dx, dh = np.zeros(dout.shape), np.zeros(len(dout))
        for t in reversed(range(dout.shape[1])):
            dz = (dout[:, t] + dh) * (self.hs[t] == self.hs[t])
            dx[:, t] = dz
            dh = dz / 2
        return dx


@pytest.mark.parametrize(
    ("right", "wrong", "cause", "said"),
    [
        (Dense, DenseHandedBack, "the thing itself", "hands back W itself"),
        (Cubed, CubedInWhole, "integer division", "should say `return dout * (3 / 2) * self.x**2`"),
        (Standardised, StandardisedByTheMean, "projection missing", "the share along self.unit"),
        (Recurrence, RecurrenceWithoutSlope, "missing factor", "1 - self.hs[t + 1]"),
    ],
)
def test_a_layer_s_mistake_is_told_by_its_repair(right: Any, wrong: Any, cause: str, said: str) -> None:
    assert check(right, options=EVIDENT).verdict == "correct"
    (claim,) = (one for one in check(wrong, options=REPAIRED).claims if one.verdict == "wrong")
    assert claim.causes[-1].name == cause
    assert said in claim.causes[-1].sentence
    assert [one.name for one in claim.causes[:-1]] == ["times a constant"] * (wrong is CubedInWhole)
