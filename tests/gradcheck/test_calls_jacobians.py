"""The call for library authors: a Jacobian in whatever form it comes, recognised by what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import gradcheck
from gradcheck.adapters.handed import answers

check = gradcheck.check
X = np.array([0.5, -1.0, 2.0])
A = np.array([[1.0, 0.0, -2.0], [0.5, 3.0, 0.0]])


def curved(x):
    return A @ x + (x @ x) * np.array([0.5, -1.0])


def curved_jac(x):
    return A + 2 * np.outer([0.5, -1.0], x)


class Stored:
    """A sparse matrix of somebody's own: it has `toarray`, and its `data` are only the entries that are not 0."""

    def __init__(self, matrix):
        self.matrix = matrix
        self.data = matrix[matrix != 0]
        self.shape = matrix.shape

    def toarray(self):
        return self.matrix

    @property
    def T(self):
        return Stored(self.matrix.T)

    def __matmul__(self, other):
        return self.matrix @ other


class Operator:
    """A linear operator of somebody's own."""

    def __init__(self, matrix, adjoint=None):
        self.matrix, self.shape = matrix, matrix.shape
        self.adjoint = matrix.conj().T if adjoint is None else adjoint

    def matvec(self, v):
        return self.matrix @ v

    def rmatvec(self, u):
        return self.adjoint @ u


