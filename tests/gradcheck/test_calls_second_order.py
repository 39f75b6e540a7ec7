"""The call for library authors: second derivatives, against the Jacobian of the gradient."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import aslinearoperator

import gradcheck
from gradcheck import UsageError
from gradcheck.results import ComponentResult

check = gradcheck.check
X = np.array([0.5, -1.0, 2.0])
A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -0.5], [0.0, -0.5, 1.0]])


def f(x):
    return 0.5 * x @ A @ x + np.sum(x**4) / 4


def grad(x):
    return A @ x + x**3


def hess(x):
    return A + np.diag(3 * x**2)


def hessp(x, p):
    return A @ p + 3 * x**2 * p


def judged(result: ComponentResult) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def broken(result: ComponentResult) -> dict[str, str]:
    return {item.name: item.detail for item in result.contract if item.verdict == "broken"}


def test_hessian_and_products_are_held_against_the_claimed_gradient():
    result = check(f, X, grad=grad, hess=hess, hessp=hessp)
    assert judged(result) == {"grad[x]": "correct", "hess[x]": "correct", "hessp[x]": "correct"}
    assert result.reading == "grad by x; hess by x; hessp by x; the gradient is the one that was claimed"
    assert next(item.verdict for item in result.contract if item.name == "Hessians are symmetric") == "kept"


@pytest.mark.parametrize(
    "form",
    [np.asarray, np.ndarray.tolist, scipy.sparse.csr_array, aslinearoperator],
    ids=["array", "lists", "csr", "operator"],
)
def test_a_hessian_comes_in_every_form_that_a_jacobian_has(form):
    assert check(f, X, grad=grad, hess=lambda x: form(hess(x)))
    assert not check(f, X, grad=grad, hess=lambda x: form(hess(x) + np.diag([0, 1e-3, 0])))


@pytest.mark.parametrize(
    "mistake",
    [lambda H: -H, lambda H: 1.001 * H, np.diag, lambda H: np.diag(np.diag(H)), lambda H: np.tril(H), lambda H: H[:2]],
    ids=["sign", "scale", "diagonal alone", "diagonal", "triangle", "shape"],
)
def test_a_wrong_hessian_is_wrong(mistake):
    result = check(f, X, grad=grad, hess=lambda x: mistake(hess(x)))
    assert judged(result) == {"grad[x]": "correct", "hess[x]": "wrong"}


def test_a_hessian_has_to_be_symmetric_and_its_products_linear():
    bent = check(f, X, grad=grad, hess=lambda x: np.tril(hess(x)))
    assert "hess is not symmetric: v · H u = " in broken(bent)["Hessians are symmetric"]
    curved = check(f, X, grad=grad, hessp=lambda x, p: hessp(x, p) + p**2)
    assert broken(curved)["vector-Jacobian products are linear"] == "hessp[x] is not linear in the upstream gradient"
    assert curved.verdict == "wrong"


@pytest.mark.parametrize("mistake", [lambda x, p: -hessp(x, p), lambda x, p: A @ p, lambda x, p: hessp(x, p)[::-1]])
def test_a_wrong_product_is_wrong(mistake):
    assert judged(check(f, X, grad=grad, hessp=mistake)) == {"grad[x]": "correct", "hessp[x]": "wrong"}


def test_without_a_gradient_or_with_a_wrong_one_it_is_measured():
    alone = check(f, X, hess=hess)
    assert judged(alone) == {"hess[x]": "correct"}
    assert "the gradient is measured" in alone.reading
    assert judged(check(f, X, hess=lambda x: 1.001 * hess(x))) == {"hess[x]": "wrong"}
    assert judged(check(f, X, hessp=hessp)) == {"hessp[x]": "correct"}
    # A right Hessian beside a wrong gradient, and a Hessian that fits the wrong gradient only.
    assert judged(check(f, X, grad=lambda x: 2 * grad(x), hess=hess)) == {"grad[x]": "wrong", "hess[x]": "correct"}
    assert judged(check(f, X, grad=lambda x: 2 * grad(x), hess=lambda x: 2 * hess(x)))["hess[x]"] == "wrong"


def test_order_2_holds_the_jacobian_of_the_gradient_against_f_itself():
    assert judged(check(f, X, grad=grad, order=2)) == {"grad[x]": "correct", "Jacobian of grad[x]": "correct"}
    # Right at the point, and nowhere else.
    frozen = check(f, X, grad=lambda x: grad(X) + 0 * x, order=2)
    assert judged(frozen) == {"grad[x]": "correct", "Jacobian of grad[x]": "wrong"}
    turned = check(f, X, grad=lambda x: grad(X) + np.tril(hess(X)) @ (x - X), order=2)
    assert judged(turned) == {"grad[x]": "correct", "Jacobian of grad[x]": "wrong"}
    assert judged(check(f, X, grad=grad, hess=hess, order=2))["hess[x]"] == "correct"


def test_value_gradient_and_hessian_as_scipy_takes_them():
    def with_data(x, M, c):
        return 0.5 * c * x @ M @ x, c * M @ x

    right = check(with_data, X, args=(A, 2.0), jac=True, hess=lambda x, M, c: c * M, hessp=lambda x, p, M, c: c * M @ p)
    assert judged(right) == {"jac[x]": "correct", "hess[x]": "correct", "hessp[x]": "correct"}
    named = check(with_data, X, args=(A, 2.0), jac=True, hessp=lambda x, M, c, p: c * M @ p)
    assert judged(named) == {"jac[x]": "correct", "hessp[x]": "correct"}
    assert not check(with_data, X, args=(A, 2.0), jac=True, hess=lambda x, M, c: M)


def test_a_number_and_a_matrix_have_second_derivatives_too():
    assert check(np.sin, 0.5, deriv=np.cos, hess=lambda x: -np.sin(x))
    assert not check(np.sin, 0.5, deriv=np.cos, hess=np.sin)

    def of_matrix(W):
        return np.sum(W**3)

    W = np.array([[1.0, -0.5], [0.25, 2.0]])
    assert check(of_matrix, W, grad=lambda W: 3 * W**2, hess=lambda W: np.diag((6 * W).ravel()).reshape(2, 2, 2, 2))
    assert check(of_matrix, W, grad=lambda W: 3 * W**2, hess=lambda W: np.diag((6 * W).ravel()))
    assert not check(of_matrix, W, grad=lambda W: 3 * W**2, hessp=lambda W, P: 6 * W.T * P)


def test_the_calls_of_both_orders_are_counted():
    calls = dict(check(f, X, grad=grad, hess=hess).calls)
    assert calls["steps"] > 0
    assert calls["gradient, steps"] > 0


@pytest.mark.parametrize(
    ("point", "options", "said"),
    [
        ((X,), {"hess": 3}, "expected hess to be a function, but got int: pass it uncalled"),
        ((X,), {"hess": A}, "expected hess to be a function, but got ndarray"),
        ((X,), {"hessp": A}, "expected hessp to be a function, but got ndarray"),
        ((X,), {"grad": grad, "order": 3}, "expected order to be 1, or 2 for second derivatives as well, but got 3"),
        ((X,), {"grad": grad, "order": True}, "expected order to be 1"),
        ((X,), {"order": 2}, "order=2 is about the Jacobian of a gradient that is claimed: give it as grad="),
        ((X + 1j,), {"hess": hess}, "second derivatives are by one real array, but x is complex"),
        (({"w": X},), {"hess": hess}, "second derivatives are by one real array, but x is several arrays"),
        ((A,), {"hess": hess, "symmetric": True}, "second derivatives are by free entries: leave out symmetric="),
    ],
)
def test_what_has_no_second_derivatives_is_refused(point, options, said):
    with pytest.raises(UsageError, match=said):
        check(f, *point, **options)


def test_a_function_of_several_numbers_has_no_hessian():
    result = check(np.sin, X, hess=hess)
    assert result.verdict == "could not be asked"
    assert result.reason == "a Hessian is that of a function with one number for its output, but f returns (3,)"
    unknown = check(lambda x: np.sum(np.sqrt(x)), X, hess=hess)
    assert unknown.verdict == "could not be asked"
