"""Random functions of known derivative: compositions of three and more operations at all scales.

One case: a program of 3–6 operations on `u = a·x`, at a point of 10 × 10 entries. |x| and |f| are log-uniform in
1e-12 … 1e12, independently. The operations include cancellation ((v + C) − C with C up to 10^6 |v|; subtraction of a
number that differs by 1e-6 … 0.1), stiffness (tanh(k·v), e^(−k²·v²) with k up to 1e5), waves whose period is near the
estimator's steps (and exactly one of them), kinks next to the point, and operations across a row (softmax, norms,
products of neighbours), naive formulas on purpose. Half of the programs have one or two of these troubles. Values
between operations stay within 1e-6 … 1e6 (median) and 1e8 (largest): programs that leave this are drawn again.
A program is one formula for NumPy and for high precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from truth import Exact, jacobian

Array = np.ndarray[Any, np.dtype[Any]]
ROWS, COLUMNS = 10, 10
Operation = Callable[[Any, Any, Any], Any]  # (functions, running value, u) -> new value


@dataclass(frozen=True)
class Case:
    """A function with its point. `program` names the operations; `mixes`: whether a row's entries interact."""

    program: tuple[str, ...]
    formula: Callable[[Any, Any], Any]
    x: Array
    mixes: bool
    wrt: str = "x"
    domain: tuple[float, float] | None = None

    @property
    def values(self) -> dict[str, Array]:
        """The point."""
        return {"x": self.x}

    def forward(self, values: dict[str, Array]) -> list[Array]:
        """The function under test."""
        return [self.formula(Numpy, values["x"])]

    def truth(self) -> tuple[Array, Array]:
        """Return the dense Jacobian, to twice a double's precision."""
        return jacobian(lambda x: self.formula(Exact, x), self.x, "rows" if self.mixes else "elementwise")


class Numpy:
    """NumPy's functions under the names that a program uses."""

    exp, log, sqrt, sin, cos, tanh, arctan, log1p = (
        np.exp,
        np.log,
        np.sqrt,
        np.sin,
        np.cos,
        np.tanh,
        np.arctan,
        np.log1p,
    )
    abs, maximum, minimum, sum, max = np.abs, np.maximum, np.minimum, np.sum, np.max


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(10 ** rng.uniform(np.log10(low), np.log10(high)))


def plain(rng: np.random.Generator) -> tuple[str, Operation]:
    """Draw one elementary operation."""
    c = _log_uniform(rng, 1e-2, 1e2) * rng.choice([-1, 1])
    d = _log_uniform(rng, 0.3, 3.0)
    return _pick(
        rng,
        {
            "exp": lambda m, v, u: m.exp(v),
            "log": lambda m, v, u: m.log(v),
            "log of square": lambda m, v, u: m.log(v * v + d),
            "sqrt": lambda m, v, u: m.sqrt(v),
            "sin": lambda m, v, u: m.sin(v * d),
            "cos": lambda m, v, u: m.cos(v * d),
            "tanh": lambda m, v, u: m.tanh(v),
            "sigmoid": lambda m, v, u: 1 / (1 + m.exp(-v)),
            "softplus": lambda m, v, u: m.log(1 + m.exp(v)),
            "arctan": lambda m, v, u: m.arctan(v),
            "log1p of square": lambda m, v, u: m.log1p(v * v),
            "square": lambda m, v, u: v * v,
            "cube": lambda m, v, u: v * v * v,
            "reciprocal": lambda m, v, u: d / v,
            "plus constant": lambda m, v, u: v + c,
            "times constant": lambda m, v, u: v * c,
            "times u": lambda m, v, u: v * u,
            "over u": lambda m, v, u: v / u,
            "plus u": lambda m, v, u: v + u * d,
            "minus u": lambda m, v, u: v - u * d,
            "Lorentz": lambda m, v, u: 1 / (d + v * v),
        },
    )


