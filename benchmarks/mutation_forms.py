"""Judges of what is no derivative: optimizer steps against closed forms in float64, initializers against exact scales.

Each function raises AssertionError where Beras (the mutant) differs. None of them uses Beras' formulas: a moving
average is written as the weighted sum that it is, and random numbers come from a generator whose draws are known.
"""

from __future__ import annotations

import copy
import gc
import math
import weakref
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
RATE, STEPS = 0.1, 6
SHAPES = ((2, 3), (1, 3), (4,))


def _near(ours: Any, expected: Any, what: str) -> None:
    a, b = np.asarray(ours), np.asarray(expected)
    if a.shape != b.shape or not np.allclose(a, b, rtol=1e-11, atol=1e-13):
        raise AssertionError(f"{what}: {a!r} is not {b!r}")


def _weighted(values: list[Array], decay: float) -> Array:
    """Σ (1 − decay) · decay^(t − i) · value_i: the moving average, unrolled."""
    t = len(values)
    return np.asarray(sum((1 - decay) * decay ** (t - 1 - i) * v for i, v in enumerate(values)))


def _descend(gradients: list[Array], momentum: float, ahead: int = 0) -> Array:
    """The i-th gradient is still taken, momentum^j times, at each of the later steps, and at `ahead` more of them."""
    n = len(gradients) + ahead
    return np.asarray(sum(RATE * g * sum(momentum**j for j in range(n - i)) for i, g in enumerate(gradients)))


def _rmsprop(gradients: list[Array], beta: float, epsilon: float) -> Array:
    squares = [g**2 for g in gradients]
    return np.asarray(
        sum(RATE * g / (np.sqrt(_weighted(squares[: t + 1], beta)) + epsilon) for t, g in enumerate(gradients))
    )


def _adam(gradients: list[Array], b1: float, b2: float, epsilon: float, amsgrad: bool) -> Array:
    total = np.zeros_like(gradients[0])
    squares = [g**2 for g in gradients]
    for t in range(1, len(gradients) + 1):
        averages = [_weighted(squares[:k], b2) for k in range(1, t + 1)]
        v = np.max(averages, axis=0) if amsgrad else averages[-1]
        m_hat, v_hat = _weighted(gradients[:t], b1) / (1 - b1**t), v / (1 - b2**t)
        total = total + RATE * m_hat / (np.sqrt(v_hat) + epsilon)
    return total


def _nadam(gradients: list[Array], b1: float, b2: float, epsilon: float) -> Array:
    total = np.zeros_like(gradients[0])
    shares = [b1 * (1 - 0.96**t / 2) for t in range(1, len(gradients) + 2)]
    for t, g in enumerate(gradients, start=1):
        m, v = _weighted(gradients[:t], b1), _weighted([h**2 for h in gradients[:t]], b2)
        m_hat = shares[t] * m / (1 - math.prod(shares[: t + 1])) + (1 - shares[t - 1]) * g / (1 - math.prod(shares[:t]))
        total = total + RATE * m_hat / (np.sqrt(v / (1 - b2**t)) + epsilon)
    return total


