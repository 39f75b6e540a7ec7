"""The arena's subjects: gradients that gradient checkers are known to misjudge.

A `Case` writes forward and its hand-derived vector-Jacobian product once, in the array functions that NumPy,
PyTorch, JAX and autograd share (`xp`); the tools wrap that in their own idiom: a function with `vjp=` for gradcheck,
`torch.autograd.Function`, `jax.custom_vjp`, autograd's `primitive` and `defvjp`. Where a subject is naturally
something else for a tool (a module whose weights are not arguments, a layer that draws its own mask), the case
says so with `layer`, `parameters` or `own`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One subject. `about`: what it is about. `wrong`: whether its gradient is.

    `forward(xp, *args)` returns an array or a tuple; `backward(xp, args, cotangents)` one gradient per argument.
    `layer`: a class for gradcheck, which then chooses its points itself. `parameters`: how many of the last
    arguments are a PyTorch module's parameters, which are no arguments of its call. `refused`: what a tool's
    own design rules out, with the reason.
    """

    name: str
    about: str
    wrong: bool
    args: tuple[Any, ...]
    forward: Function
    backward: Function
    layer: type | None = None
    parameters: int = 0
    detached: bool = False
    random: bool = False
    refused: dict[str, str] = field(default_factory=dict)


CASES: list[Case] = []
X = np.array([0.5, -1.25, 2.0, 0.75])


def case(*args: Any, wrong: bool, **options: Any) -> Callable[[type], type]:
    """Turn a class with a docstring, `forward` and `backward` into a case."""

    def add(cls: type) -> type:
        about = " ".join((cls.__doc__ or "").split())
        name = cls.__name__.replace("_", " ").strip()
        CASES.append(Case(name, about, wrong, args, vars(cls)["forward"], vars(cls)["backward"], **options))
        return cls

    return add


def float32(xp: Any, array: Any) -> Any:
    """Round an array of any of the libraries to float32."""
    return array.float() if hasattr(array, "float") else array.astype(np.float32)


def like(xp: Any, array: Any, x: Any) -> Any:
    """Return a NumPy array as one that multiplies with `x` of any of the libraries, in its dtype."""
    return xp.asarray(array, dtype=x.dtype) if hasattr(x, "detach") else np.asarray(array, dtype=x.dtype)


def changed_in_place(g: Any, factor: float) -> Any:
    """Multiply in place where the library has arrays that allow it."""
    g *= factor
    return g


# Wrong gradients


@case(X, wrong=True)
class scale_off_by_a_thousandth:
    """The gradient of 3·sin x is 0.09 % too large: inside a relative tolerance of 1e-3."""

    def forward(xp, x):
        return 3 * xp.sin(x)

    def backward(xp, args, g):
        return (1.0009 * 3 * xp.cos(args[0]) * g[0],)


@case(np.array([0.5, 1.5, 2.0, 0.75]), wrong=True)
class epsilon_forgotten_in_log:
    """log(x + 1e-4) with the derivative 1/x: off by 1e-4 of itself at x near 1."""

    def forward(xp, x):
        return xp.log(x + 1e-4)

    def backward(xp, args, g):
        return (g[0] / args[0],)


@case(np.array([[0.5, -1.25, 2.0, 0.75], [1.5, 0.25, -0.5, 1.0]]), wrong=True)
class LayerNorm_backward_without_epsilon:
    """LayerNorm divides by √(variance + 1e-5), its backward by √variance: off by 1e-5 where the variance is near 1."""

    def forward(xp, x):
        d = x - xp.mean(x, axis=1).reshape(-1, 1)
        return d / xp.sqrt(xp.mean(d * d, axis=1).reshape(-1, 1) + 1e-5)

    def backward(xp, args, g):
        (x,) = args
        d = x - xp.mean(x, axis=1).reshape(-1, 1)
        s = xp.sqrt(xp.mean(d * d, axis=1).reshape(-1, 1))
        y = d / s
        mean = xp.mean(g[0], axis=1).reshape(-1, 1)
        return ((g[0] - mean - y * xp.mean(g[0] * y, axis=1).reshape(-1, 1)) / s,)


@case(X, wrong=True)
class sign_flipped_in_a_small_penalty:
    """A weight penalty 1e-6·Σx² with its gradient's sign flipped: smaller than an absolute tolerance of 1e-5."""

    def forward(xp, x):
        return 1e-6 * xp.sum(x * x)

    def backward(xp, args, g):
        return (-2e-6 * args[0] * g[0],)


@case(X, wrong=True)
class zero_gradient_of_a_mean:
    """Σ sin(x) / 200,000, a mean over a large set, with the gradient 0: below every absolute tolerance."""

    def forward(xp, x):
        return xp.sum(xp.sin(x)) / 2e5

    def backward(xp, args, g):
        return (0 * args[0] * g[0],)


