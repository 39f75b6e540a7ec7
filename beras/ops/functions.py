"""Functions of each entry: the rule beside the operation. `g` is the upstream gradient, `z` the result."""

from __future__ import annotations

from typing import Any

import numpy as np

from beras.arrays import Array
from beras.normal import density, distribution
from beras.ops.operation import Operation, evaluate
from beras.stable import sigmoid, sigmoid_slope, tanh_slope


class Exp(Operation):
    """`exp(x)`."""

    def forward(self, x: Array) -> Array:
        return np.exp(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * z


class Expm1(Operation):
    """`exp(x) − 1`."""

    def forward(self, x: Array) -> Array:
        return np.expm1(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * np.exp(x)  # z + 1 would cancel


class Log(Operation):
    """`log(x)`, x > 0."""

    input_domains = {"x": (0.0, np.inf)}  # noqa: RUF012 -- read by name, never written

    def forward(self, x: Array) -> Array:
        return np.log(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g / x


class Log1p(Operation):
    """`log(1 + x)`, x > −1."""

    input_domains = {"x": (-1.0, np.inf)}  # noqa: RUF012 -- read by name, never written

    def forward(self, x: Array) -> Array:
        return np.log1p(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g / np.add(1, x)


class Sqrt(Operation):
    """`√x`, x > 0."""

    input_domains = {"x": (0.0, np.inf)}  # noqa: RUF012 -- read by name, never written

    def forward(self, x: Array) -> Array:
        return np.sqrt(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g / np.multiply(2, z)


class Sin(Operation):
    """`sin(x)`."""

    def forward(self, x: Array) -> Array:
        return np.sin(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * np.cos(x)


class Cos(Operation):
    """`cos(x)`."""

    def forward(self, x: Array) -> Array:
        return np.cos(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return -g * np.sin(x)


class Tanh(Operation):
    """`tanh(x)`."""

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        product: Array = g * slope_of_tanh(x)
        return product


class Sigmoid(Operation):
    """`1 / (1 + exp(−x))`, without overflow."""

    def forward(self, x: Array) -> Array:
        return sigmoid(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        product: Array = g * slope_of_sigmoid(x)
        return product


class NormalDistribution(Operation):
    """`Φ(x)`, the share of the standard normal distribution below `x`; of float16, computed in float32."""

    def forward(self, x: Array) -> Array:
        wide = x.astype(np.promote_types(x.dtype, np.float32), copy=False)
        return distribution(wide).astype(x.dtype, copy=False)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * density(x)


def slope_of_sigmoid(x: Array) -> Any:
    """Return the derivative of the sigmoid at each entry.

    On a tape as a product that is smooth at 0 too, so that it has derivatives of any order.
    """
    if type(x) is np.ndarray:
        return sigmoid_slope(x)
    return evaluate(Sigmoid(), x) * evaluate(Sigmoid(), -x)


def slope_of_tanh(x: Array) -> Any:
    """Return the derivative of the hyperbolic tangent at each entry."""
    return tanh_slope(x) if type(x) is np.ndarray else 4 * slope_of_sigmoid(2 * x)


class Absolute(Operation):
    """`|x|`; the derivative at 0 is 0."""

    def forward(self, x: Array) -> Array:
        return np.absolute(x)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * np.sign(x)


class Maximum(Operation):
    """The larger of `x` and `y`, broadcast; of equal ones, `x` is taken."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.maximum(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * np.greater_equal(x, y)

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * np.less(x, y)


class Minimum(Operation):
    """The smaller of `x` and `y`, broadcast; of equal ones, `x` is taken."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.minimum(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * np.less_equal(x, y)

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return g * np.greater(x, y)


class LogAddExp(Operation):
    """`log(exp(x) + exp(y))`, broadcast, without overflow."""

    def forward(self, x: Array, y: Array) -> Array:
        return np.logaddexp(x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        share: Array = np.exp(x - z)
        return g * share

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        share: Array = np.exp(y - z)
        return g * share


class Clip(Operation):
    """`x` kept within `[low, high]`, either of which may be `None`; the derivative at a bound is 1."""

    def __init__(self, low: Any = -1.0, high: Any = 1.0) -> None:
        self.low, self.high = (np.array(b) if isinstance(b, (np.ndarray, list)) else b for b in (low, high))

    def forward(self, x: Array) -> Array:
        return np.clip(x, self.low, self.high)

    def by_x(self, g: Array, z: Array, x: Array) -> Array:
        return g * np.equal(x, z)


class Where(Operation):
    """`x` where the condition holds, `y` elsewhere, broadcast; the condition is a constant."""

    def __init__(self, condition: Any = True) -> None:
        self.condition = np.array(condition, dtype=bool)

    def forward(self, x: Array, y: Array) -> Array:
        return np.where(self.condition, x, y)

    def by_x(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return np.where(self.condition, g, 0)

    def by_y(self, g: Array, z: Array, x: Array, y: Array) -> Array:
        return np.where(self.condition, 0, g)

    @classmethod
    def gradcheck_example(cls) -> tuple[Where, list[Array]]:
        """A mixed condition, and both branches broadcast."""
        random = np.random.default_rng(0)
        return cls([True, False, True]), [random.normal(size=(4, 3)), random.normal(size=(4, 1))]
