"""JAX: custom_vjp, custom_jvp, and functions of its arrays, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from tests.frameworks.rules import ROWS, V, W, X, holds
from tests.frameworks.usual import USUAL, Namespace

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

check = gradcheck.check

ALL = {**ROWS, **USUAL}
XP = Namespace(
    jnp,
    gather=lambda x, i: x[i],
    scattered=lambda n, i, g: jnp.zeros((n, g.shape[1]), g.dtype).at[i].add(g),
    overwritten=lambda n, i, g: jnp.zeros((n, g.shape[1]), g.dtype).at[i].set(g),
    onehot=lambda i, n, like: jnp.eye(n, dtype=like.dtype)[i],
    largest=lambda x: jnp.max(x, -1, keepdims=True),
)


def made(row, vjp):
    f = jax.custom_vjp(lambda *args: row.forward(XP, *args))
    f.defvjp(lambda *args: (row.forward(XP, *args), args), lambda args, g: tuple(vjp(XP, g, *args)))
    return f


of = jnp.array  # float32, as JAX makes them


@pytest.mark.parametrize("name", ALL)
def test_a_right_rule_is_right_and_a_wrong_one_wrong(name):
    holds(ALL[name], made, of, check)
    assert jnp.array(1.0).dtype == "float32"  # what was switched is switched back


@pytest.mark.parametrize("name", ["sin", "product", "softmax", "matmul", "norm"])
def test_jax_says_the_same_of_them(name):
    from jax.test_util import check_grads

    row = ROWS[name]
    args = tuple(jnp.array(one) for one in row.args)
    check_grads(made(row, row.right), args, order=1, modes=("rev",))
    with pytest.raises(AssertionError):
        check_grads(made(row, row.wrong), args, order=1, modes=("rev",))


def test_a_small_mistake_is_seen_in_double_precision():
    row = ROWS["sin"]
    off = made(row, lambda xp, g, x: (g * xp.cos(x) * (1 + 1e-7),))
    assert check(off, jnp.array(X)).verdict == "wrong"


def test_custom_jvp():
    @jax.custom_jvp
    def f(x, v):
        return jnp.sin(x) * v

    def rule(sign, primals, tangents):
        (x, v), (dx, dv) = primals, tangents
        return f(x, v), jnp.cos(x) * v * dx + sign * jnp.sin(x) * dv

    f.defjvp(lambda primals, tangents: rule(1, primals, tangents))
    result = check(f, jnp.array(X), jnp.array(V))
    assert result.verdict == "correct"
    assert {claim.name for claim in result.claims} == {"jvp[x]", "jvp[v]"}
    assert "jax.custom_jvp" in result.reading
    f.defjvp(lambda primals, tangents: rule(-1, primals, tangents))
    wrong = {claim.name: claim.verdict for claim in check(f, jnp.array(X), jnp.array(V)).claims}
    assert wrong == {"jvp[x]": "correct", "jvp[v]": "wrong"}


def test_what_bwd_says_nothing_about_is_held_fixed_and_named():
    @jax.custom_vjp
    def loss(pred, target):
        return jnp.sum((pred - target) ** 2)

    loss.defvjp(lambda p, t: (loss(p, t), (p, t)), lambda kept, g: (2 * g * (kept[0] - kept[1]), None))
    result = check(loss, jnp.array(X), jnp.array(V))
    assert result.verdict == "correct"
    assert [claim.wrt for claim in result.claims] == ["pred"]
    assert "but nothing by target; target held fixed" in result.reading
    assert check(loss, jnp.array(X), jnp.array(V), wrt="target").verdict == "wrong"


def test_a_straight_through_gradient_is_waived_where_the_function_says_so():
    f = jax.custom_vjp(lambda x: jnp.round(x))
    f.defvjp(lambda x: (jnp.round(x), None), lambda _, g: (g,))
    assert check(f, jnp.array(X)).verdict == "wrong"
    f.gradcheck_waivers = {"vjp[x]": "straight-through estimator"}
    assert check(f, jnp.array(X)).verdict == "waived"


def test_static_arguments_and_numbers():
    power = jax.custom_vjp(lambda n, x: x**n, nondiff_argnums=(0,))
    power.defvjp(lambda n, x: (x**n, x), lambda n, x, g: (n * g * x ** (n - 1),))
    assert check(power, 3, jnp.array(X)).verdict == "correct"
    assert check(power, 3, 0.5).verdict == "correct"
    power.defvjp(lambda n, x: (x**n, x), lambda n, x, g: (g * x ** (n - 1),))
    assert check(power, 3, 0.5).verdict == "wrong"


def test_trees_go_in_and_come_out():
    f = jax.custom_vjp(lambda p: {"y": p["x"] @ p["layers"][0], "norm": jnp.sum(p["x"] ** 2)})

    def bwd(factor, p, g):
        x, [w] = p["x"], p["layers"]
        return ({"x": g["y"] @ w.T + 2 * x * g["norm"], "layers": [factor * x.T @ g["y"]]},)

    f.defvjp(lambda p: (f(p), p), lambda p, g: bwd(1, p, g))
    params = {"x": jnp.array(X), "layers": [jnp.array(W)]}
    result = check(f, params)
    assert result.verdict == "correct", result
    assert {claim.wrt for claim in result.claims} == {"p['x']", "p['layers'][0]"}
    f.defvjp(lambda p: (f(p), p), lambda p, g: bwd(2, p, g))
    assert {claim.wrt for claim in check(f, params).claims if claim.verdict == "wrong"} == {"p['layers'][0]"}


def test_functions_of_its_arrays_are_differentiated_by_jax_or_as_somebody_says():
    def f(x):
        return jnp.sum(jnp.sin(x) ** 2)

    x = jnp.array(X)
    assert check(f, x).verdict == "correct"
    assert check(f, x, grad=jax.grad(f), hess=jax.hessian(f)).verdict == "correct"
    assert check(f, x, grad=lambda x: 2 * jnp.sin(x)).verdict == "wrong"
    assert check(jax.value_and_grad(f), x, jac=True).verdict == "correct"
    stopped = check(lambda x: jnp.sum(jax.lax.stop_gradient(jnp.exp(x)) * x), x)
    assert stopped.verdict == "wrong"


def test_keys_of_random_numbers_stay_as_they_are():
    def noisy(key, x):
        return x * jax.random.normal(key, x.shape, dtype=x.dtype)

    for key in (jax.random.key(0), jax.random.PRNGKey(0)):
        assert check(noisy, key, jnp.array(X)).verdict == "correct"


def test_complex_gradients_follow_jax():
    z = jnp.array([1 + 2j, 0.5 - 1j])
    result = check(lambda z: jnp.sum(jnp.abs(z) ** 2 * z.real), z)
    assert result.verdict == "correct"
    assert "JAX's convention" in result.reading
    f = jax.custom_vjp(lambda z: z**2)
    f.defvjp(lambda z: (z**2, z), lambda z, g: (2 * z * g,))
    assert check(f, z).verdict == "correct"
    f.defvjp(lambda z: (z**2, z), lambda z, g: (2 * jnp.conj(z) * g,))
    assert check(f, z).verdict == "wrong"


def test_other_values_while_it_is_differentiated_are_wrong():
    f = jax.custom_vjp(lambda x: x**2)
    f.defvjp(lambda x: (x**3, x), lambda x, g: (2 * x * g,))
    result = check(f, jnp.array(X))
    assert result.verdict == "wrong"
    assert "fwd returns other values than the function" in str(result)


def test_what_cannot_be_asked_is_said():
    f = made(ROWS["sin"], ROWS["sin"].right)
    with pytest.raises(gradcheck.UsageError, match=r"expected the point at which to check .* it is jax.custom_vjp"):
        check(f)
    with pytest.raises(gradcheck.UsageError, match=r"nothing to differentiate by: .* of dtype int32"):
        check(f, jnp.array([1, 2]))
    for forgotten in (jax.custom_vjp(jnp.sin), jax.custom_jvp(jnp.sin)):
        with pytest.raises(gradcheck.UsageError, match="derivative of its own, but none was given"):
            check(forgotten, jnp.array(X))


def test_nothing_of_jax_is_needed_where_it_is_loaded_but_not_used():
    assert check(np.sin, X, deriv=np.cos).verdict == "correct"