@case(np.array([7.0, -7.25, 7.5]), wrong=True)
class sign_of_tanh_in_saturation:
    """tanh′(7) = 3.3e-6 with the wrong sign: checked where it is saturated, any sign passes."""

    def forward(xp, x):
        return xp.tanh(x)

    def backward(xp, args, g):
        y = xp.tanh(args[0])
        return ((y * y - 1) * g[0],)


class LeakySlopeLayer:
    """LeakyReLU whose backward uses the slope 0.1 for a forward with 0.01."""

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.01 * x)

    def backward(self, dy):
        return np.where(self.x > 0, dy, 0.1 * dy)


@case(np.array([0.5, 1.25, 2.0, 0.75]), wrong=True, layer=LeakySlopeLayer)
class leaky_slope_unseen_by_positive_inputs:
    """A wrong negative slope, tried on uniform random numbers: all positive. gradcheck gets the layer, and chooses."""

    def forward(xp, x):
        return xp.where(x > 0, x, 0.01 * x)

    def backward(xp, args, g):
        return (xp.where(args[0] > 0, g[0], 0.1 * g[0]),)


THOUSAND = np.linspace(-2, 2, 1000)


@case(THOUSAND, wrong=True)
class one_flipped_entry_among_1000:
    """x² on 1000 entries, the sign of one gradient entry (of 0.004) flipped: a projection hardly sees one in 1000."""

    def forward(xp, x):
        return x * x

    def backward(xp, args, g):
        (x,) = args
        return (2 * x * g[0] * xp.where((x > 0) & (x < 0.003), -1.0 * (x * 0 + 1), x * 0 + 1),)


@case(THOUSAND + 3.0, wrong=True)
class one_per_cent_up_and_down:
    """The gradient's entries are 1 % too large and too small in turn: a projection averages that away."""

    def forward(xp, x):
        return x * x * x / 3

    def backward(xp, args, g):
        x = args[0]
        return (x * x * like(xp, 1 + 0.01 * (-1.0) ** np.arange(1000), x) * g[0],)


WEIGHT = np.array([[0.5, -1.0, 0.25], [2.0, 0.75, -0.5], [1.0, 0.25, 1.5], [-0.75, 1.25, 0.5]])
BATCH = np.array([[0.5, -1.25, 2.0, 0.75], [1.5, 0.25, -0.5, 1.0]])


class GarbageLayer:
    """A linear layer, right by its input, with garbage left as its weight's gradient."""

    def __init__(self):
        self.w = WEIGHT.copy()

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dy):
        self.dw = 0 * self.w + 42.0
        return dy @ self.w.T


@case(BATCH, WEIGHT, wrong=True, parameters=1)
class garbage_in_a_weight_gradient:
    """A linear layer whose weight gradient is 42 everywhere: seen only by who asks for more than the inputs."""

    def forward(xp, x, w):
        return x @ w

    def backward(xp, args, g):
        return g[0] @ args[1].T, 0 * args[1] + 42.0


@case(X, wrong=True, detached=True)
class one_output_detached:
    """Two outputs, sin x and cos x; the second was cut off from the graph, so its gradient is missing."""

    def forward(xp, x):
        return xp.sin(x), xp.cos(x)

    def backward(xp, args, g):
        return (xp.cos(args[0]) * g[0],)


@case(X, wrong=True, refused={"JAX": "its arrays cannot be changed"})
class upstream_changed_in_place:
    """backward doubles the upstream array in place before it uses half of it: right once, wrong for the next layer."""

    def forward(xp, x):
        return xp.sin(x)

    def backward(xp, args, g):
        return (xp.cos(args[0]) * changed_in_place(g[0], 2.0) * 0.5,)


@case(X, wrong=True)
class float32_gradient_for_float64:
    """The gradient is computed in float32 although everything is float64: half of the digits are gone."""

    def forward(xp, x):
        return xp.sin(x)

    def backward(xp, args, g):
        return (float32(xp, xp.cos(args[0]) * g[0]),)


@case(X, wrong=True)
class missing_Jacobian_row:
    """The last of several outputs depends on x by 1e-6·x only, and its Jacobian row was left out."""

    def forward(xp, x):
        return xp.sin(x), 1e-6 * xp.sum(x)

    def backward(xp, args, g):
        return (xp.cos(args[0]) * g[0],)


@case(np.array([0.0, 1.0, 2.0]), wrong=True)
class NaN_equal_to_NaN:
    """x·√x has the derivative 0 at 0 (from the right: it is not defined on the left); the claim there is 0/0."""

    def forward(xp, x):
        return x * xp.sqrt(x)

    def backward(xp, args, g):
        (x,) = args
        return ((xp.sqrt(x) + 0.5 * x / xp.sqrt(x)) * g[0],)


