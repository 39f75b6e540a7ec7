"""The call for library authors: objects at given points, what is no NumPy array, misspelt keywords, tolerances."""

from __future__ import annotations

import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.integrate

import gradcheck
from gradcheck import Options, UsageError

check = gradcheck.check
X = np.array([[1.0, -0.5, 2.0], [0.25, 3.0, -1.0]])


class Dense:
    def __init__(self, n, m):
        self.W = np.linspace(-1, 1, n * m).reshape(n, m)
        self.b = np.zeros(m)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(0)
        return g @ self.W.T


class Averaging(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = g.mean(0)
        return dx


class WrongBelowZero(Dense):
    def backward(self, g):
        return super().backward(g) * np.where(self.x < -10, 2, 1)


def swish(x):
    return x * np.tanh(x)


def swish_grad(x):
    return np.tanh(x) + x * (1 - np.tanh(x) ** 2)


def shifted(x):
    return x * np.tanh(x)


def shifted_grad(x):
    return np.tanh(x) + x * np.tanh(x) ** 2


def test_an_instance_is_asked_at_the_point_that_is_given_and_at_no_other():
    right = check(Dense(3, 2), X)
    assert {claim.wrt: claim.verdict for claim in right.claims} == {"x": "correct", "W": "correct", "b": "correct"}
    assert {point.point for claim in right.claims for point in claim.points} == {"as given"}
    assert {claim.wrt: claim.verdict for claim in check(Averaging(3, 2), X).claims}["b"] == "wrong"
    assert check(WrongBelowZero(3, 2), X).verdict == "correct"
    assert check(WrongBelowZero(3, 2), 20 * X).verdict == "wrong"


def test_a_function_beside_its_derivative_is_asked_at_the_point():
    assert check(swish, X).verdict == "correct"
    assert {point.point for point in check(swish, X).claims[0].points} == {"as given"}
    assert check(shifted, X).verdict == "wrong"
    assert "gives 2 inputs, but swish takes x" in check(swish, X, X).reason


def test_a_point_of_another_number_of_arrays_could_not_be_asked():
    result = check(Dense(3, 2), X, X)
    assert result.verdict == "could not be asked"
    assert "2 inputs, but forward takes 1" in result.reason


@pytest.mark.parametrize(
    "option", [{"args": (1,)}, {"wrt": "x"}, {"domain": (0, 1)}, {"kwargs": {}}, {"tangent": np.add}]
)
def test_what_is_for_functions_is_refused_for_objects(option):
    with pytest.raises(UsageError, match="= is for a function handed over with its derivative"):
        check(Dense(3, 2), X, **option)


def test_what_has_no_derivative_at_all_says_which_may_be_given():
    with pytest.raises(UsageError, match=r"jac=, grad=, deriv=, vjp=, jvp=, hess= or hessp=: sin has none of its own"):
        check(np.sin, X)
    with pytest.raises(UsageError, match="expected a function to differentiate, but got object"):
        check(object(), X, grad=np.cos)
    with pytest.raises(UsageError, match="has no derivative that could be checked"):
        check(object())


# Arrays of other libraries.


class OnDevice:
    """What stands for an array of a GPU: it refuses to be made one of NumPy's."""

    shape = (3,)

    def __array__(self, *args, **kwargs):
        raise TypeError("can't convert device type tensor to numpy")


class Tensor(OnDevice):
    def cpu(self):
        return self


class WithGradient(Tensor):
    def detach(self):
        return self


class Device(OnDevice):
    @property
    def __cuda_array_interface__(self):
        return {}

    def get(self):
        return np.ones(3)


class Eager:
    def numpy(self):
        return np.ones(3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Tensor(), r"expected x to be a NumPy array, but got \S+Tensor: pass x.cpu\(\).numpy\(\), and functions that"),
        (WithGradient(), r"pass x.detach\(\).cpu\(\).numpy\(\), and functions"),
        (Device(), r"but got \S+Device: pass x.get\(\), and"),
        (Eager(), r"pass x.numpy\(\), and"),
        (
            OnDevice(),
            r"which cannot be made one \(TypeError: can't convert device type tensor to numpy\): convert it first",
        ),
        ({"w": Tensor()}, r"expected x\['w'\] to be a NumPy array"),
        ([np.ones(2), Eager()], r"expected x\[1\] to be a NumPy array"),
    ],
)
def test_arrays_that_numpy_cannot_compute_with_are_refused_in_a_line(value, said):
    with pytest.raises(UsageError, match=said) as caught:
        check(np.sin, value, grad=np.cos)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"to be a NumPy array|to be an array of real numbers"):
        gradcheck.numerical_jacobian(np.sin, value)