@np.errstate(all="ignore")
def optimizers() -> None:
    """Every optimizer, several parameters, one of them without a gradient in the third round."""
    from beras.core import Variable
    from beras.optimizer import Adam, AdamW, BasicOptimizer, Nadam, RMSProp

    rng = np.random.default_rng(3)
    # Fading gradients, so that AMSGrad's largest average is not the last one.
    rounds = [[rng.normal(size=shape) * 0.5**t for shape in SHAPES] for t in range(STEPS)]
    subjects = {
        "gradient descent": (lambda: BasicOptimizer(RATE), lambda g: _descend(g, 0.0)),
        "momentum": (lambda: BasicOptimizer(RATE, momentum=0.7), lambda g: _descend(g, 0.7)),
        "Nesterov": (lambda: BasicOptimizer(RATE, 0.7, nesterov=True), lambda g: _descend(g, 0.7, ahead=1)),
        "Nadam": (lambda: Nadam(RATE, 0.8, 0.9, 0.05), lambda g: _nadam(g, 0.8, 0.9, 0.05)),
        "RMSProp": (lambda: RMSProp(RATE, beta=0.8, epsilon=0.05), lambda g: _rmsprop(g, 0.8, 0.05)),
        "Adam": (lambda: Adam(RATE, 0.8, 0.9, 0.05), lambda g: _adam(g, 0.8, 0.9, 0.05, False)),
        "AMSGrad": (lambda: Adam(RATE, 0.8, 0.6, 0.05, amsgrad=True), lambda g: _adam(g, 0.8, 0.6, 0.05, True)),
    }
    for name, (make, expected) in subjects.items():
        start = [rng.normal(size=shape) for shape in SHAPES]
        parameters, optimizer = [Variable(p) for p in start], make()
        given = [[g.copy() for g in gradients] for gradients in rounds]
        for gradients in given:
            optimizer.apply_gradients(parameters, gradients)
        for k, parameter in enumerate(parameters):
            _near(parameter, start[k] - expected([g[k] for g in rounds]), f"{name}, parameter {k}")
        for gradients, originals in zip(given, rounds, strict=True):
            for g, original in zip(gradients, originals, strict=True):
                _near(g, original, f"{name} leaves its gradients alone")
        _skipping(name, make(), expected, rounds)
        _changing(name, make)
        _forgetting(name, make())
        _float32(name, make())
        _half(name, make(), expected)
        _copied(name, make)
        _dying(name, make())
    # Weight decay takes RATE · 0.3 · w off before every step: what was there at first fades, and so does every step.
    decaying = Variable(np.full(3, 2.0)), Variable(np.full(2, -1.0))
    optimizer = AdamW(RATE, 0.3, 0.8, 0.9, 0.05)
    gradients = [[g[0], g[0][:2]] for g in ([r[1][0]] for r in rounds)]
    for pair in gradients:
        optimizer.apply_gradients(decaying, pair)
    for k, start_value in enumerate((2.0, -1.0)):
        w = np.full(3 - k, start_value)
        steps = [pair[k] for pair in gradients]
        for t in range(1, len(steps) + 1):
            step = _adam(steps[:t], 0.8, 0.9, 0.05, False) - (
                _adam(steps[: t - 1], 0.8, 0.9, 0.05, False) if t > 1 else 0
            )
            w = w * (1 - RATE * 0.3) - step
        _near(decaying[k], w, f"AdamW, parameter {k}")


def clipping() -> None:
    """Every way of clipping, on gradients of norms 5 and 12."""
    from beras.core import Variable
    from beras.optimizer import BasicOptimizer

    a, b = np.array([3.0, -4.0]), np.array([12.0])
    for options, expected in (
        ({"clipvalue": 3.5}, ([3, -3.5], [3.5])),
        ({"clipnorm": 10.0}, (a, [10])),
        ({"clipnorm": 2.5}, (a / 2, [2.5])),
        ({"global_clipnorm": 6.5}, (a / 2, b / 2)),
        ({"global_clipnorm": 13.5}, (a, b)),
    ):
        parameters = [Variable(np.zeros(2)), Variable(np.zeros(1))]
        given = [a.copy(), b.copy()]
        BasicOptimizer(1.0, **options).apply_gradients(parameters, given)
        for parameter, values in zip(parameters, expected, strict=True):
            _near(-np.asarray(parameter), values, f"clipping by {options}")
        _near(given[0], a, "clipping leaves its gradients alone")


