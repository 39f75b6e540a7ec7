"""The call for library authors: complex arguments, in JAX's convention, in PyTorch's, and as complex derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck.results import ComponentResult

check = gradcheck.check
Z = np.array([0.5 - 1.0j, 2.0 + 0.25j, -1.5 + 1.0j])
V = np.array([1.0, -0.5, 2.0])
HERMITIAN = np.array([[2.0, 1 - 1j, 0.5], [1 + 1j, 3.0, 1j], [0.5, -1j, 1.0]])


def conventions(result: ComponentResult) -> set[str]:
    """The conventions that the claims follow, by the name before the apostrophe."""
    assert result.verdict == "convention", result
    return {claim.reason.partition("'")[0] for claim in result.claims}


# f, and ∂f/∂x + i·∂f/∂y, which is PyTorch's gradient; JAX's is its conjugate.
REAL = {
    "power": (lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z),
    "cubic": (lambda z: np.sum(np.abs(z) ** 2 * z.real), lambda z: 2 * z * z.real + np.abs(z) ** 2),
    "form": (lambda z: np.vdot(z, HERMITIAN @ z).real, lambda z: 2 * HERMITIAN @ z),
    "part": (lambda z: np.sum(np.exp(z).imag), lambda z: np.conj(-1j * np.exp(z))),
}


@pytest.mark.parametrize("name", REAL)
def test_a_gradient_is_right_in_both_conventions_and_says_which(name):
    f, torch = REAL[name]
    assert conventions(check(f, Z, grad=torch)) == {"PyTorch"}
    assert conventions(check(f, Z, grad=lambda z: np.conj(torch(z)))) == {"JAX"}
    assert conventions(check(lambda z: (f(z), torch(z)), Z, jac=True)) == {"PyTorch"}
    assert conventions(check(f, Z, vjp=lambda z, g: np.conj(torch(z)) * g)) == {"JAX"}


WRONG = {
    "half of it": lambda g: g / 2,
    "its negative": lambda g: -g,
    "times i": lambda g: 1j * g,
    "the real part": lambda g: g.real + 0j,
    "one entry conjugated": lambda g: np.where(np.arange(3) == 1, g, np.conj(g)),
    "off by a thousandth": lambda g: g * 1.001,
}


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize("name", REAL)
def test_a_gradient_that_is_neither_is_wrong(name, mistake):
    f, torch = REAL[name]
    assert check(f, Z, grad=lambda z: WRONG[mistake](torch(z))).verdict == "wrong"


def test_half_of_the_gradient_is_wrong_and_said_to_be_wirtingers():
    f, torch = REAL["cubic"]
    for half in (lambda z: torch(z) / 2, lambda z: np.conj(torch(z)) / 2):
        result = check(f, Z, grad=half)
        assert result.verdict == "wrong"
        assert any("as Wirtinger's ∂f/∂z" in note.text for note in result.notes if note.about == "grad")
    assert not any("Wirtinger" in note.text for note in check(f, Z, grad=torch).notes)
    for nothing in (lambda z: None, lambda z: np.array(["a", "b", "c"]), lambda z: np.ones(2)):
        assert check(f, Z, grad=nothing).verdict in ("not implemented", "wrong")


def test_where_the_gradient_is_real_both_conventions_are_the_same_and_none_is_named():
    assert check(lambda z: z.real.sum(), Z, grad=np.ones_like).verdict == "correct"
    assert check(lambda z: z.real.sum(), Z, grad=lambda z: np.ones(3)).verdict == "correct"
    assert check(lambda z: z.real.sum(), Z, grad=lambda z: 2 * np.ones(3)).verdict == "wrong"


HOLOMORPHIC = {
    "exp": (np.exp, np.exp),
    "square": (lambda z: z**2, lambda z: 2 * z),
    "inverse": (lambda z: 1 / z, lambda z: -1 / z**2),
}


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_a_holomorphic_function_has_a_complex_derivative(name):
    f, df = HOLOMORPHIC[name]
    assert check(f, Z, deriv=df).verdict == "correct"
    assert check(f, Z, jac=lambda z: np.diag(df(z))).verdict == "correct"
    assert check(f, Z, jvp=lambda z, v: df(z) * v).verdict == "correct"
    assert check(lambda z: f(z).sum(), Z, grad=df).verdict == "correct"
    for mistake in (np.conj, lambda d: 1j * d, lambda d: d.real, lambda d: 1.001 * d):
        assert check(f, Z, deriv=lambda z, m=mistake: m(df(z))).verdict == "wrong"
        assert check(f, Z, jac=lambda z, m=mistake: np.diag(m(df(z)))).verdict == "wrong"
        assert check(f, Z, jvp=lambda z, v, m=mistake: m(df(z)) * v).verdict == "wrong"


def test_a_vjp_of_a_complex_function_follows_one_convention_for_what_it_takes_and_gives():
    f, df = HOLOMORPHIC["square"]
    assert conventions(check(f, Z, vjp=lambda z, g: df(z) * g)) == {"JAX"}
    assert conventions(check(f, Z, vjp=lambda z, g: np.conj(df(z)) * g)) == {"PyTorch"}
    assert check(f, Z, vjp=lambda z, g: df(z) * np.conj(g)).verdict == "wrong"
    assert check(f, Z, vjp=lambda z, g: 1j * df(z) * g).verdict == "wrong"


def test_what_is_not_holomorphic_has_no_complex_derivative():
    assert check(np.conj, Z, deriv=np.ones_like).verdict == "wrong"
    assert check(lambda z: z * z.real, Z, jac=lambda z: np.diag(z.real + z)).verdict == "wrong"
    # But it has products: along v, and with a cotangent.
    assert check(np.conj, Z, jvp=lambda z, v: np.conj(v)).verdict == "correct"
    assert check(np.conj, Z, jvp=lambda z, v: v).verdict == "wrong"
    assert check(lambda z: z * z.real, Z, jvp=lambda z, v: v * z.real + z * v.real).verdict == "correct"
    assert check(np.conj, Z, vjp=lambda z, g: np.conj(g))


def test_a_complex_function_of_real_arguments():
    def wave(x):
        return np.exp(1j * x)

    def slope(x):
        return 1j * np.exp(1j * x)

    assert check(wave, V, deriv=slope).verdict == "correct"
    assert check(wave, V, deriv=lambda x: np.conj(slope(x))).verdict == "wrong"
    assert check(wave, V, jac=lambda x: np.diag(slope(x))).verdict == "correct"
    assert check(wave, V, jvp=lambda x, v: slope(x) * v).verdict == "correct"
    assert check(wave, V, vjp=lambda x, g: np.real(slope(x) * g)).verdict == "correct"
    assert check(wave, V, vjp=lambda x, g: np.imag(slope(x) * g)).verdict == "wrong"


def test_real_and_complex_arguments_together():
    def f(z, x):
        return np.sum(np.abs(z) ** 2 * x)

    right = check(f, Z, V, grad=lambda z, x: (2 * np.conj(z) * x, np.abs(z) ** 2))
    assert [claim.wrt for claim in right.claims] == ["z.real", "z.imag", "x"]
    assert right.verdict == "convention"
    assert check(f, Z, V, grad=lambda z, x: (2 * np.conj(z) * x, np.abs(z))).verdict == "wrong"
    nested = check(
        lambda p: np.sum(np.abs(p["z"]) ** 2 * p["x"]),
        {"z": Z, "x": V},
        grad=lambda p: {"z": 2 * p["z"] * p["x"], "x": np.abs(p["z"]) ** 2},
    )
    assert conventions(nested) == {"PyTorch"}


def test_a_complex_number_and_single_precision():
    assert conventions(check(lambda z: abs(z) ** 2, 1 + 2j, grad=lambda z: 2 * z)) == {"PyTorch"}
    narrow = check(lambda z: np.sum(np.abs(z) ** 2), Z.astype(np.complex64), grad=lambda z: 2 * z)
    assert conventions(narrow) == {"PyTorch"}
    assert {point.dtype for claim in narrow.claims for point in claim.points} == {"float32"}
    assert check(lambda z: np.sum(np.abs(z) ** 2), Z.astype(np.complex64), grad=lambda z: 2.01 * z).verdict == "wrong"


def test_a_linear_operator_of_complex_numbers():
    from scipy.sparse.linalg import aslinearoperator

    A = np.array([[1 + 2j, 0.5, -1j], [2.0, 1j, 3 - 1j]])
    assert check(lambda z: A @ z, Z, jac=lambda z: aslinearoperator(A))
    assert not check(lambda z: A @ z, Z, jac=lambda z: aslinearoperator(A.conj()))


@pytest.mark.parametrize("option", [{"domain": (0, 1)}, {"symmetric": "z"}, {"tangent": lambda x, v: v}])
def test_what_is_for_real_arguments_is_refused(option):
    with pytest.raises(
        gradcheck.UsageError, match="domain=, symmetric= and tangent= are for real arrays, but z is complex"
    ):
        check(lambda z: np.sum(np.abs(z)), Z, grad=np.conj, **option)