FORMS = {
    "array": np.asarray,
    "nested lists": lambda J: J.tolist(),
    "rows in a list": list,
    "matrix": np.matrix,
    "memoryview": memoryview,
    "Fortran order": np.asfortranarray,
    "csr": scipy.sparse.csr_array,
    "coo matrix": scipy.sparse.coo_matrix,
    "dia": scipy.sparse.dia_array,
    "somebody's sparse": Stored,
    "operator": aslinearoperator,
    "somebody's operator": Operator,
    "one more axis": lambda J: [J],
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_jacobian_is_read(form):
    right = check(curved, X, jac=lambda x: form(curved_jac(x)))
    assert right.verdict == "correct", right
    wrong = check(curved, X, jac=lambda x: form(curved_jac(x) + np.array([[0, 0, 0], [0, 1e-3, 0]])))
    assert wrong.verdict == "wrong"
    assert wrong.claims[-1].worst is not None
    assert wrong.claims[-1].worst.index == (1,)


def test_an_operator_makes_two_claims():
    def with_adjoint(adjoint: Any) -> dict[str, str]:
        result = check(curved, X, jac=lambda x: Operator(curved_jac(x), adjoint(curved_jac(x))))
        return {claim.name: claim.verdict for claim in result.claims}

    assert with_adjoint(np.transpose) == {"jac.matvec[x]": "correct", "jac.rmatvec[x]": "correct"}
    assert with_adjoint(lambda J: 2 * J.T) == {"jac.matvec[x]": "correct", "jac.rmatvec[x]": "wrong"}


def test_an_operator_without_an_adjoint_is_judged_by_its_products_and_that_is_said():
    def jac(x):
        return LinearOperator((2, 3), matvec=lambda v: curved_jac(x) @ v)

    result = check(curved, X, jac=jac)
    assert result.verdict == "correct"
    assert [(one.name, one.reason) for one in result.unjudged] == [
        ("jac.rmatvec", "the operator does not implement it")
    ]
    wrong = check(curved, X, jac=lambda x: LinearOperator((2, 3), matvec=lambda v: curved_jac(X) @ v * 1.001))
    assert wrong.verdict == "wrong"


def test_a_large_sparse_jacobian_is_never_written_out(monkeypatch):
    monkeypatch.setattr(answers, "WRITTEN_OUT", 5)
    monkeypatch.setattr(Stored, "toarray", None)
    assert check(curved, X, jac=lambda x: Stored(curved_jac(x)))
    assert not check(curved, X, jac=lambda x: Stored(curved_jac(2 * x)))


@pytest.mark.parametrize("kind", [bool, int, np.int8])
def test_slopes_of_whole_numbers_and_truth_values_are_right_and_noted(kind):
    def relu(x):
        return np.maximum(x, 0)

    x = np.array([-1.0, 2.0, 0.5])
    for keyword, slope in (("deriv", lambda x: (x > 0).astype(kind)), ("jac", lambda x: np.diag(x > 0).astype(kind))):
        right = check(relu, x, **{keyword: slope})
        assert right.verdict == "correct"
        assert "which can hold no other slopes" in " ".join(note.text for note in right.notes if note.about == keyword)
    assert check(relu, x, deriv=lambda x: (x < 0).astype(kind)).verdict == "wrong"
    assert check(relu, x, jac=lambda x: np.diag(x < 1).astype(kind)).verdict == "wrong"
    ptp = check(np.ptp, x, grad=lambda x: (x == x.max()).astype(int) - (x == x.min()).astype(int))
    assert ptp.verdict == "correct"
    assert any("has dtype int64" in note.text for note in ptp.notes)


# Elementwise.


def test_slopes_of_an_elementwise_function_are_read_as_a_diagonal():
    right = check(np.tanh, X, jac=lambda x: 1 - np.tanh(x) ** 2)
    assert right.verdict == "correct"
    assert "jac holds one slope for each entry, f being elementwise" in right.reading
    assert check(np.tanh, X, jac=lambda x: 1 - np.tanh(x)).verdict == "wrong"


@pytest.mark.parametrize("f", [np.cumsum, lambda x: x[::-1] * 2, lambda x: x - x.mean(), lambda x: np.roll(x, 1)])
def test_one_number_for_each_entry_is_no_jacobian_of_anything_else(f):
    result = check(f, np.array([0.5, -1.0, 2.0, 3.0]), jac=np.ones_like)
    assert result.verdict == "wrong"
    assert "expected jac to return a Jacobian of shape (4, 4), but got shape (4,)" in result.claims[0].points[0].message


def test_the_gradient_of_a_scalar_is_a_jacobian():
    assert check(lambda x: x @ x, X, jac=lambda x: 2 * x)
    assert not check(lambda x: x @ x, X, jac=lambda x: x)
    assert check(lambda x: np.array([x @ x]), X, jac=lambda x: 2 * x[None])
    assert check(lambda x: np.array([x @ x]), X, jac=lambda x: 2 * x)


@pytest.mark.parametrize("wrong", [False, True])
def test_deriv_is_elementwise_and_may_be_of_several_arguments(wrong):
    factor = 1.01 if wrong else 1.0
    y = np.array([1.0, 0.25, 3.0])
    assert bool(check(np.sin, X, deriv=lambda x: factor * np.cos(x))) is not wrong
    assert bool(check(np.sin, 0.5, deriv=lambda x: factor * np.cos(x))) is not wrong
    assert bool(check(np.multiply, X, y, deriv=lambda x, y: (y, factor * x))) is not wrong
    assert (
        bool(check(lambda a, x: a * np.exp(x), 2.0, X, deriv=lambda a, x: (factor * np.exp(x), a * np.exp(x))))
        is not wrong
    )


def test_deriv_of_what_is_not_elementwise_is_wrong():
    assert check(np.cumsum, X, deriv=np.ones_like).verdict == "wrong"
    assert (
        "expected deriv to return a slope for each entry"
        in check(np.sin, X, deriv=lambda x: np.diag(np.cos(x))).claims[0].points[0].message
    )
    two = check(lambda x: (x, 2 * x), X, deriv=np.ones_like)
    assert "deriv= is for an elementwise function, which has one output, but f returns 2" in two.reason


# Several outputs.


def pair(x):
    return x[0] * x[1], np.array([x[0] + x[2], x[1] ** 2])


def pair_jac(x):
    return np.array([[x[1], x[0], 0.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 2 * x[1], 0.0]])


def test_a_jacobian_of_several_outputs_is_one_matrix_or_one_for_each():
    assert check(pair, X, jac=lambda x: np.concatenate(pair_jac(x)))
    assert check(pair, X, jac=lambda x: (pair_jac(x)[0][0], pair_jac(x)[1]))
    assert check(pair, X, jac=lambda x: np.concatenate(pair_jac(x)).tolist())
    assert not check(pair, X, jac=lambda x: np.concatenate(pair_jac(x)[::-1]))
    assert not check(pair, X, jac=lambda x: (pair_jac(x)[0][0], -pair_jac(x)[1]))


@pytest.mark.parametrize(
    ("jac", "said"),
    [
        (lambda x: np.ones((3, 2)), r"expected jac to return a Jacobian of shape (2, 3), but got shape (3, 2)"),
        (lambda x: "J", "expected jac to return a Jacobian, but got str"),
        (lambda x: [[1.0], [2.0, 3.0]], "expected jac to return a Jacobian, but got list"),
        (lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_jacobian_is_wrong_and_says_what_came(jac, said):
    result = check(curved, X, jac=jac)
    assert result.verdict == "wrong"
    assert said in result.claims[0].points[0].message


def test_a_jacobian_that_is_not_written_is_not_called_wrong():
    assert check(curved, X, jac=lambda x: None).verdict == "not implemented"
    with pytest.raises(gradcheck.UsageError, match="expected jac to be a function, or True where f returns"):
        check(curved, X, jac=A)
    nothing = check(lambda x: (curved(x), "converged"), X, jac=True)
    assert nothing.verdict == "could not be asked"
    assert "beside its value are no numbers" in nothing.reason