def schedules() -> None:
    """Every schedule at some steps."""
    from beras.schedules import CosineDecay, ExponentialDecay, PiecewiseConstantDecay, WarmUp

    exponential = ExponentialDecay(0.8, 4, 0.5)
    for schedule, steps, expected in (
        (exponential, (0, 2, 4, 8, 9), (0.8, 0.8 * 0.5**0.5, 0.4, 0.2, 0.8 * 0.5**2.25)),
        (ExponentialDecay(0.8, 4, 0.5, staircase=True), (0, 3, 4, 7, 8), (0.8, 0.8, 0.4, 0.4, 0.2)),
        (PiecewiseConstantDecay([2, 5], [0.5, 0.25, 0.125]), (0, 2, 3, 5, 6), (0.5, 0.5, 0.25, 0.25, 0.125)),
        (CosineDecay(0.8, 6, 0.25), (0, 2, 3, 6, 9), (0.8, 0.65, 0.5, 0.2, 0.2)),
        (CosineDecay(0.8, 6), (0, 3, 6, 9), (0.8, 0.4, 0.0, 0.0)),
        (CosineDecay(0.2, 6, 0.25, 0.8, 4), (0, 1, 4, 7, 10, 20), (0.2, 0.35, 0.8, 0.5, 0.2, 0.2)),
        (WarmUp(0.8, 4), (0, 1, 4, 9), (0.0, 0.2, 0.8, 0.8)),
        (WarmUp(exponential, 4), (0, 1, 4, 6, 8), (0.0, 0.2, 0.8, 0.8 * 0.5**0.5, 0.4)),
    ):
        for step, value in zip(steps, expected, strict=True):
            _near(schedule(step), value, f"{type(schedule).__name__} at step {step}")


def _skipping(name: str, optimizer: Any, expected: Any, rounds: list[list[Array]]) -> None:
    """A None gradient changes nothing; the other parameters of that round are updated."""
    from beras.core import Variable

    first, second = Variable(np.zeros(SHAPES[0])), Variable(np.zeros(SHAPES[1]))
    optimizer.apply_gradients([first, second], [None, rounds[0][1]])
    _near(first, np.zeros(SHAPES[0]), f"{name} steps over None")
    _near(second, -expected([rounds[0][1]]), f"{name} goes on after None")


def _changing(name: str, make: Any) -> None:
    """Whatever is updated with what, each parameter comes out as if the rule had seen it by itself, to the last bit."""
    from beras.core import Variable
    from beras.optimizer import SMALL

    joining, apart = make(), make()
    rule = type(apart).step
    apart.step = lambda parameter, g: rule(apart, parameter, g)  # another function, and not marked as elementwise
    rng = np.random.default_rng(4)
    shapes = [*SHAPES, (3,), (SMALL + 1,)]
    starts = [rng.normal(size=shape) for shape in shapes]
    ones, others = ([Variable(start) for start in starts] for _ in range(2))
    for without in (None, None, 0, 1, None, 2):
        gradients = [None if k == without else rng.normal(size=shape) for k, shape in enumerate(shapes)]
        for optimizer, parameters in ((joining, ones), (apart, others)):
            optimizer.apply_gradients(parameters, gradients)
            optimizer.apply_gradients(parameters[:1], gradients[:1])
    for k, (one, other) in enumerate(zip(ones, others, strict=True)):
        if not np.array_equal(np.asarray(one), np.asarray(other)):
            raise AssertionError(f"{name}: parameter {k} depends on what it is updated with")


def _forgetting(name: str, optimizer: Any) -> None:
    """No parameter is kept alive, and the state of one that is gone is gone too."""
    from beras.core import Variable

    parameter = Variable(np.ones(3))
    optimizer.apply_gradients([parameter], [np.ones(3)])
    alive = weakref.ref(parameter)
    del parameter
    gc.collect()
    if alive() is not None:
        raise AssertionError(f"{name} keeps a parameter alive")
    if len(optimizer.state):
        raise AssertionError(f"{name} keeps the state of a parameter that is gone")


def _float32(name: str, optimizer: Any) -> None:
    """A float64 gradient does not widen a float32 parameter or its state."""
    from beras.core import Variable

    parameter = Variable(np.ones(3, np.float32))
    optimizer.apply_gradients([parameter], [np.ones(3)])
    if parameter.dtype != np.float32:
        raise AssertionError(f"{name} changes the parameter's dtype")


def _half(name: str, optimizer: Any, expected: Any) -> None:
    """Gradients of a narrow type, for parameters of any: one step is right to the parameter's own rounding."""
    from beras.core import Variable

    types = (np.float16, np.float32, np.float64, np.float32)
    parameters = [Variable(np.zeros(2, kind)) for kind in types]
    gradients = [np.array([300, 1e-3]).astype(np.float16) for _ in types]
    optimizer.apply_gradients(parameters, gradients)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        values, near = -expected([gradient.astype(float)]), 4 * np.finfo(parameter.dtype).eps
        if not np.allclose(np.asarray(parameter), values, rtol=near, atol=0):
            raise AssertionError(f"{name}, {parameter.dtype} from float16: {parameter!r} is not {values!r}")


