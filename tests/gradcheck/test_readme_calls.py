"""Every call in the README's table for library authors runs, and is right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize

import gradcheck
from gradcheck.verdicts import PASSING

README = (Path(__file__).parents[2] / "README.md").read_text()
CALLS = re.findall(r"\| `(check\(.*\))` \|", README.partition("## For library authors")[2].partition("\n## ")[0])

rng = np.random.default_rng(0)
A = rng.normal(size=(2, 3))
M = rng.normal(size=(3, 3))


def gauss(t, a, m, s):
    return a * np.exp(-0.5 * ((t - m) / s) ** 2)


def gauss_deriv(t, a, m, s):
    e = np.exp(-0.5 * ((t - m) / s) ** 2)
    return [e, a * e * (t - m) / s**2, a * e * (t - m) ** 2 / s**3]


def solve(c):
    """The root of x³ + x = c."""
    return optimize.brentq(lambda x: x**3 + x - c, -5, 5, xtol=1e-13, rtol=1e-14)


class Layer:
    def __init__(self):
        self.W = M.copy()

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W)

    def backward(self, g):
        z = g * (1 - np.tanh(self.x @ self.W) ** 2)
        self.dW = self.x.T @ z
        return z @ self.W.T


NAMES: dict[str, Any] = {
    "np": np,
    "check": gradcheck.check,
    "rosen": optimize.rosen,
    "rosen_der": optimize.rosen_der,
    "rosen_hess": optimize.rosen_hess,
    "rosen_hess_prod": optimize.rosen_hess_prod,
    "x": np.array([0.5, -1.25, 2.0]),
    "X": rng.normal(size=(5, 3)),
    "y": rng.normal(size=5),
    "w": rng.normal(size=3),
    "A": A,
    "f": lambda x: A @ x,
    "fun": lambda w, X, y: (0.5 * np.sum((X @ w - y) ** 2), X.T @ (X @ w - y)),
    "t": np.linspace(-1, 1, 5),
    "p": np.array([0.25, 0.5, 0.125]),
    "a": 1.5,
    "m": 0.25,
    "s": 0.75,
    "residuals": lambda p, t, y: p[0] * np.exp(-p[1] * t) + p[2] - y,
    "jacobian": lambda p, t, y: np.stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t), np.ones(5)], axis=1),
    "gauss": gauss,
    "gauss_deriv": gauss_deriv,
    "power": lambda x, kind, n, scale=1.0: scale * np.mean(x**n),
    "power_grad": lambda x, kind, n, scale=1.0: scale * n * x ** (n - 1) / x.size,
    "params": {"W": rng.normal(size=(3, 2)), "b": [rng.normal(size=2)]},
    "loss": lambda p, X, y: np.sum((X @ p["W"] + p["b"][0] - y[:, None]) ** 2) / 2,
    "loss_grad": lambda p, X, y: (lambda r: {"W": X.T @ r, "b": [r.sum(0)]})(X @ p["W"] + p["b"][0] - y[:, None]),
    "z": rng.normal(size=3) + 1j * rng.normal(size=3),
    "energy": lambda z: np.sum(np.abs(z) ** 4),
    "energy_grad": lambda z: 4 * np.abs(z) ** 2 * z,
    "S": M @ M.T,
    "logdet": lambda S: np.linalg.slogdet(S)[1],
    "u": np.array([0.6, 0.0, 0.8]),
    "rayleigh": lambda u: u @ M @ u,
    "rayleigh_grad": lambda u: (M + M.T) @ u,
    "project": lambda u, v: v - u * (u @ v),
    "retract": lambda u, v: (u + v) / np.linalg.norm(u + v),
    "entropy": lambda p: -np.sum(p * np.log(p)),
    "entropy_grad": lambda p: -np.log(p) - 1,
    "c": 2.5,
    "root": solve,
    "root_deriv": lambda c: 1 / (3 * solve(c) ** 2 + 1),
    "layer": Layer(),
}


def test_the_table_is_there() -> None:
    assert len(CALLS) == 16


@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_the_readme_is_right(call: str) -> None:
    result = eval(call, dict(NAMES))
    assert result.verdict in PASSING, result
    assert all(claim.points for claim in result.claims)
