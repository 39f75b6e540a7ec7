"""Energies, steps of differential equations, and the functions that optimisers are tried on."""

import numpy as np

from tests.right.table import at, beside, positive, some


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_grad(x):
    g = np.zeros_like(x)
    valley = x[1:] - x[:-1] ** 2
    g[:-1] = -400 * x[:-1] * valley - 2 * (1 - x[:-1])
    g[1:] += 200 * valley
    return g


def rastrigin(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def rastrigin_grad(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


def ackley(x):
    r = np.sqrt(np.mean(x**2))
    return -20 * np.exp(-0.2 * r) - np.exp(np.mean(np.cos(2 * np.pi * x))) + 20 + np.e


def ackley_grad(x):
    r = np.sqrt(np.mean(x**2))
    first = 4 * np.exp(-0.2 * r) * x / (len(x) * r)
    return first + np.exp(np.mean(np.cos(2 * np.pi * x))) * 2 * np.pi * np.sin(2 * np.pi * x) / len(x)


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_grad(p):
    x, y = p
    a, b = x**2 + y - 11, x + y**2 - 7
    return [4 * x * a + 2 * b, 2 * a + 4 * y * b]


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def beale_grad(x, y):
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return (
        2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y**2,
    )


def pendulum_energy(q, p):
    """Two angles of a double pendulum, unit masses and lengths: kinetic (by momenta) and potential."""
    d = q[0] - q[1]
    kinetic = (p[0] ** 2 + 2 * p[1] ** 2 - 2 * p[0] * p[1] * np.cos(d)) / (2 * (1 + np.sin(d) ** 2))
    return kinetic - 9.81 * (2 * np.cos(q[0]) + np.cos(q[1]))


def pendulum_energy_grad(q, p):
    d = q[0] - q[1]
    s, c = np.sin(d), np.cos(d)
    below = 1 + s**2
    above = p[0] ** 2 + 2 * p[1] ** 2 - 2 * p[0] * p[1] * c
    turning = p[0] * p[1] * s / below - above * s * c / below**2
    dq = np.array([turning + 9.81 * 2 * np.sin(q[0]), -turning + 9.81 * np.sin(q[1])])
    dp = np.array([p[0] - p[1] * c, 2 * p[1] - p[0] * c]) / below
    return dq, dp


def lotka_volterra(u):
    x, y = u
    return np.array([1.1 * x - 0.4 * x * y, 0.1 * x * y - 0.4 * y])


def lotka_volterra_jac(u):
    x, y = u
    return np.array([[1.1 - 0.4 * y, -0.4 * x], [0.1 * y, 0.1 * x - 0.4]])


def runge_kutta_step(u, h=0.1):
    k1 = lotka_volterra(u)
    k2 = lotka_volterra(u + h / 2 * k1)
    k3 = lotka_volterra(u + h / 2 * k2)
    k4 = lotka_volterra(u + h * k3)
    return u + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def runge_kutta_step_jac(u, h=0.1):
    """The same step of the variational equation."""
    eye = np.eye(2)
    k1 = lotka_volterra(u)
    k2 = lotka_volterra(u + h / 2 * k1)
    k3 = lotka_volterra(u + h / 2 * k2)
    d1 = lotka_volterra_jac(u)
    d2 = lotka_volterra_jac(u + h / 2 * k1) @ (eye + h / 2 * d1)
    d3 = lotka_volterra_jac(u + h / 2 * k2) @ (eye + h / 2 * d2)
    d4 = lotka_volterra_jac(u + h * k3) @ (eye + h * d3)
    return eye + h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


def leapfrog(q, p, h=0.2):
    """Kick, drift, kick in the potential q⁴/4, five times; both ends go out."""
    for _ in range(5):
        p = p - h / 2 * q**3
        q = q + h * p
        p = p - h / 2 * q**3
    return q, p


def leapfrog_jvp(q, p, dq, dp, h=0.2):
    for _ in range(5):
        p, dp = p - h / 2 * q**3, dp - h / 2 * 3 * q**2 * dq
        q, dq = q + h * p, dq + h * dp
        p, dp = p - h / 2 * q**3, dp - h / 2 * 3 * q**2 * dq
    return dq, dp


def heat_step(u, k=0.2):
    """Explicit, ends held."""
    out = u.copy()
    out[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2])
    return out


def heat_step_vjp(u, g, k=0.2):
    du = g.copy()
    inner = k * g[1:-1]
    du[2:] += inner
    du[:-2] += inner
    du[1:-1] -= 2 * inner
    return du


EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]])


def springs(P):
    """Energy of a network of springs of unit length."""
    length = np.linalg.norm(P[EDGES[:, 0]] - P[EDGES[:, 1]], axis=1)
    return 0.5 * np.sum((length - 1) ** 2)


def springs_grad(P):
    forces = np.zeros_like(P)
    for i, j in EDGES:
        d = P[i] - P[j]
        pull = (1 - 1 / np.linalg.norm(d)) * d
        forces[i] += pull
        forces[j] -= pull
    return forces


def lennard_jones(P):
    i, j = np.triu_indices(len(P), k=1)
    s = 1 / ((P[i] - P[j]) ** 2).sum(axis=1) ** 3
    return 4 * np.sum(s**2 - s)


def lennard_jones_grad(P):
    i, j = np.triu_indices(len(P), k=1)
    d = P[i] - P[j]
    r2 = (d**2).sum(axis=1)
    s = 1 / r2**3
    pair = (-24 * (2 * s**2 - s) / r2)[:, None] * d
    G = np.zeros_like(P)
    np.add.at(G, i, pair)
    np.add.at(G, j, -pair)
    return G


def van_der_waals(v):
    """Pressure of a gas of which there is a mole, at 300 K; one-sided (v > b)."""
    return 8.314 * 300 / (v - 0.03) - 0.36 / v**2


def van_der_waals_derivative(v):
    return -8.314 * 300 / (v - 0.03) ** 2 + 2 * 0.36 / v**3


def horner(c):
    """A polynomial at 0.8 by its coefficients, the highest first."""
    value = 0.0
    for coefficient in c:
        value = value * 0.8 + coefficient
    return value


def horner_grad(c):
    return 0.8 ** np.arange(len(c) - 1, -1, -1)


def heron(a):
    """The square root by ten of Heron's steps."""
    y = (1 + a) / 2
    for _ in range(10):
        y = (y + a / y) / 2
    return y


def heron_jvp(a, v):
    return v / (2 * heron(a))


CASES = [
    at(rosenbrock, some(4), grad=rosenbrock_grad),
    at(rastrigin, some(3), grad=rastrigin_grad),
    at(ackley, some(3), grad=ackley_grad),
    at(himmelblau, some(2), grad=himmelblau_grad),
    at(beale, 0.75, -1.25, grad=beale_grad),
    at(pendulum_energy, some(2), some(2, seed=1), grad=pendulum_energy_grad),
    at(lotka_volterra, positive(2), jac=lotka_volterra_jac),
    at(runge_kutta_step, positive(2), jac=runge_kutta_step_jac),
    at(leapfrog, some(2), some(2, seed=1), jvp=leapfrog_jvp),
    at(heat_step, some(6), vjp=heat_step_vjp),
    at(springs, positive(4, 2), grad=springs_grad),
    at(lennard_jones, 1.5 * np.arange(9.0).reshape(3, 3) ** 0.7, grad=lennard_jones_grad),
    beside(van_der_waals),
    at(horner, some(4), grad=horner_grad),
    at(heron, positive(3), jvp=heron_jvp),
]