def _copied(name: str, make: Any) -> None:
    """A copy goes on with the copied parameters, as the original does and without it, to the last bit."""
    from beras.core import Variable

    rng = np.random.default_rng(5)
    parameters, optimizer = [Variable(rng.normal(size=shape)) for shape in SHAPES], make()
    rounds = [[rng.normal(size=shape) for shape in SHAPES] for _ in range(4)]
    for gradients in rounds[:2]:
        optimizer.apply_gradients(parameters, gradients)
    twins, twin = copy.deepcopy((parameters, optimizer))
    for rule, its in ((optimizer, parameters), (twin, twins)):
        for gradients in rounds[2:]:
            rule.apply_gradients(its, gradients)
            rule.apply_gradients(its[:1], gradients[:1])
    for k, (one, other) in enumerate(zip(parameters, twins, strict=True)):
        if not np.array_equal(np.asarray(one), np.asarray(other)):
            raise AssertionError(f"{name}: parameter {k} of a copy does not go on as the original's")


def _dying(name: str, optimizer: Any) -> None:
    """A parameter that is gone is not copied either where word of that has not come yet, as between two threads."""
    from beras.core import Variable

    optimizer.state._forget = lambda key: None
    optimizer.apply_gradients([Variable(np.ones(3))], [np.ones(3)])
    if len(copy.deepcopy(optimizer).state):
        raise AssertionError(f"{name} copies the state of a parameter that is gone")


def _budget(subject: Any) -> None:
    """No more numbers are drawn than somebody allows."""
    for drawn in ({"fan_in": 3, "fan_out": 4}, {"fan_in": 2, "fan_out": 2, "shape": (3, 4)}):
        for allowed, fits in ((12, True), (11, False)):
            subject.budget.left = allowed
            try:
                subject.initialize("zero", **drawn)
            except ValueError as error:
                if fits:
                    raise AssertionError(f"{drawn} does not fit into {allowed}") from error
            else:
                if not fits or subject.budget.left != 0:
                    raise AssertionError(f"{drawn} leaves {subject.budget.left} of {allowed}")
            finally:
                subject.budget.left = None


def _orthogonal(a: Array) -> Array:
    """The orthonormal columns q with q r = a, r a triangle with a positive diagonal: Gram and Schmidt."""
    columns: list[Array] = []
    for column in a.T:
        rest = column - sum((q * (q @ column) for q in columns), np.zeros_like(column))
        columns.append(rest / np.sqrt(rest @ rest))
    return np.stack(columns, axis=1)


class Draws:
    """A generator whose numbers are known: `standard_normal` counts through a table, `uniform` gives its ends."""

    TABLE = np.array([0.5, -3.0, 1.75, 2.5, -1.25, 0.1, -2.25, 1.0, -0.75, 1.9, -1.5, 0.3, 2.0, -2.0, 0.9, -0.6])

    def __init__(self, scale: float = 1.0) -> None:
        self.at, self.scale = 0, scale

    def standard_normal(self, size: Any) -> Array:
        """The next numbers of the table, around and around."""
        count = int(np.prod(size))
        values = np.take(self.TABLE, range(self.at, self.at + count), mode="wrap")
        self.at += count
        return self.scale * values.reshape(size)

    def uniform(self, low: float, high: float, size: Any) -> Array:
        """The two ends in turn."""
        return np.resize([low, high], size).astype(float)


