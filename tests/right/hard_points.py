"""Right derivatives where measuring is hard: large constants, tiny and huge numbers, kinks, edges, odd arguments."""

import math

import numpy as np

from tests.right.table import at, some

MANY = some(200, 5)
GOAL = some(200)


def offset(x):
    return 1e8 + np.sum(np.sin(x))


def offset_grad(x):
    return np.cos(x)


def far_out(x):
    return np.log1p(x)


def far_out_jac(x):
    return np.diag(1 / (1 + x))


def scales(x):
    """Rows of very different size."""
    return np.array([1e-9, 1.0, 1e7]) * np.tanh(x)


def scales_jvp(x, v):
    return np.array([1e-9, 1.0, 1e7]) * (1 - np.tanh(x) ** 2) * v


def stairs(x):
    """`math.log` of numbers near 1, times 10⁶: long double is refused."""
    x = float(x)
    return 1e6 * math.log(1e6 / (1e6 + math.exp(x))) + 1e6 * math.log(1e6 / (1e6 + math.exp(-x)))


def stairs_grad(x):
    up, down = np.exp(x), np.exp(-x)
    return -1e6 * up / (1e6 + up) + 1e6 * down / (1e6 + down)


def many_kinks(w):
    """Mean |y − Xw| of 200 rows: linear between kinks that are close together."""
    return np.abs(GOAL - MANY @ w).mean()


def many_kinks_grad(w):
    return -MANY.T @ np.sign(GOAL - MANY @ w) / len(GOAL)


def many_hinges(w):
    signs = np.sign(GOAL)
    return np.maximum(0, 1 - signs * (MANY @ w)).mean() + 0.01 * w @ w


def many_hinges_grad(w):
    signs = np.sign(GOAL)
    return -MANY.T @ (signs * (signs * (MANY @ w) < 1)) / len(GOAL) + 0.02 * w


def largest_of_two(x):
    return max(x[0] + 2 * x[1], 2 * x[0] + x[1])


def largest_of_two_grad(x):
    """On the ridge: the gradient of the first."""
    return np.array([1.0, 2.0]) if x[0] + 2 * x[1] >= 2 * x[0] + x[1] else np.array([2.0, 1.0])


def sum_of_roots(x):
    return np.sqrt(x).sum()


def sum_of_roots_grad(x):
    """Infinite at 0, as the derivative is."""
    return 1 / (2 * np.sqrt(x))


def slow_power(x):
    return x**1.1


def slow_power_grad(x):
    return 1.1 * x**0.1


def sum_of_slow_powers(x):
    return np.sum(np.abs(x) ** 1.5)


def sum_of_slow_powers_grad(x):
    return 1.5 * np.sign(x) * np.abs(x) ** 0.5


def flat_bottom(x):
    """Zero with all its derivatives at 0."""
    return np.where(x > 0, np.exp(-1 / np.where(x > 0, x, 1)), 0)


def flat_bottom_jac(x):
    safe = np.where(x > 0, x, 1)
    return np.diag(np.where(x > 0, np.exp(-1 / safe) / safe**2, 0))


def wiggles(x):
    return np.sin(1e4 * x) / 1e4 + x**2


def wiggles_jac(x):
    return np.diag(np.cos(1e4 * x) + 2 * x)


def distance(x):
    return np.linalg.norm(x)


def distance_grad(x):
    """0 at the origin, where every unit vector would do."""
    r = np.linalg.norm(x)
    return x / r if r > 0 else np.zeros_like(x)


def in_single(x):
    """float32 inside of a float64 function."""
    return (x.astype(np.float32) ** 2 * np.float32(0.5)).sum()


def in_single_grad(x):
    return x.astype(np.float32)


def first_argument(w, X, y):
    """Only the weights are differentiated."""
    return 0.5 * np.sum((X @ w - y) ** 2)


def first_argument_grad(w, X, y):
    return X.T @ (X @ w - y)


def elementwise(x):
    return np.exp(np.sin(x))


def elementwise_slope(x):
    return np.cos(x) * np.exp(np.sin(x))


def pair(x):
    return x[0] * x[1], x[0] + x[1] ** 2


def pair_jac(x):
    """Nested lists."""
    return [[x[1], x[0]], [1.0, 2 * x[1]]]


def whole_numbers(n):
    return n * n / 2


def whole_numbers_jac(n):
    return np.diag(n)


def kepler(M, e):
    """The eccentric anomaly, E − e sin E = M, by Newton's method to the last digit."""
    E = M + e * np.sin(M)
    for _ in range(20):
        E = E - (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
    return E


def kepler_vjp(M, e, g):
    """By the implicit function theorem."""
    E = kepler(M, e)
    below = 1 - e * np.cos(E)
    return g / below, np.sum(g * np.sin(E) / below)


def equilibrium(W, b):
    """z = tanh(Wz/2 + b), iterated until it stands still."""
    z = np.zeros_like(b)
    for _ in range(200):
        z = np.tanh(0.2 * W @ z + b)
    return z


def equilibrium_vjp(W, b, g):
    z = equilibrium(W, b)
    slope = 1 - z**2
    u = slope * np.linalg.solve(np.eye(len(b)) - 0.2 * W.T * slope, g)
    return 0.2 * np.outer(u, z), u


def reverse_sums(x):
    """Sums of what comes after, along the batch."""
    return x[::-1].cumsum(axis=0)[::-1]


def reverse_sums_vjp(x, g):
    return g.cumsum(axis=0)


def upper(x):
    return np.triu(np.arange(1.0, 10).reshape(3, 3)) @ x


def upper_vjp(x, g):
    return np.triu(np.arange(1.0, 10).reshape(3, 3)).T @ g


CASES = [
    at(offset, some(4), grad=offset_grad),
    at(far_out, np.array([1e11, 3e-9, 5.0]), jac=far_out_jac),
    at(scales, some(3), jvp=scales_jvp),
    at(stairs, np.array(0.05), grad=stairs_grad),
    at(many_kinks, some(5), grad=many_kinks_grad),
    at(many_hinges, some(5), grad=many_hinges_grad),
    at(largest_of_two, np.ones(2), grad=largest_of_two_grad),
    at(sum_of_roots, np.array([0.0, 1e-12, 4.0]), grad=sum_of_roots_grad),
    at(slow_power, np.array(0.0), grad=slow_power_grad),
    at(
        sum_of_slow_powers,
        np.array([0.0, -1.5, 2.0]),
        grad=sum_of_slow_powers_grad,
        unresolved="without python-flint: quotients of |x|^1.5 approach 0 only as the root of the step does",
    ),
    at(flat_bottom, np.array([-1.0, 0.0, 0.02, 0.5]), jac=flat_bottom_jac),
    at(wiggles, some(3), jac=wiggles_jac),
    at(distance, np.zeros(3), grad=distance_grad),
    at(in_single, some(4), grad=in_single_grad, unresolved="forward is known to the digits of float32 only"),
    at(first_argument, some(3), some(5, 3), some(5), grad=first_argument_grad, gradients=1),
    at(elementwise, some(4), jac=elementwise_slope),
    at(pair, some(2), jac=pair_jac),
    at(whole_numbers, np.array([1, 2, 5]), jac=whole_numbers_jac),
    at(kepler, np.array([0.3, 2.0, 4.5]), 0.6, vjp=kepler_vjp),
    at(equilibrium, some(3, 3), some(3), vjp=equilibrium_vjp),
    at(reverse_sums, some(3, 2), vjp=reverse_sums_vjp),
    at(upper, some(3, 2), vjp=upper_vjp),
]