def test_what_only_has_such_a_name_is_held_fixed():
    settings = SimpleNamespace(cpu=2, numpy="2.0")
    assert check(lambda x, s: s.cpu * np.sum(x**2), X, settings, grad=lambda x, s: 2 * s.cpu * x)
    assert not check(lambda x, s: s.cpu * np.sum(x**2), X, args=(settings,), grad=lambda x, s: s.cpu * x)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a", "but x is of type str"),
        (None, "but x is None"),
        (np.array(["a"]), "but x is an array of dtype <U1"),
        ([[1], [1, 2]], "but x is a list that is no array"),
        (object(), "but x is of type object"),
        ({"name": "a"}, "but x is of type dict"),
        (np.zeros(0), "x holds no numbers"),
        ({"w": np.zeros((0, 2))}, "x holds no numbers"),
    ],
)
def test_a_point_without_numbers_says_what_came(value, said):
    with pytest.raises(UsageError, match=f"nothing to differentiate by: .*{said}"):
        check(np.sin, value, grad=np.cos)


def test_a_mask_is_refused_and_not_lost():
    with pytest.raises(UsageError, match=r"expected x to be an array without a mask, .* x\.data or x\.filled"):
        check(np.sin, np.ma.array(X, mask=X > 1), deriv=np.cos)


def test_what_comes_back_without_numbers_says_what_came():
    for claim, said in (
        (lambda x: "a", "expected grad to return numbers, but got an array of dtype <U1"),
        (lambda x: x.astype(object), "expected grad to return numbers, but got an array of dtype object"),
        (lambda x: 2 * x + 0j, "expected grad by the real x to be real, but got complex numbers"),
    ):
        result = check(lambda x: np.sum(x**2), X, grad=claim)
        assert result.verdict == "wrong"
        assert said in result.claims[0].points[0].message


@pytest.mark.parametrize("value", [[np.nan, 1.0], np.inf, {"w": np.array([np.nan])}, 1 + 1j * np.inf])
def test_a_point_that_is_not_finite_is_refused(value):
    with pytest.raises(UsageError, match="to be finite, but it holds NaN or infinity"):
        check(lambda x: x, value, grad=lambda x: x)


# Keywords.


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("gradd", "check takes no keyword gradd=: do you mean grad=?"),
        ("hesss", "do you mean hess=?"),
        ("simmetric", "do you mean symmetric=?"),
        ("fprime", "do you mean grad=?"),
        ("jacobian", "do you mean jac=?"),
        ("argnums", "do you mean wrt=?"),
        ("bounds", "do you mean domain=?"),
        ("seed", "do you mean options=gradcheck.Options(seed=…)?"),
        ("atol", "check takes no atol=: no tolerance has to be chosen"),
        ("eps", "accuracy= says how exact f is where it is computed iteratively"),
        ("quux", "it takes args, kwargs, wrt, jac, grad, deriv, vjp, jvp, hess, hessp, order, domain, symmetric"),
    ],
)
def test_keywords_that_are_not_known_are_refused_by_name(keyword, said):
    with pytest.raises(UsageError) as caught:
        check(np.sin, X, **{keyword: 1})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"accuracy": -1}, "expected accuracy to be the relative error of f, 1e-8 say, but got -1"),
        ({"accuracy": "high"}, "expected accuracy to be the relative error of f"),
        ({"time_limit": 0}, "expected time_limit to be a number of seconds, but got 0"),
        ({"time_limit": "1"}, "expected time_limit to be a number of seconds"),
        ({"options": {"seed": 1}}, r"expected options to be gradcheck.Options\(...\), but got dict"),
        ({"options": Options(dtypes=("float99",))}, "expected dtypes to be among float64, .* but got 'float99'"),
    ],
)
def test_options_that_are_no_numbers_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        check(np.sin, X, deriv=np.cos, **options)