@case(X, wrong=True)
class gradient_clipped_inside_backward:
    """backward clips the upstream gradient to ±1: not seen by who asks with ones and unit vectors only."""

    def forward(xp, x):
        return 3 * xp.sin(x)

    def backward(xp, args, g):
        one = 0 * g[0] + 1
        clipped = xp.where(g[0] > 1, one, xp.where(g[0] < -1, -one, g[0]))
        return (3 * xp.cos(args[0]) * clipped,)


@case(np.array([1e-4, 2e-4, -1e-4]), wrong=True)
class missing_term_of_a_small_input:
    """(1 + x)³ with the derivative 3(1 + 2x): the term 3x² is missing, and at x = 1e-4 it is 3e-8."""

    def forward(xp, x):
        return (1 + x) ** 3

    def backward(xp, args, g):
        return (3 * (1 + 2 * args[0]) * g[0],)


# Right gradients


@case(X, wrong=False)
class offset_of_1e8:
    """x + 1e8: the difference of two outputs of 1e8 keeps 8 of 16 digits."""

    def forward(xp, x):
        return x + 1e8

    def backward(xp, args, g):
        return (1.0 * g[0],)


@case(np.array([1e11, -2e11, 1.5e11]), wrong=False)
class inputs_of_1e11:
    """x² / 1e11 at |x| = 1e11: a step of 1e-6 is less than the distance to the next number."""

    def forward(xp, x):
        return x * x / 1e11

    def backward(xp, args, g):
        return (2 * args[0] / 1e11 * g[0],)


@case(np.array([5e-7, 6e-7]), wrong=False)
class log_at_5e_minus_7:
    """log x at 5e-7: a step of 1e-6 leaves the domain."""

    def forward(xp, x):
        return xp.log(x)

    def backward(xp, args, g):
        return (g[0] / args[0],)


@case(np.array([2e-5, -3e-5]), wrong=False)
class reciprocal_at_2e_minus_5:
    """1/x at 2e-5: over a step of 1e-6 the curvature counts."""

    def forward(xp, x):
        return 1 / x

    def backward(xp, args, g):
        return (-g[0] / (args[0] * args[0]),)


@case(BATCH.astype(np.float32), WEIGHT.astype(np.float32), wrong=False)
class linear_layer_in_float32:
    """x · w in float32, as most networks compute: a step of 1e-6 is eight units in the last place of 1."""

    def forward(xp, x, w):
        return x @ w

    def backward(xp, args, g):
        return g[0] @ args[1].T, args[0].T @ g[0]


@case(np.array([0.0, 1.0, -1.0]), wrong=False)
class ReLU_at_zero:
    """ReLU with the gradient 0 at exactly 0, as everybody defines it; a central difference reads 0.5 there."""

    def forward(xp, x):
        return xp.where(x > 0, x, 0 * x)

    def backward(xp, args, g):
        return (xp.where(args[0] > 0, g[0], 0 * g[0]),)


@case(np.array([1.0, 2.0, 2.0]), wrong=False)
class tie_in_max:
    """max of (1, 2, 2) with the gradient given to the first of the largest: a convention, as good as any."""

    def forward(xp, x):
        return xp.max(x)

    def backward(xp, args, g):
        (x,) = args
        largest = (x == xp.max(x)) & (xp.cumsum(1.0 * (x == xp.max(x)), 0) < 1.5)
        return (xp.where(largest, g[0] + 0 * x, 0 * x),)


class DropoutLayer:
    """Dropout as course code writes it: a new mask at every forward, kept for backward."""

    def forward(self, x):
        self.mask = ((np.random.random(x.shape) > 0.5) * 2).astype(x.dtype)  # noqa: NPY002 -- this is how course code draws it
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


@case(np.linspace(0.5, 2, 12), wrong=False, layer=DropoutLayer, random=True)
class dropout:
    """Dropout draws a new mask at every call: two calls differ, although each backward fits its own forward."""

    def forward(xp, x):
        return x

    def backward(xp, args, g):
        return (g[0],)


@case(np.array([0.3, 0.7, 1.1]), wrong=False)
class period_near_the_step:
    """sin(1e5·x) / 1e5: over a step of 1e-6 the sine is no straight line."""

    def forward(xp, x):
        return xp.sin(1e5 * x) / 1e5

    def backward(xp, args, g):
        return (xp.cos(1e5 * args[0]) * g[0],)


@case(np.array([1e-7, 1.0, 4.0]), wrong=False)
class square_root_near_zero:
    """√x at 1e-7: a step of 1e-6 leaves the domain, and the derivative is 1,600 there."""

    def forward(xp, x):
        return xp.sqrt(x)

    def backward(xp, args, g):
        return (0.5 / xp.sqrt(args[0]) * g[0],)