def nasty(rng: np.random.Generator, size: float, unit: float) -> tuple[str, Operation]:
    """Draw cancellation, stiffness, a wave or a kink. `size`: typical |v|; `unit`: one step scale in terms of u."""
    big = size * _log_uniform(rng, 1, 1e6)
    close = size * (1 - _log_uniform(rng, 1e-6, 1e-1))
    k = _log_uniform(rng, 1, 1e5) / size
    amplitude = size * _log_uniform(rng, 1e-6, 1)
    level = int(rng.integers(0, 14))
    period = unit * 2.0**-level * float(rng.choice([1, rng.uniform(0.5, 2)]))
    wave = float(2 * np.pi / period)
    corner = size * _log_uniform(rng, 0.1, 10)
    return _pick(
        rng,
        {
            "up and down": lambda m, v, u: (v + big) - big,
            "close difference": lambda m, v, u: v - close,
            "stiff tanh": lambda m, v, u: v + size * m.tanh((v - size) * k),
            "narrow bell": lambda m, v, u: v + size * m.exp(-((v - size) * k) * ((v - size) * k)),
            "wave": lambda m, v, u: v + amplitude * m.sin(u * wave),
            "pure wave": lambda m, v, u: size * m.cos(u * wave) + amplitude * v / size,
            "corner": lambda m, v, u: m.maximum(v, corner * np.ones(np.shape(v))) + v * 0.5,
            "leaky": lambda m, v, u: v + m.abs(v - corner),
            "clip": lambda m, v, u: m.minimum(v, corner * np.ones(np.shape(v))) + v * 0.5,
        },
    )


def across(rng: np.random.Generator) -> tuple[str, Operation]:
    """Draw an operation across a row."""
    matrix = rng.normal(size=(COLUMNS, COLUMNS))
    return _pick(
        rng,
        {
            "softmax": lambda m, v, u: (
                m.exp(v - m.max(v, axis=-1, keepdims=True))
                / m.sum(m.exp(v - m.max(v, axis=-1, keepdims=True)), axis=-1, keepdims=True)
            ),
            "log softmax": lambda m, v, u: m.log(m.exp(v) / m.sum(m.exp(v), axis=-1, keepdims=True)),
            "normalise": lambda m, v, u: v / m.sqrt(m.sum(v * v, axis=-1, keepdims=True)),
            "centre": lambda m, v, u: v - m.sum(v, axis=-1, keepdims=True) / COLUMNS,
            "matrix": lambda m, v, u: v @ matrix,
        },
    )


def _pick(rng: np.random.Generator, choices: dict[str, Operation]) -> tuple[str, Operation]:
    name = str(rng.choice(list(choices)))
    return name, choices[name]


def draw(rng: np.random.Generator) -> Case:
    """Draw one case; programs that leave the finite numbers, or are constant in float64, are drawn again."""
    while True:
        case = _try(rng)
        if case is not None:
            return case


def _try(rng: np.random.Generator) -> Case | None:
    size_x, size_f = _log_uniform(rng, 1e-12, 1e12), _log_uniform(rng, 1e-12, 1e12)
    x = size_x * rng.uniform(0.5, 2, (ROWS, COLUMNS)) * rng.choice([-1, 1], (ROWS, COLUMNS))
    if rng.random() < 0.5:
        x = np.abs(x)
    a = _log_uniform(rng, 0.03, 30) / size_x
    unit = a * float(np.exp2(np.ceil(np.log2(max(size_x, 1.0 if rng.random() < 0.5 else size_x)))))
    names: list[str] = []
    steps: list[Operation] = []
    mixes = rng.random() < 0.15
    u = a * x
    v: Array = u
    length = int(rng.integers(3, 7))
    trouble = set(rng.choice(length, size=int(rng.choice([0, 1, 2], p=[0.5, 0.4, 0.1])), replace=False).tolist())
    with np.errstate(all="ignore"):
        for i in range(length):
            size = float(np.median(np.abs(v)))
            if not 1e-6 < size < 1e6:
                return None
            if mixes and i == length // 2:
                name, operation = across(rng)
            elif i in trouble:
                name, operation = nasty(rng, size, unit)
            else:
                name, operation = plain(rng)
            names.append(name)
            steps.append(operation)
            v = operation(Numpy, v, u)
            if not np.isfinite(v).all() or np.abs(v).max() > 1e8:
                return None
    size = float(np.median(np.abs(v)))
    if size == 0:
        return None
    factor = size_f / size

    def formula(m: Any, x: Any) -> Any:
        u = x * a
        v = u
        for operation in steps:
            v = operation(m, v, u)
        return v * factor

    return Case(tuple(names), formula, x, mixes)