def test_a_slow_function_is_stopped_at_its_time_limit():
    def slow(x):
        time.sleep(0.02)
        return x @ x

    result = check(slow, np.ones(30), grad=lambda x: 2 * x, time_limit=0.2)
    assert result.verdict == "unresolved"
    assert result.reason == "it did not finish within 0.2 s (time limit), at “as given”"
    # Options say the rest, and the keyword goes first.
    assert check(np.sin, X, deriv=np.cos, time_limit=60, options=Options(time_limit=1e-9)).verdict == "correct"


def squares(x, A, scale=1.0):
    return scale * (A @ x) ** 2


def test_the_columns_may_be_taken_by_other_processes():
    A = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        options = Options(executor=executor, evidence=False)
        for factor in (1.0, 1.001):
            jac = lambda x, A, scale, c=factor: 2 * c * scale * A * (A @ x)[:, None]  # noqa: E731
            result = check(squares, X[0], args=(A,), kwargs={"scale": 3.0}, jac=jac, options=options)
            assert result.verdict == ("correct" if factor == 1 else "wrong")
        with pytest.raises(UsageError, match="expected a function that can be sent to other processes"):
            check(lambda x: x**2, X[0], deriv=lambda x: 2 * x, options=options)


# Functions that stop at a tolerance.


def solved(c, tolerance):
    """The root of x + tanh(x) = c, by bisection down to a tolerance."""
    low, high = np.full(c.shape, -20.0), np.full(c.shape, 20.0)
    while (high - low).max() > tolerance:
        middle = (low + high) / 2
        above = middle + np.tanh(middle) > c
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def implicit(c, tolerance):
    return 1 / (2 - np.tanh(solved(c, 1e-13)) ** 2)


def fixed_point(c, tolerance):
    """z = tanh(z/2 + c), iterated until it moves by less than a tolerance."""
    z = np.zeros_like(c)
    while True:
        last, z = z, np.tanh(0.5 * z + c)
        if np.abs(z - last).max() < tolerance:
            return z


def of_fixed_point(c, tolerance):
    slope = 1 - fixed_point(c, 1e-15) ** 2
    return slope / (1 - 0.5 * slope)


@pytest.mark.parametrize(
    ("f", "deriv", "tolerance"),
    [
        (solved, implicit, 1e-8),
        (solved, implicit, 1e-10),
        (solved, implicit, 1e-12),
        (fixed_point, of_fixed_point, 1e-8),
        (fixed_point, of_fixed_point, 1e-12),
    ],
)
def test_accuracy_takes_in_where_a_function_stops(f, deriv, tolerance):
    c = np.array([0.5, -1.25])
    # Off by about the tolerance, and a quarter in size: relative to that.
    how = {"args": (tolerance,), "accuracy": 4 * tolerance}
    right = check(f, c, **how, deriv=deriv)
    assert right.verdict == "correct"
    assert tolerance < right.claims[0].resolution < np.sqrt(tolerance)
    for factor in (1.01, -1.0):
        assert check(f, c, **how, deriv=lambda c, t, k=factor: k * deriv(c, t)).verdict == "wrong"


def test_without_accuracy_a_tolerance_in_sight_is_made_smaller():
    c = np.array([0.5, -1.25])
    assert check(fixed_point, c, args=(1e-6,), deriv=of_fixed_point).verdict == "correct"
    for factor in (1 + 1e-6, 1 - 1e-6):
        wrong = check(fixed_point, c, args=(1e-6,), deriv=lambda c, t, k=factor: k * of_fixed_point(c, t))
        assert wrong.verdict == "wrong"
    unknown = check(fixed_point, c, args=(1e-2,), accuracy=1e-2, deriv=of_fixed_point)
    assert unknown.verdict == "unresolved"