@np.errstate(all="ignore")
def initializers() -> None:
    """Every initializer on known draws, at sizes where 2/in, 2/out and 2/(in + out) differ."""
    from beras import initializers as subject
    from beras.layers import Dense

    fan_in, fan_out = 5, 3
    shape = (fan_in, fan_out)
    # Those beyond ±2 are drawn again: the first 15 of the table, those outside replaced by the numbers after them.
    first, rest = Draws.TABLE[:15].copy(), np.concatenate([Draws.TABLE[15:], np.tile(Draws.TABLE, 4)])
    while (np.abs(first) > 2).any():
        count = int((np.abs(first) > 2).sum())
        first[np.abs(first) > 2], rest = rest[:count], rest[count:]
    truncated = first.reshape(shape) / 0.87962566103423978
    ends = np.resize([-1.0, 1.0], shape)
    expected = {
        "zero": np.zeros(shape),
        "normal": Draws.TABLE[:15].reshape(shape),
        "xavier": truncated * math.sqrt(2 / 8),
        "kaiming": truncated * math.sqrt(2 / 5),
        "xavier uniform": ends * math.sqrt(6 / 8),
        "kaiming uniform": ends * math.sqrt(6 / 5),
        "one": np.ones(shape),
        "random normal": Draws.TABLE[:15].reshape(shape) / 20,
        "uniform": ends / 20,
        "lecun": truncated * math.sqrt(1 / 5),
        "lecun uniform": ends * math.sqrt(3 / 5),
        "orthogonal": _orthogonal(Draws.TABLE[:15].reshape(5, 3)),
    }
    if set(expected) != set(subject.INITIALIZERS):
        raise AssertionError(f"the initializers are {sorted(subject.INITIALIZERS)}")
    for name, values in expected.items():
        _near(subject.INITIALIZERS[name](fan_in, fan_out, Draws()), values, name)
        one, same = (subject.initialize(name, *shape, dtype="float64", seed=4) for _ in range(2))
        again = subject.INITIALIZERS[name](fan_in, fan_out, np.random.default_rng(4))
        _near(one, again, f"{name}, by name")
        _near(one, same, f"{name}, same seed")
        if subject.initialize(name, *shape).dtype != np.float32:
            raise AssertionError(f"{name} is float32 by default")
        w, b = Dense._initialize_weight(name, *shape, dtype="float64", seed=4)
        _near(w, again, f"{name}, in Dense")
        _near(b, np.zeros((1, fan_out)), f"{name}, bias")
        kernel = subject.INITIALIZERS[name](fan_in, fan_out, Draws(), (5, 1, 3))
        _near(kernel, values.reshape(5, 1, 3), f"{name}, of another shape")
        by_shape = subject.initialize(name, 7, 9, dtype="float64", seed=4, shape=(2, 3, 4))
        if by_shape.shape != (2, 3, 4):
            raise AssertionError(f"{name} is not of the shape that is asked for")
    rows = subject.INITIALIZERS["orthogonal"](3, 5, Draws())
    _near(rows, _orthogonal(Draws.TABLE[:15].reshape(5, 3)).T, "orthogonal rows")
    for scale in (1.0, 1e-3):  # with diagonals of either sign and any size
        square = subject.INITIALIZERS["orthogonal"](3, 3, Draws(scale))
        _near(square, _orthogonal(Draws.TABLE[:9].reshape(3, 3)), "an orthogonal square")
    for name, keras in (("kaiming", "he_normal"), ("zero", "zeros")):
        one, other = (subject.initialize(n, *shape, dtype="float64", seed=4) for n in (name, keras))
        _near(one, other, "Keras' name")
    constant = subject.Constant(0.5)
    _near(constant(2, 3, Draws()), np.full((2, 3), 0.5), "a constant")
    _near(constant(2, 3, Draws(), (4,)), np.full(4, 0.5), "a constant of another shape")
    _budget(subject)
    try:
        subject.initialize(lambda *_: np.zeros(7), 1, 1)
    except ValueError as error:
        if "returned shape (7,), expected (1, 1)" not in str(error):
            raise AssertionError(f"a function of another shape: {error}") from error
    else:
        raise AssertionError("a function that returns another shape is an error")
    try:
        subject.initialize("magic", 1, 1)
    except ValueError as error:
        if "magic" not in str(error) or "kaiming" not in str(error):
            raise AssertionError("the message names the unknown and the known initializers") from error
    else:
        raise AssertionError("an unknown name is an error")
