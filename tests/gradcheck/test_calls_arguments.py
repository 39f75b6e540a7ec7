"""The call for library authors: which arguments a derivative is by, and what is held fixed."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import UsageError
from gradcheck.results import ComponentResult

check = gradcheck.check
W = np.array([0.5, -1.0, 2.0])
X = np.array([[1.0, 0.5, -0.25], [0.0, 2.0, 1.0], [-1.5, 0.75, 1.0], [0.5, 0.5, -2.0]])
Y = np.array([1.0, -0.5, 0.25, 2.0])


def judged(result: ComponentResult) -> dict[str, str]:
    """The verdict of every claim, by the variable."""
    return {claim.wrt: claim.verdict for claim in result.claims}


def loss(w, X, y):
    return 0.5 * np.sum((X @ w - y) ** 2)


def loss_grad(w, X, y):
    return X.T @ (X @ w - y)


def with_bias(w, b, X, y):
    return 0.5 * np.sum((X @ w + b - y) ** 2)


def with_bias_grad(w, b, X, y):
    r = X @ w + b - y
    return X.T @ r, r.sum()


def test_a_gradient_of_the_first_arguments_shape_is_by_the_first_alone():
    result = check(loss, W, X, Y, grad=loss_grad)
    assert judged(result) == {"w": "correct"}
    assert result.reading == "grad by w; X, y held fixed"
    assert check(loss, W, X, Y, grad=lambda w, X, y: X.T @ (X @ w)).verdict == "wrong"


@pytest.mark.parametrize("args", [(X, Y), [X, Y]])
def test_args_are_held_fixed(args):
    assert judged(check(loss, W, args=args, grad=loss_grad)) == {"w": "correct"}
    assert check(loss, W, args=args, grad=lambda w, X, y: 2 * loss_grad(w, X, y)).verdict == "wrong"


def test_a_single_argument_need_be_no_tuple():
    assert check(lambda w, X: np.sum((X @ w) ** 2), W, args=X, grad=lambda w, X: 2 * X.T @ (X @ w))
    assert not check(lambda w, X: np.sum((X @ w) ** 2), W, args=X, grad=lambda w, X: X.T @ (X @ w))


def test_as_many_gradients_as_come_back_are_by_the_first_arguments():
    result = check(with_bias, W, 0.5, X, Y, grad=with_bias_grad)
    assert judged(result) == {"w": "correct", "b": "correct"}
    wrong = check(with_bias, W, 0.5, X, Y, grad=lambda *a: (with_bias_grad(*a)[0], with_bias_grad(*a)[1] / 4))
    assert judged(wrong) == {"w": "correct", "b": "wrong"}


def test_gradients_by_name_are_by_what_they_name():
    by_name = check(
        with_bias, W, 0.5, X, Y, grad=lambda *a: dict(zip(("db", "w"), with_bias_grad(*a)[::-1], strict=True))
    )
    assert judged(by_name) == {"w": "correct", "b": "correct"}
    swapped = check(lambda a, b: a * b, 2.0, 3.0, grad=lambda a, b: {"a": a, "b": b})
    assert judged(swapped) == {"a": "wrong", "b": "wrong"}


def test_gradients_by_other_names_could_not_be_asked():
    result = check(lambda a, b: a * b, 2.0, 3.0, grad=lambda a, b: {"first": b, "second": a})
    assert result.verdict == "could not be asked"
    assert (
        result.reason == "expected grad to return a dict with arguments (a, b) for keys, but it has 'first', 'second'"
    )


@pytest.mark.parametrize("wrt", ["w", 1, ("w",), [1], range(1, 2)])
def test_wrt_names_what_is_differentiated(wrt):
    assert judged(check(lambda X, w: np.sum((X @ w) ** 2), X, W, wrt=wrt, grad=lambda X, w: 2 * X.T @ (X @ w))) == {
        "w": "correct"
    }
    assert not check(lambda X, w: np.sum((X @ w) ** 2), X, W, wrt=wrt, grad=lambda X, w: X.T @ (X @ w))


def test_a_gradient_of_another_arguments_shape_says_what_to_do():
    result = check(lambda X, w: np.sum((X @ w) ** 2), X, W, grad=lambda X, w: 2 * X.T @ (X @ w))
    assert result.verdict == "could not be asked"
    assert result.reason.endswith("say wrt='w'")
    two = check(lambda X, w, b: np.sum((X @ w + b) ** 2), X, W, 0.5, grad=lambda X, w, b: (X.T @ (X @ w), X.sum()))
    assert two.reason.endswith("say wrt=('w', 'b')")


def power(w, X, y, kind, n, link, nothing=None, *, scale=1.0):
    assert (kind, nothing) == ("power", None)
    return scale * np.sum(link(X @ w - y) ** n)


def power_grad(w, X, y, kind, n, link, nothing=None, *, scale=1.0):
    return scale * n * X.T @ (X @ w - y) ** (n - 1)


def unchanged(v):
    return v


@pytest.mark.parametrize("as_args", [True, False])
def test_text_functions_none_and_whole_numbers_are_held_fixed(as_args):
    rest = (X, Y, "power", 2, unchanged, None)
    point, args = ((W,), rest) if as_args else ((W, *rest), ())
    right = check(power, *point, args=args, kwargs={"scale": 3.0}, grad=power_grad)
    assert judged(right) == {"w": "correct"}
    assert right.reading == "grad by w; X, y, kind, n, link, nothing, scale held fixed"
    wrong = check(power, *point, args=args, kwargs={"scale": 3.0}, grad=lambda *a, scale: power_grad(*a))
    assert wrong.verdict == "wrong"


def test_whole_numbers_are_differentiated_where_nothing_else_is():
    assert check(lambda n: n * n / 2, np.array([1, 2, 5]), jac=np.diag)
    assert check(lambda n: n * n / 2, 3, deriv=lambda n: n)
    assert not check(lambda n: n * n / 2, 3, deriv=lambda n: 2 * n)


def test_a_list_is_an_array_and_data_in_lists_are_too():
    assert check(lambda x: np.sum(x**2), [0.5, 2.0], grad=lambda x: [2 * x[0], 2 * x[1]])
    assert not check(lambda x: np.sum(x**2), [0.5, 2.0], grad=lambda x: [2 * x[0], x[1]])
    assert check(lambda w, X: np.sum((X @ w) ** 2), W, X.tolist(), grad=lambda w, X: 2 * X.T @ (X @ w))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_stays_one():
    A = np.matrix([[1.0, 2.0], [3.0, 4.0]])
    x = np.matrix([[0.5], [-1.0]])
    assert check(lambda x: (x.T * A * x)[0, 0], x, grad=lambda x: (A + A.T) * x)
    assert not check(lambda x: (x.T * A * x)[0, 0], x, grad=lambda x: 2 * A * x)


def gauss(x, a, m, s):
    return a * np.exp(-0.5 * ((x - m) / s) ** 2)


def gauss_derivatives(x, a, m, s):
    e = np.exp(-0.5 * ((x - m) / s) ** 2)
    return [e, a * e * (x - m) / s**2, a * e * (x - m) ** 2 / s**3]


@pytest.mark.parametrize("form", [list, np.array, lambda d: np.stack(d, axis=1)], ids=["list", "rows", "columns"])
def test_a_jacobian_by_several_numbers_may_be_a_list_or_one_array(form):
    x = np.linspace(-1, 1, 7)
    point = (x, 1.5, 0.25, 0.75)
    right = check(gauss, *point, wrt=range(1, 4), jac=lambda *a: form(gauss_derivatives(*a)))
    assert judged(right) == {"a": "correct", "m": "correct", "s": "correct"}
    wrong = check(
        gauss,
        *point,
        wrt=(1, 2, 3),
        jac=lambda *a: form([d * k for d, k in zip(gauss_derivatives(*a), (1, 1, 1.01), strict=True)]),
    )
    assert judged(wrong) == {"a": "correct", "m": "correct", "s": "wrong"}


def in_polar(r, t):
    return r * math.cos(t), r * math.sin(t)


@pytest.mark.parametrize("form", [list, tuple])
def test_rows_of_numbers_are_a_matrix_with_a_row_for_each_output(form):
    """As many outputs as arguments: two rows of two would as well be a list with the derivatives by each."""

    def rows(r, t):
        return form((form((math.cos(t), -r * math.sin(t))), form((math.sin(t), r * math.cos(t)))))

    right = check(in_polar, 2.0, 0.5, jac=rows)
    assert right.verdict == "correct"
    assert "jac is one matrix: a row for each output" in right.reading
    assert check(in_polar, 2.0, 0.5, jac=lambda r, t: form(map(form, zip(*rows(r, t), strict=True)))).verdict == "wrong"


def test_a_list_of_arrays_has_one_for_each_argument():
    def by_each(r, t):
        return [np.array([math.cos(t), math.sin(t)]), np.array([-r * math.sin(t), r * math.cos(t)])]

    assert check(in_polar, 2.0, 0.5, jac=by_each).verdict == "correct"
    assert check(in_polar, 2.0, 0.5, jac=lambda r, t: list(np.transpose(by_each(r, t)))).verdict == "wrong"


def test_jac_true_takes_value_and_derivatives_from_f():
    assert check(lambda w, X, y: (loss(w, X, y), loss_grad(w, X, y)), W, args=(X, Y), jac=True)
    assert not check(lambda w, X, y: (loss(w, X, y), -loss_grad(w, X, y)), W, args=(X, Y), jac=True)
    both = check(lambda w, b, X, y: (with_bias(w, b, X, y), *with_bias_grad(w, b, X, y)), W, 0.5, X, Y, jac=True)
    assert judged(both) == {"w": "correct", "b": "correct"}
    kernel = check(
        lambda t: (np.exp(-t[0] * X) * t[1], np.stack([-X * np.exp(-t[0] * X) * t[1], np.exp(-t[0] * X)], -1)),
        np.array([0.5, 2.0]),
        jac=True,
    )
    assert kernel.verdict == "correct"


def test_jac_true_leaves_alone_what_is_no_derivative():
    assert check(lambda w: (w @ w, 2 * w, "converged"), W, jac=True)
    assert not check(lambda w: (w @ w, w, "converged"), W, jac=True)
    assert judged(check(lambda w, X: (w @ w, 2 * w, print), W, X, jac=True)) == {"w": "correct"}


def test_a_derivative_that_fails_is_said_to_be_by_the_first_argument():
    assert judged(check(loss, W, X, Y, grad=lambda w, X, y: 1 / 0)) == {"w": "wrong"}
    assert judged(check(loss, W, X, Y, grad=lambda w, X, y: None)) == {"w": "not implemented"}


def test_jac_true_without_a_derivative_says_what_to_do():
    result = check(lambda x: x @ x, W, jac=True)
    assert result.verdict == "could not be asked"
    assert result.reason.startswith("jac=True: expected f to return (value, derivative), but got float64: give the")


# Nested parameters.


class Layer(NamedTuple):
    W: Any
    b: Any


PARAMS = {
    "W1": np.linspace(-1, 1, 6).reshape(3, 2),
    "layers": [{"b": np.array([0.5, -0.25])}, Layer(np.array([[1.0, -0.5], [0.25, 2.0]]), np.array([0.5, 1.0]))],
    "rate": 0.1,
    "name": "net",
}


def net(params, x):
    assert params["name"] == "net"
    h = np.tanh(x @ params["W1"] + params["layers"][0]["b"])
    return 0.5 * np.sum((h @ params["layers"][1].W + params["layers"][1].b) ** 2)


def net_grad(params, x, key="W1", factor=1.0):
    h = np.tanh(x @ params["W1"] + params["layers"][0]["b"])
    out = h @ params["layers"][1].W + params["layers"][1].b
    below = (out @ params["layers"][1].W.T) * (1 - h**2)
    return {key: x.T @ below, "layers": [{"b": factor * below.sum(0)}, Layer(h.T @ out, out.sum(0))]}


NAMES = ("params['W1']", "params['layers'][0]['b']", "params['layers'][1].W", "params['layers'][1].b")


@pytest.mark.parametrize("key", ["W1", "dW1", "W1_grad"])
def test_a_gradient_of_nested_parameters_is_a_tree_of_the_same_form(key):
    assert judged(check(net, PARAMS, X, grad=lambda p, x: net_grad(p, x, key))) == dict.fromkeys(NAMES, "correct")
    wrong = judged(check(net, PARAMS, args=(X,), grad=lambda p, x: net_grad(p, x, key, factor=1.01)))
    assert wrong == {**dict.fromkeys(NAMES, "correct"), NAMES[1]: "wrong"}


def test_what_a_tree_of_gradients_leaves_out_or_has_too_much_is_said():
    result = check(net, PARAMS, X, grad=lambda p, x: net_grad(p, x, "other"))
    assert result.verdict == "not implemented"
    assert judged(result)[NAMES[0]] == "not implemented"
    assert [(one.name, one.reason) for one in result.unjudged] == [
        ("grad: params['other']", "params has no such array")
    ]
    flat = check(net, PARAMS, X, grad=lambda p, x: np.ones(12))
    assert flat.verdict == "wrong"
    assert "expected grad to return a dict like params, but got ndarray" in flat.claims[0].points[0].message


def test_a_list_of_arrays_is_a_tree_for_vjp_and_jvp_too():
    params = [np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.25, 0.5])]

    def affine(params, x):
        return x @ params[0] + params[1]

    x = np.array([[1.0, -1.0], [0.5, 2.0], [3.0, 0.25]])
    assert check(affine, params, args=(x,), vjp=lambda p, x, g: [x.T @ g, g.sum(0)])
    assert not check(affine, params, args=(x,), vjp=lambda p, x, g: [x.T @ g, g.mean(0)])
    by_weight = np.einsum("ni,jk->njik", x, np.eye(2))
    by_bias = np.broadcast_to(np.eye(2), (3, 2, 2))
    assert check(affine, params, args=(x,), jac=lambda p, x: [by_weight, by_bias])
    assert not check(affine, params, args=(x,), jac=lambda p, x: [by_weight[:, ::-1], by_bias])
    assert check(affine, params, args=(x,), jvp=lambda p, x, v: x @ v[0] + v[1])
    assert not check(affine, params, args=(x,), jvp=lambda p, x, v: x @ v[0] - v[1])
    assert check(affine, params, x, vjp=lambda p, x, g: ([x.T @ g, g.sum(0)], g @ p[0].T))
    assert not check(affine, params, x, vjp=lambda p, x, g: ([x.T @ g, g.sum(0)], g @ p[0]))


# Cotangents and tangents beside what is held fixed.


def test_a_cotangent_comes_last_unless_the_names_say_otherwise():
    def f(x, A):
        return A @ x

    assert check(f, W, args=(X,), vjp=lambda x, A, g: A.T @ g)
    assert check(f, W, args=(X,), vjp=lambda x, g, A: A.T @ g)
    assert check(f, W, args=(X,), jvp=lambda x, A, v: A @ v)
    assert check(f, W, args=(X,), jvp=lambda x, v, A: A @ v)
    assert not check(f, W, args=(X,), jvp=lambda x, v, A: A @ v * 1.5)


def test_a_jvp_takes_tangents_of_as_many_arguments_as_its_signature_says():
    def f(x, A):
        return A @ x

    assert judged(check(f, W, X, jvp=lambda x, A, v: A @ v)) == {"x": "correct"}
    assert judged(check(f, W, X, jvp=lambda x, A, v, V: A @ v + V @ x)) == {"x": "correct", "A": "correct"}
    assert judged(check(f, W, X, jvp=lambda x, A, v, V: A @ v - V @ x)) == {"x": "correct", "A": "wrong"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wrt": "v"}, "wrt 'v' is none of the arguments, which are w, X, y"),
        ({"wrt": 3}, "wrt 3 is none of the arguments"),
        ({"wrt": True}, "wrt True is none of the arguments"),
        ({"wrt": ()}, "expected wrt to name an argument, but it is empty"),
        ({"wrt": 2.0}, "wrt 2.0 is none of the arguments"),
        ({"names": ["w", "X"]}, "expected 3 different names"),
        ({"names": ["w", "X", 3]}, "expected 3 different names"),
        ({"kwargs": [1]}, r"expected kwargs to be a dict of keyword arguments by name, but got \[1\]"),
        ({"kwargs": {1: 1}}, r"keyword arguments by name, but got \{1: 1\}"),
    ],
)
def test_arguments_that_are_not_there_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        check(loss, W, X, Y, grad=loss_grad, **options)


def test_an_argument_that_holds_no_numbers_cannot_be_differentiated_by():
    with pytest.raises(UsageError, match="expected wrt to name numbers, but kind is of type str"):
        check(power, W, X, Y, "power", 2, unchanged, wrt="kind", grad=power_grad)


@pytest.mark.parametrize(
    ("grad", "said"),
    [
        (
            lambda w, X: w,
            r"expected grad to be called like f, grad\(w, X, y\), but it takes \(w, X\) \(too many positional",
        ),
        (lambda w, X, y, z: w, r"but it takes \(w, X, y, z\) \(missing a required argument: 'z'\): wrap it"),
    ],
)
def test_a_derivative_of_other_arguments_could_not_be_asked(grad, said):
    result = check(loss, W, X, Y, grad=grad)
    assert result.verdict == "could not be asked"
    assert re.search(said, result.reason)


def test_what_a_keyword_argument_does_to_a_derivative_that_does_not_take_it():
    result = check(lambda x, k=1.0: k * x @ x, W, kwargs={"k": 2.0}, grad=lambda x: 4 * x)
    assert result.verdict == "could not be asked"
    assert "grad(x, k=)" in result.reason