def test_accuracy_takes_in_what_is_small_beside_f():
    """The derivative is a third of f's size; an error of 1e-6 leaves a per cent of it."""
    a = np.array([0.5, 0.7, -0.4])

    def ring(a, tolerance=1e-6):
        x = np.zeros(3)
        for _ in range(60):
            last, x = x, np.tanh(a * np.roll(x, 1) + np.array([0.1, 0.2, -0.3]))
            if np.abs(x - last).max() < tolerance:
                break
        return x

    def ring_jac(a):
        x = ring(a, 0.0)
        slope = 1 - x**2
        coupled = np.eye(3) - np.roll(np.diag(np.roll(a * slope, -1)), 1, axis=0)
        return np.linalg.solve(coupled, np.diag(slope * np.roll(x, 1)))

    right = check(ring, a, accuracy=1e-6, jac=ring_jac)
    assert right.verdict == "correct"
    assert 1e-6 < right.claims[0].resolution < 0.01
    assert check(ring, a, accuracy=1e-6, jac=lambda a: 1.05 * ring_jac(a)).verdict == "wrong"


def of_cosine(c):
    """x = c cos x, iterated until it moves by less than a tolerance."""
    x = 0.0
    while True:
        last, x = x, c * math.cos(x)
        if abs(x - last) < 1e-5:
            return x


def of_cosine_deriv(c):
    x = 0.0
    for _ in range(200):
        x = c * math.cos(x)
    return math.cos(x) / (1 + c * math.sin(x))


def integral(c):
    return scipy.integrate.solve_ivp(lambda t, y: -c * y * y, (0, 1), [1.0], rtol=1e-5, atol=1e-13).y[0, -1]


@pytest.mark.parametrize(
    ("f", "deriv", "tolerance"), [(of_cosine, of_cosine_deriv, 1e-5), (integral, lambda c: -1 / (1 + c) ** 2, 1e-5)]
)
def test_a_claim_that_is_off_by_forwards_own_tolerance_is_right_and_says_so(f, deriv, tolerance):
    """A smaller one is tried."""
    result = check(f, 0.5, deriv=deriv)
    assert result.verdict == "correct"
    assert any("stops at a tolerance" in note.text for note in result.notes)
    exact = check(f, 0.5, deriv=deriv, accuracy=tolerance)
    assert exact.verdict == "correct"
    assert not any("stops at a tolerance" in note.text for note in exact.notes)


def test_a_claim_that_is_off_by_more_is_not_said_to_be_off_by_a_tolerance():
    [wrong] = check(integral, 0.5, deriv=lambda c: -1.01 / (1 + c) ** 2).claims
    assert wrong.verdict == "wrong"
    assert "stops at a tolerance" not in {cause.name for cause in wrong.causes}


def test_what_does_not_end_far_from_the_point_is_left():
    """Neither the smallest example nor a cause is looked for where f computes for too long."""

    def endless_at_one(x):
        while x[0] == 1:
            pass
        return x @ x

    x = np.array([1.25, 0.5])
    assert check(endless_at_one, x, grad=lambda x: 2 * x)
    assert check(endless_at_one, x, grad=lambda x: 2.0001 * x).verdict == "wrong"


def test_a_derivative_that_writes_into_its_argument_is_noted():
    def doubled(x):
        x *= 2
        return x

    right = check(lambda x: float(x @ x), np.array([0.5, -1.0]), grad=doubled)
    assert right.verdict == "correct"
    assert any("grad changes x in place" in note.detail for note in right.contract)
    assert check(lambda x: float(x @ x), np.array([0.5, -1.0]), grad=lambda x: 1.5 * doubled(x)).verdict == "wrong"
