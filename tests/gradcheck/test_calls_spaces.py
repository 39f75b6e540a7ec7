"""The call for library authors: domains, symmetric matrices, and points of a manifold."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck import UsageError

check = gradcheck.check
B = np.array([[2.0, 0.5, -1.0], [0.25, 3.0, 0.75], [-0.5, 1.0, 2.5]])
S = B @ B.T
inverse = np.linalg.inv


def logdet(S):
    return np.linalg.slogdet(S)[1]


def free_entries(G):
    """The derivative by the n (n + 1)/2 free entries of a symmetric matrix."""
    return G + G.T - np.diag(np.diag(G))


# f of a symmetric matrix, and its gradient with all entries taken as independent.
OF_SYMMETRIC = {
    "logdet": (logdet, lambda S: inverse(S).T),
    "linear": (lambda S: np.trace(B @ S), lambda S: B.T),
    "one entry": (lambda S: S[0, 1] ** 2, lambda S: np.array([[0, 2 * S[0, 1], 0], [0, 0, 0], [0, 0, 0]])),
    "form": (lambda S: B[0] @ inverse(S) @ B[0], lambda S: -np.outer(inverse(S) @ B[0], inverse(S) @ B[0])),
}


@pytest.mark.parametrize("name", OF_SYMMETRIC)
def test_every_usual_gradient_by_a_symmetric_matrix_is_right(name):
    f, grad = OF_SYMMETRIC[name]
    full = check(f, S, symmetric=True, grad=grad)
    assert full.verdict == "correct"
    half = check(f, S, symmetric="S", grad=lambda S: (grad(S) + grad(S).T) / 2)
    assert half.verdict == "correct"
    assert "the gradient by S is symmetric" in half.reading
    free = check(f, S, symmetric=[0], grad=lambda S: free_entries(grad(S)))
    assert free.verdict == "convention"
    assert free.claims[0].reason.startswith("the derivative by the free entries of a symmetric matrix")


@pytest.mark.parametrize("name", OF_SYMMETRIC)
@pytest.mark.parametrize(
    "mistake",
    [
        lambda G: -G,
        lambda G: 1.001 * G,
        lambda G: 2 * (G + G.T),
        lambda G: G * (1 + 0.01 * np.eye(3)),
        lambda G: np.triu(G) + np.triu(G).T,
    ],
    ids=["sign", "scale", "twice the sum", "diagonal", "upper triangle twice"],
)
def test_a_wrong_gradient_by_a_symmetric_matrix_is_wrong(name, mistake):
    f, grad = OF_SYMMETRIC[name]
    claimed = check(f, S, symmetric=True, grad=lambda S: mistake(grad(S)))
    right = np.allclose(*(m + m.T for m in (mistake(grad(S)), grad(S))))
    as_free = np.allclose(mistake(grad(S)), free_entries(grad(S)))
    assert claimed.verdict == ("correct" if right else "convention" if as_free else "wrong")


def test_a_gradient_that_takes_entries_as_independent_is_named():
    result = check(*OF_SYMMETRIC["linear"][:1], S, symmetric=True, grad=OF_SYMMETRIC["linear"][1])
    assert "the gradient by S takes all entries as independent: its symmetric part is judged" in result.reading


def test_without_symmetric_the_entries_are_independent():
    assert check(logdet, S, grad=lambda S: free_entries(inverse(S))).verdict == "wrong"
    assert check(logdet, S, grad=inverse).verdict == "correct"


def test_products_with_a_jacobian_by_a_symmetric_matrix():
    def f(S):
        return inverse((S + S.T) / 2)

    assert check(f, S, symmetric=True, vjp=lambda S, g: -f(S) @ g @ f(S))
    assert not check(f, S, symmetric=True, vjp=lambda S, g: -f(S) @ g)
    assert check(f, S, symmetric=True, jvp=lambda S, v: -f(S) @ v @ f(S))
    assert not check(f, S, symmetric=True, jvp=lambda S, v: f(S) @ v @ f(S))
    # A function that is only defined for symmetric matrices is only asked for such.

    def strict(S):
        assert np.array_equal(S, S.T)
        return np.linalg.eigvalsh(S)

    def by_eigenvalues(S, g):
        _, V = np.linalg.eigh(S)
        return V @ np.diag(g) @ V.T

    assert check(strict, S, symmetric=True, vjp=by_eigenvalues)
    assert not check(strict, S, symmetric=True, vjp=lambda S, g: by_eigenvalues(S, g[::-1]))


def test_a_stack_of_symmetric_matrices_and_others_beside_it():
    stack = np.stack([S, S + np.eye(3)])
    b = np.array([1.0, -2.0, 0.5])

    def f(stack, b):
        return np.sum(np.linalg.slogdet(stack)[1]) + b @ b

    right = check(f, stack, b, symmetric="stack", grad=lambda stack, b: (inverse(stack), 2 * b))
    assert {claim.wrt: claim.verdict for claim in right.claims} == {"stack": "correct", "b": "correct"}
    wrong = check(f, stack, b, symmetric="stack", grad=lambda stack, b: (inverse(stack[::-1]), 2 * b))
    assert wrong.verdict == "wrong"


# Manifolds.


P = np.array([0.2, 0.3, 0.5])
U = np.array([0.6, 0.0, 0.8])
M = B + B.T
Q = np.linalg.qr(B[:, :2])[0]


def on_simplex(x, v):
    return v - v.mean()


def on_sphere(x, v):
    return v - x * (x @ v)


def along_sphere(x, v):
    return (x + v) / np.linalg.norm(x + v)


def on_stiefel(X, V):
    return V - X @ (X.T @ V + V.T @ X) / 2


def along_stiefel(X, V):
    q, r = np.linalg.qr(X + V)
    return q * np.sign(np.diag(r))


def entropy(p):
    assert abs(p.sum() - 1) < 1e-12
    return -np.sum(p * np.log(p))


def rayleigh(u):
    assert abs(u @ u - 1) < 1e-9
    return u @ M @ u


def brockett(X):
    return np.trace(X.T @ M @ X @ np.diag([1.0, 2.0]))


def test_a_gradient_on_the_simplex_is_right_up_to_a_constant():
    for constant in (0.0, -1.0, 7.0):
        assert check(entropy, P, tangent=on_simplex, grad=lambda p, c=constant: c - np.log(p)).verdict == "correct"
    for wrong in (np.log, lambda p: -2 * np.log(p), lambda p: -np.log(p) + p):
        assert check(entropy, P, tangent=on_simplex, grad=wrong).verdict == "wrong"


@pytest.mark.parametrize("retraction", [along_sphere, None])
def test_on_the_sphere_the_euclidean_gradient_and_the_riemannian_one_are_right(retraction):
    f = rayleigh if retraction is not None else lambda u: u @ M @ u
    for grad in (lambda u: 2 * M @ u, lambda u: on_sphere(u, 2 * M @ u), lambda u: 2 * M @ u + 5 * u):
        assert check(f, U, tangent=on_sphere, retraction=retraction, grad=grad).verdict == "correct"
    for grad in (lambda u: M @ u, lambda u: -2 * M @ u, lambda u: 2 * M @ u + 0.01):
        assert check(f, U, tangent=on_sphere, retraction=retraction, grad=grad).verdict == "wrong"


def test_on_the_stiefel_manifold_and_along_tangents():
    N = np.diag([1.0, 2.0])
    how = {"tangent": on_stiefel, "retraction": along_stiefel}
    assert check(brockett, Q, **how, grad=lambda X: 2 * M @ X @ N)
    assert check(brockett, Q, **how, grad=lambda X: on_stiefel(X, 2 * M @ X @ N))
    assert not check(brockett, Q, **how, grad=lambda X: 2 * M @ X)
    assert check(brockett, Q, **how, jvp=lambda X, V: 2 * np.sum(M @ X @ N * V))
    assert not check(brockett, Q, **how, jvp=lambda X, V: np.sum(M @ X @ N * V))


def test_one_of_several_arguments_may_be_on_a_manifold():
    def f(u, a):
        return a * (u @ M @ u)

    right = check(f, U, 2.0, tangent={"u": on_sphere}, grad=lambda u, a: (2 * a * M @ u + 3 * u, u @ M @ u))
    assert right.verdict == "correct"
    assert not check(f, U, 2.0, tangent={0: on_sphere}, grad=lambda u, a: (a * M @ u, u @ M @ u))
    with pytest.raises(
        UsageError, match="tangent= is one function, but several arrays are differentiated: give a dict"
    ):
        check(f, U, 2.0, tangent=on_sphere, grad=lambda u, a: (2 * a * M @ u, u @ M @ u))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tangent": lambda x, v: 2 * v}, "to be a projection, but done twice it gives something else"),
        ({"tangent": lambda x, v: v * (x @ v)}, "to be linear in v"),
        ({"tangent": lambda x, v: v[:2]}, r"to be of the shape of u, \(3,\), but got \(2,\)"),
        ({"tangent": lambda x, v: v - np.array([1.0, 0, 0]) * (x @ v) / x[0]}, "to be an orthogonal projection"),
        ({"tangent": lambda x, v: 1 / 0}, "raised ZeroDivisionError"),
        (
            {"tangent": 3},
            r"expected tangent to be a function of \(x, v\), a list with one for each argument, or a dict",
        ),
        ({"retraction": along_sphere}, "retraction= needs tangent="),
        ({"tangent": on_sphere, "retraction": lambda x, v: v}, r"expected retraction\(x, 0\) to be x"),
        ({"tangent": on_sphere, "retraction": lambda x, v: x + 2 * v}, "to set out from x in the direction v"),
        ({"symmetric": True}, "expected a square matrix among the arguments, but there is none"),
        ({"symmetric": "u"}, "expected u to be a symmetric matrix, or a stack of them"),
        ({"symmetric": "v"}, "symmetric 'v' is none of the arguments, which are u"),
    ],
)
def test_what_is_no_space_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        check(lambda u: u @ M @ u, U, grad=lambda u: 2 * M @ u, **options)


def test_a_matrix_that_is_not_symmetric_is_refused():
    with pytest.raises(UsageError, match="expected S to be a symmetric matrix"):
        check(logdet, B, symmetric=True, grad=inverse)


# Domains.


def test_f_is_never_asked_outside_of_its_domain():
    def f(p):
        assert ((p > 0) & (p < 1)).all()
        return np.sum(np.log(p) + np.log1p(-p))

    near = np.array([1e-3, 0.5, 0.999])
    assert check(f, near, domain=(0, 1), grad=lambda p: 1 / p - 1 / (1 - p))
    assert not check(f, near, domain=(0, 1), grad=lambda p: 1 / p + 1 / (1 - p))


def test_a_domain_may_be_given_for_each_argument_and_for_constants():
    def f(a, x):
        assert a > 0
        return np.sum(np.log(a) * x**2)

    x = np.array([0.5, -2.0])
    for domain in (
        [(0, np.inf), None],
        [(0, None), (None, None)],
        {"a": (0, np.inf)},
        {0: (0, np.inf)},
        [(0, 10), (-3, 3)],
    ):
        right = check(f, 2.0, x, domain=domain, grad=lambda a, x: (np.sum(x**2) / a, 2 * np.log(a) * x))
        assert right.verdict == "correct"
    with pytest.raises(UsageError, match=r"expected x to be inside of its domain \(0.0, 1.0\)"):
        check(f, 2.0, x, domain={"x": (0, 1)}, wrt="a", grad=lambda a, x: np.sum(x**2) / a)
    with pytest.raises(UsageError, match="expected a to be inside of its domain"):
        check(lambda x, a: a * x @ x, x, args=(2.0,), domain={"a": (0, 1)}, grad=lambda x, a: 2 * a * x)


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ((1, 0), r"expected domain to be a pair \(low, high\), a list with one for each argument, or a dict by name"),
        (3, r"expected domain to be a pair \(low, high\)"),
        ("positive", r"expected domain to be a pair \(low, high\)"),
        ({"u": "positive"}, "expected the domain of u to be a pair"),
        ({"v": (0, 1)}, "domain 'v' is none of the arguments, which are u"),
        ((0.7, 1.0), r"expected u to be inside of its domain \(0.7, 1.0\)"),
    ],
)
def test_what_is_no_domain_is_refused(domain, said):
    with pytest.raises(UsageError, match=said):
        check(lambda u: u @ u, U, domain=domain, grad=lambda u: 2 * u)
