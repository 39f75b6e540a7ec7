"""Every optimizer against Keras', 50 steps on several parameters.

The gradients are given, not computed, so both sides see the same ones and m and v are the same numbers;
what is compared is the update rule. Keras puts epsilon elsewhere in RMSProp and Adam: what that makes of
the parameters follows from v and is subtracted (`shift`), so that everything else is compared to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from beras.core import Variable
from beras.optimizer import Adam, AdamW, BasicOptimizer, Nadam, RMSProp
from beras.schedules import CosineDecay, ExponentialDecay, PiecewiseConstantDecay
from gradcheck.report.differential import Deviation, Record

from .inputs import CASES, DTYPES, Array
from .peer import keras, tf
from .rounding import Machine
from .running import Bounded
from .running import given as bounded

STEPS = 50
# A case takes 50 steps on either side: few cases, and a failing one is not searched for a smaller one.
FEW_CASES = settings(CASES, max_examples=4, phases=[Phase.generate])
SHAPES = ((3, 4), (1, 4), (5,))


def single(value: float) -> float:
    """Return `value` rounded to float32, as Keras rounds every hyperparameter, for float64 parameters too."""
    return float(np.float32(value))


LEARNING_RATES = st.sampled_from([0.1, 0.01, 0.001]).map(single)
MOMENTA = st.sampled_from([0.0, 0.5, 0.9]).map(single)
BETAS = st.sampled_from([0.9, 0.5, 0.99]).map(single)
SCALES = st.sampled_from([1.0, 1e-3, 1e3])
BASIS = "error of m, v, their bias corrections and the update carried through all 50 steps, eps per operation"


def run(ours: Any, theirs: Any, start: list[Array], gradients: list[list[Array]]) -> tuple[list[Array], list[Array]]:
    """Return the parameters of both sides after all steps."""
    own, other = [Variable(p.copy()) for p in start], [keras.Variable(p, dtype=str(p.dtype)) for p in start]
    theirs.build(other)
    their_step = tf.function(lambda *gs: theirs.apply(list(gs), other), autograph=False)
    for step in gradients:
        ours.apply_gradients(own, step)
        their_step(*step)
    for a, p in zip(own, start, strict=True):
        assert a.dtype == p.dtype
    return [np.asarray(a) for a in own], [b.numpy() for b in other]


def draw(seed: int, dtype: str, scale: float) -> tuple[list[Array], list[list[Array]]]:
    """Return the parameters at the start and the gradients of all steps."""
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    return start, [[(scale * rng.normal(size=shape)).astype(dtype) for shape in SHAPES] for _ in range(STEPS)]


def average(values: list[Array], decay: float, eps: float) -> tuple[list[Array], list[Array]]:
    """Return the moving average after each step and how far two sides that compute it may be apart.

    Six roundings a step: of decay and 1 − decay, of two products, a difference and a sum; each is
    relative to the average of the magnitudes.
    """
    mean, magnitude, error = (np.zeros_like(values[0]) for _ in range(3))
    means, errors = [], []
    for value in values:
        size = decay * magnitude + (1 - decay) * np.abs(value)
        error = decay * error + 6 * eps * (magnitude * decay + size)
        mean, magnitude = decay * mean + (1 - decay) * value, size
        means.append(mean)
        errors.append(error)
    return means, errors


def correction(decay: float, step: int, eps: float) -> tuple[float, float]:
    """Return 1 − decayᵗ and the relative error of it: decay is rounded, the power is good to 4 ulp, 1 − is exact."""
    power = decay**step
    return 1 - power, eps * ((step + 9) * power + 1) / (1 - power)


@pytest.mark.parametrize("dtype", DTYPES)
@FEW_CASES
@given(
    seed=st.integers(0, 99), rate=LEARNING_RATES, scale=SCALES, momentum=st.sampled_from([0.0, 0.5, 0.9]).map(single)
)
def test_basic_optimizer(record: Record, dtype: str, seed: int, rate: float, scale: float, momentum: float) -> None:
    start, gradients = draw(seed, dtype, scale)
    theirs = keras.optimizers.SGD(rate, momentum=momentum)
    ours, other = run(BasicOptimizer(rate, momentum=momentum), theirs, start, gradients)
    eps = Machine.of(dtype).eps
    for i, p in enumerate(start):
        w, speed, v_error, w_error = (np.asarray(p, np.float64), *(np.zeros_like(p, np.float64) for _ in range(3)))
        size = np.zeros_like(w)
        for step in gradients:
            g = np.asarray(step[i], np.float64)
            size = momentum * size + rate * np.abs(g)
            v_error = momentum * v_error + 4 * eps * size
            speed = momentum * speed - rate * g
            w = w + speed
            w_error = w_error + v_error + eps * np.abs(w)
        aspect = f"{STEPS} steps, momentum" if momentum else f"{STEPS} steps"
        record.compare("beras.optimizer.BasicOptimizer", aspect, dtype, ours[i], other[i], w_error, BASIS)


def test_keras_rounds_hyperparameters_to_float32(record: Record) -> None:
    start, gradients = draw(0, "float64", 1.0)
    rate, momentum = 0.1, 0.9
    ours, theirs = run(
        BasicOptimizer(rate, momentum=momentum), keras.optimizers.SGD(rate, momentum=momentum), start, gradients
    )
    rounded, _ = run(
        BasicOptimizer(single(rate), momentum=single(momentum)), keras.optimizers.SGD(rate), start, gradients
    )
    # Ten roundings a step of numbers up to |w| ~ 10: what is left when Beras takes the rounded ones as well.
    left = STEPS * 10 * np.finfo(float).eps * 10
    for own, other, same in zip(ours, theirs, rounded, strict=True):
        assert np.abs(same - other).max() <= left
        record.deviate(
            Deviation(
                "beras.optimizer.BasicOptimizer",
                "hyperparameters in float64",
                "learning rate and momentum as they were given",
                "both rounded to float32, for float64 parameters too (so are Adam's and RMSprop's)",
                "float64 stays float64; with the rounded numbers Beras gives Keras' parameters",
                measured=float(np.abs(own - other).max()),
                bound=float(np.abs(own - same).max()) + left,
            )
        )


@pytest.mark.parametrize("dtype", DTYPES)
@FEW_CASES
@given(seed=st.integers(0, 99), rate=LEARNING_RATES, scale=SCALES, beta=BETAS)
def test_rmsprop(record: Record, dtype: str, seed: int, rate: float, scale: float, beta: float) -> None:
    epsilon = single(1e-6)
    start, gradients = draw(seed, dtype, scale)
    theirs = keras.optimizers.RMSprop(rate, rho=beta, epsilon=epsilon)
    ours, other = run(RMSProp(rate, beta=beta, epsilon=epsilon), theirs, start, gradients)
    eps = Machine.of(dtype).eps
    for i, p in enumerate(start):
        gs = [np.asarray(step[i], np.float64) for step in gradients]
        vs, v_errors = average([g**2 for g in gs], beta, eps)
        w, shift, most, error = (np.asarray(p, np.float64), *(np.zeros_like(p, np.float64) for _ in range(3)))
        for g, v, v_error in zip(gs, vs, v_errors, strict=True):
            inside, outside = rate * g / np.sqrt(v + epsilon), rate * g / (np.sqrt(v) + epsilon)
            w = w - outside
            shift = shift + inside - outside
            most = most + np.abs(inside - outside)
            error = error + np.abs(outside) * (v_error / v / 2 + 6 * eps) + 2 * eps * np.abs(w)
        name = "beras.optimizer.RMSProp"
        aspect = f"{STEPS} steps, Keras' epsilon accounted for"
        record.compare(name, aspect, dtype, ours[i], np.asarray(other[i], np.float64) + shift, error, BASIS)
        record.deviate(
            Deviation(
                name,
                "epsilon",
                "g / (√v + ε)",
                "g / √(v + ε)",
                "the course's formula, as in Hinton's lecture and in PyTorch; "
                "the bound adds up |1/(√v + ε) − 1/√(v + ε)| · learning rate · |g| over the steps",
                measured=float(np.abs(ours[i] - other[i]).max()),
                bound=float((most + error).max()),
            )
        )


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@FEW_CASES
@given(seed=st.integers(0, 99), rate=LEARNING_RATES, scale=st.sampled_from([1.0, 1e-6, 1e3]))
def test_adam(record: Record, dtype: str, amsgrad: bool, seed: int, rate: float, scale: float) -> None:
    beta_1, beta_2, epsilon = single(0.9), single(0.999), single(1e-7)
    start, gradients = draw(seed, dtype, scale)
    if amsgrad:  # gradients that fade, so that the largest v is not the last
        gradients = [[(g * 0.9**t).astype(dtype) for g in step] for t, step in enumerate(gradients)]
    theirs = keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad)
    ours, other = run(Adam(rate, beta_1, beta_2, epsilon, amsgrad=amsgrad), theirs, start, gradients)
    eps = Machine.of(dtype).eps
    for i, p in enumerate(start):
        gs = [np.asarray(step[i], np.float64) for step in gradients]
        ms, m_errors = average(gs, beta_1, eps)
        vs, v_errors = average([g**2 for g in gs], beta_2, eps)
        w, shift, most, error = (np.asarray(p, np.float64), *(np.zeros_like(p, np.float64) for _ in range(3)))
        for t, (m, m_error, v, v_error) in enumerate(zip(ms, m_errors, vs, v_errors, strict=True), start=1):
            if amsgrad:
                v, v_error = np.max(vs[:t], axis=0), np.max(v_errors[:t], axis=0)
            (c1, c1_error), (c2, c2_error) = correction(beta_1, t, eps), correction(beta_2, t, eps)
            root = np.sqrt(v / c2)
            after, before = rate * m / c1 / (root + epsilon), rate * m / c1 / (root + epsilon / np.sqrt(c2))
            w = w - after
            shift = shift + before - after
            most = most + np.abs(before - after)
            relative = v_error / v / 2 + c2_error / 2 + c1_error + 8 * eps
            error = error + np.abs(after) * relative + np.abs(after / m) * m_error + 2 * eps * np.abs(w)
        name = "beras.optimizer.Adam"
        aspect = f"{STEPS} steps, {'amsgrad, ' if amsgrad else ''}Keras' epsilon accounted for"
        record.compare(name, aspect, dtype, ours[i], np.asarray(other[i], np.float64) + shift, error, BASIS)
        record.deviate(
            Deviation(
                name,
                "epsilon, amsgrad" if amsgrad else "epsilon",
                "m̂ / (√v̂ + ε)",
                "m̂ / (√v̂ + ε / √(1 − β₂ᵗ))",
                "the paper's and the course's formula; Keras uses the paper's reordered form (its 'epsilon hat'); "
                "the bound adds up the difference of the two fractions · learning rate · |m̂| over the steps",
                measured=float(np.abs(ours[i] - other[i]).max()),
                bound=float((most + error).max()),
            )
        )


# The rules of other optimizers in numbers that carry a bound, step by step.


def root(v: Bounded) -> Bounded:
    """√v, of numbers that are not negative."""
    value = np.sqrt(v.value)
    return Bounded(value, v.error / (2 * np.maximum(value, 1e-300)) + v.at.eps * value, v.at)


def moving(old: Bounded, new: Bounded, decay: float) -> Bounded:
    """decay · old + (1 − decay) · new; 1 − decay is rounded as decay is, relative to 1."""
    share = Bounded(np.asarray(1 - decay), np.asarray(2 * new.at.eps), new.at)
    return old * decay + new * share


def replay(start: Array, gradients: list[Array], dtype: str, rule: Any) -> Array:
    """Return how far two sides may be apart after all steps of `rule(t, w, g)`, which returns the new w."""
    at = Machine.of(dtype)
    w = bounded(start, at)
    for t, g in enumerate(gradients, start=1):
        w = rule(t, w, bounded(g, at))
    return w.error


class Moments:
    """m and v, and AdamW's step."""

    def __init__(self, at: Machine, shape: tuple[int, ...], rate: float, decay: float) -> None:
        self.m, self.v, self.rate, self.decay = bounded(np.zeros(shape), at), bounded(np.zeros(shape), at), rate, decay

    def adamw(self, t: int, w: Bounded, g: Bounded) -> Bounded:
        w = w - w * self.decay * self.rate
        self.m, self.v = moving(self.m, g, BETA_1), moving(self.v, g * g, BETA_2)
        corrections = []
        for beta in (BETA_1, BETA_2):
            value, relative = correction(beta, t, w.at.eps)
            corrections.append(Bounded(np.asarray(value), np.asarray(value * relative), w.at))
        return w - self.m / corrections[0] * self.rate / root(self.v / corrections[1])

    def nadam(self, t: int, w: Bounded, g: Bounded) -> Bounded:
        self.m, self.v = moving(self.m, g, BETA_1), moving(self.v, g * g, BETA_2)
        at = w.at
        now, later = (BETA_1 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        self.product = (self.product if t > 1 else 1.0) * now

        def rounded(value: float) -> Bounded:
            # Powers good to 4 units in the last place of t roundings, products of t such factors.
            return Bounded(np.asarray(value), np.asarray(abs(value) * (9 + 3 * t) * at.eps), at)

        of_m = rounded(later) / (1 - rounded(self.product * later))
        of_g = (1 - rounded(now)) / (1 - rounded(self.product))
        value, relative = correction(BETA_2, t, at.eps)
        v_hat = self.v / Bounded(np.asarray(value), np.asarray(value * relative), at)
        return w - (self.m * of_m + g * of_g) * self.rate / (root(v_hat) + EPSILON)


BETA_1, BETA_2, EPSILON = single(0.9), single(0.999), single(1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@FEW_CASES
@given(seed=st.integers(0, 99), rate=LEARNING_RATES, scale=SCALES, momentum=MOMENTA)
def test_nesterov(record: Record, dtype: str, seed: int, rate: float, scale: float, momentum: float) -> None:
    start, gradients = draw(seed, dtype, scale)
    theirs = keras.optimizers.SGD(rate, momentum=momentum, nesterov=True)
    ours, other = run(BasicOptimizer(rate, momentum, nesterov=True), theirs, start, gradients)
    for i, p in enumerate(start):
        at = Machine.of(dtype)
        velocity = [bounded(np.zeros_like(p), at)]

        def rule(t: int, w: Bounded, g: Bounded, velocity: list[Bounded] = velocity) -> Bounded:
            velocity[0] = velocity[0] * momentum - g * rate
            return w + velocity[0] * momentum - g * rate

        error = replay(p, [step[i] for step in gradients], dtype, rule)
        record.compare(
            "beras.optimizer.BasicOptimizer", f"{STEPS} steps, Nesterov", dtype, ours[i], other[i], error, BASIS
        )


@pytest.mark.parametrize("dtype", DTYPES)
@FEW_CASES
@given(seed=st.integers(0, 99), rate=LEARNING_RATES, scale=SCALES)
def test_adamw(record: Record, dtype: str, seed: int, rate: float, scale: float) -> None:
    start, gradients = draw(seed, dtype, scale)
    decay = single(0.01)
    options: dict[str, Any] = {"beta_1": BETA_1, "beta_2": BETA_2, "epsilon": 0.0}  # whose place differs: see Adam
    theirs = keras.optimizers.AdamW(rate, weight_decay=decay, **options)
    ours, other = run(AdamW(rate, decay, **options), theirs, start, gradients)
    for i, p in enumerate(start):
        rule = Moments(Machine.of(dtype), p.shape, rate, decay).adamw
        error = replay(p, [step[i] for step in gradients], dtype, rule)
        record.compare("beras.adam.AdamW", f"{STEPS} steps, no epsilon", dtype, ours[i], other[i], error, BASIS)


@FEW_CASES
@given(seed=st.integers(0, 99), rate=LEARNING_RATES, scale=SCALES)
def test_nadam(record: Record, seed: int, rate: float, scale: float) -> None:
    # Keras has its 0.96 in float32, for float64 too, so that float64 says nothing here.
    start, gradients = draw(seed, "float32", scale)
    theirs = keras.optimizers.Nadam(rate, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON)
    ours, other = run(Nadam(rate, BETA_1, BETA_2, EPSILON), theirs, start, gradients)
    for i, p in enumerate(start):
        rule = Moments(Machine.of("float32"), p.shape, rate, 0.0).nadam
        error = replay(p, [step[i] for step in gradients], "float32", rule)
        record.compare("beras.adam.Nadam", f"{STEPS} steps", "float32", ours[i], other[i], error, BASIS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_clipping(record: Record, way: str, dtype: str) -> None:
    start, gradients = draw(0, dtype, 1.0)
    rate = single(0.01)
    ours, other = run(BasicOptimizer(rate, **{way: 0.5}), keras.optimizers.SGD(rate, **{way: 0.5}), start, gradients)
    at = Machine.of(dtype)
    for i, p in enumerate(start):

        def rule(t: int, w: Bounded, g: Bounded, i: int = i) -> Bounded:
            if way == "clipvalue":
                return w - bounded(np.clip(g.value, -0.5, 0.5), at) * rate
            parts = gradients[t - 1] if way == "global_clipnorm" else [gradients[t - 1][i]]
            squares = bounded(np.concatenate([part.ravel() for part in parts]), at)
            norm = root((squares * squares).sum())
            return w - (g * 0.5 / norm if norm.value > 0.5 else g) * rate

        error = replay(p, [step[i] for step in gradients], dtype, rule)
        name = "beras.optimizer.BasicOptimizer"
        record.compare(name, f"{STEPS} steps, {way}", dtype, ours[i], other[i], error, BASIS)


def test_schedules(record: Record) -> None:
    pairs = [
        (ExponentialDecay(0.1, 7, 0.5), keras.optimizers.schedules.ExponentialDecay(0.1, 7, 0.5)),
        (ExponentialDecay(0.1, 7, 0.5, True), keras.optimizers.schedules.ExponentialDecay(0.1, 7, 0.5, True)),
        (
            PiecewiseConstantDecay([3, 9], [0.1, 0.02, 0.001]),
            keras.optimizers.schedules.PiecewiseConstantDecay([3, 9], [0.1, 0.02, 0.001]),
        ),
        (CosineDecay(0.1, 20, 0.1), keras.optimizers.schedules.CosineDecay(0.1, 20, 0.1)),
        (
            CosineDecay(0.01, 20, 0.1, 0.1, 5),
            keras.optimizers.schedules.CosineDecay(0.01, 20, 0.1, warmup_target=0.1, warmup_steps=5),
        ),
    ]
    basis = (
        "Keras computes in float32: eps for each of at most 12 operations on numbers up to 0.1, 8 eps for a function"
    )
    for ours, theirs in pairs:
        mine = np.array([ours(step) for step in range(30)])
        other = np.array([float(theirs(step)) for step in range(30)])
        allowed = 0.1 * (12 + 2 * 8) * np.finfo(np.float32).eps
        record.compare(f"beras.schedules.{type(ours).__name__}", "30 steps", "float64", mine, other, allowed, basis)
