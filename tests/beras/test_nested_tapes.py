"""Tapes inside tapes: second derivatives are right, or refused; never silently a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from beras import (
    Activation,
    BatchNormalization,
    BinaryCrossEntropy,
    Dense,
    Diffable,
    Flatten,
    GradientTape,
    LeakyReLU,
    MeanSquaredError,
    ReLU,
    SequentialModel,
    Sigmoid,
    Sin,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    Tensor,
    Variable,
    ops,
)
from beras.activations import Elementwise
from tests.beras.differences import gradient as difference
from tests.beras.test_ops import ALL, example

random = np.random.default_rng(0)


def second(f: Callable[..., Any], xs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the second derivatives of Σ weights · (gradient of f by all xs), and the same by differences."""
    seeds: list[Any] = []

    def scalar(tape: GradientTape) -> Any:
        with GradientTape() as inner:
            z = f(*xs)
        if not seeds:
            local = np.random.default_rng(1)
            seeds.append(local.normal(size=z.shape))
            seeds.extend(local.normal(size=x.shape) for x in xs)
        gradients = inner.gradient(z, list(xs), seeds[0])
        parts = [(g * seed).sum() for g, seed in zip(gradients, seeds[1:], strict=True) if g is not None]
        return sum(parts[1:], parts[0])

    with GradientTape() as outer:
        total = scalar(outer)
    found = outer.gradient(total, list(xs))
    return found, [difference(lambda: float(scalar(outer)), np.asarray(x)) for x in xs]


def assert_second_derivatives(f: Callable[..., Any], xs: Sequence[Any], atol: float = 1e-7) -> None:
    for g, expected in zip(*second(f, xs), strict=True):
        np.testing.assert_allclose(np.zeros(expected.shape) if g is None else g, expected, rtol=1e-6, atol=atol)


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.__name__)
def test_every_operation_has_second_derivatives(op: Any) -> None:
    operation, inputs = example(op)
    assert_second_derivatives(operation, [Tensor(x) for x in inputs])


@pytest.mark.parametrize("layer", [LeakyReLU(0.1), ReLU(), Sigmoid(), Tanh(), Sin(), Softmax(), Flatten()])
def test_activations_have_second_derivatives(layer: Any) -> None:
    assert_second_derivatives(layer, [Tensor(random.normal(size=(3, 2, 4)))])


@pytest.mark.parametrize("layer", [Sigmoid(), Tanh()])
@pytest.mark.parametrize("at", [0.0, -0.7, 1.3])
def test_the_third_derivative_of_a_saturating_function_also_at_0(layer: Any, at: float) -> None:
    x = Tensor(np.array([at]))
    with GradientTape() as third:
        with GradientTape() as second_:
            with GradientTape() as first:
                y = layer(x)
            by_x = first.gradient(y, x)
        by_x_twice = second_.gradient(by_x, x)
    found = third.gradient(by_x_twice, x)
    t = np.tanh(at)
    s = 1 / (1 + np.exp(-at))
    expected = {Tanh: -2 * (1 - t**2) * (1 - 3 * t**2), Sigmoid: s * (1 - s) * (1 - 6 * s + 6 * s**2)}
    np.testing.assert_allclose(found, [expected[type(layer)]], rtol=1e-12)


def test_mixed_second_derivatives_of_a_power_also_at_0() -> None:
    x, y = Tensor([2.0, 3.0, 0.5]), Tensor([0.0, 2.0, -1.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            z = x**y
        by_x = inner.gradient(z, x)
    np.testing.assert_allclose(outer.gradient(by_x, y), x ** (y - 1) * (1 + y * np.log(x)))
    assert_second_derivatives(lambda a, b: a**b, [x, Tensor([0.5, 2.0, -1.0])])


@pytest.mark.parametrize("loss", [MeanSquaredError(), SoftmaxCrossEntropy()])
def test_a_network_has_second_derivatives_by_weights_and_inputs(loss: Any) -> None:
    first, last = Dense(3, 4, "xavier", dtype=np.float64, seed=1), Dense(4, 2, "xavier", dtype=np.float64, seed=2)
    x, t = Tensor(random.normal(size=(5, 3))), np.eye(2)[[0, 1, 1, 0, 1]]
    sources = [x, *first.weights, *last.weights]
    assert_second_derivatives(lambda *_: loss(last(Tanh()(first(x))), t), sources)


def test_class_indices_have_second_derivatives() -> None:
    x = Tensor(random.normal(size=(3, 4)))
    assert_second_derivatives(lambda a: SoftmaxCrossEntropy()(a, np.array([0, 3, 1])), [x])


@pytest.mark.parametrize("loss", [MeanSquaredError(), SoftmaxCrossEntropy(), BinaryCrossEntropy(from_logits=True)])
@pytest.mark.parametrize("scale", [1.0, 1000.0])  # where exp(logits) overflows
def test_a_gradient_that_a_tape_records_is_the_same(loss: Any, scale: float) -> None:
    x, t = Tensor(scale * random.normal(size=(2, 2, 3))), np.eye(3)[[[2, 0], [1, 1]]]
    with GradientTape() as tape:
        z = loss(x, t)
    with GradientTape(), GradientTape() as inner:
        recorded = inner.gradient(loss(x, t), x)
    np.testing.assert_allclose(recorded, tape.gradient(z, x), rtol=1e-12, atol=1e-15)


def test_logits_have_second_derivatives_at_0() -> None:
    assert_second_derivatives(lambda x: BinaryCrossEntropy(from_logits=True)(x, np.ones((1, 1))), [Tensor([[0.0]])])


def test_a_gradient_penalty_trains() -> None:
    """The norm of the gradient by the input, as in WGAN-GP (Gulrajani et al. 2017), against differences."""
    model = SequentialModel([Dense(2, 8, "kaiming", dtype=np.float64, seed=1), Tanh(), Dense(8, 1, dtype=np.float64)])
    x = Tensor(random.normal(size=(4, 2)))

    def penalty() -> Any:
        with GradientTape() as inner:
            y = model(x)
        return ((np.sqrt((inner.gradient(y, x) ** 2).sum(axis=1)) - 1) ** 2).mean()

    with GradientTape() as outer:
        value = penalty()
    for weight, found in zip(model.weights, outer.gradient(value, model.weights), strict=True):
        expected = difference(lambda: float(penalty()), np.asarray(weight))
        np.testing.assert_allclose(np.zeros(weight.shape) if found is None else found, expected, rtol=1e-5, atol=1e-8)


def test_plain_arrays_are_sources_of_second_derivatives_too() -> None:
    x = np.array([0.5, 1.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = Sin()(x)
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(slope, x), -np.sin(x))


def test_output_gradients_that_are_tensors_are_differentiated() -> None:
    x, weight = Tensor([0.5, 1.0]), Tensor([2.0, 3.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = np.sin(x)
        found = inner.gradient([y, y], x, [weight, weight * 2])
    np.testing.assert_allclose(outer.gradient(found, weight), 3 * np.cos(x))


def test_float32_and_integers_keep_their_types() -> None:
    for dtype, wanted in ((np.float32, np.float32), (np.int64, np.float64)):
        x = Tensor(np.array([1, 2], dtype))
        with GradientTape() as outer:
            with GradientTape() as inner:
                y = Tanh()(x) * Tensor(np.array([1.0, 2.0], np.float32))
            g = inner.gradient(y, x)
        assert (g.dtype, outer.gradient(g, x).dtype) == (wanted, wanted)


# --- what has no second derivative says so


class Plain(Diffable):
    """x³ by somebody who knows nothing of tapes in tapes."""

    def forward(self, x: Any) -> Any:
        return np.asarray(x) ** 3

    def get_input_gradients(self) -> list[Any]:
        return [3 * np.asarray(self.inputs[0]) ** 2]


class OwnActivation(Plain, Activation):
    """The same, as an activation."""


class OwnSlope(Elementwise):
    """The same, with a slope that takes its argument out of the graph."""

    def forward(self, x: Any) -> Any:
        return np.asarray(x) ** 3

    def slope(self, x: Any) -> Any:
        return 3 * np.asarray(x) ** 2


class OwnTanh(Tanh):
    """A derivative of its own below one that a tape could record."""

    def get_input_gradients(self) -> list[Any]:
        return [1 / np.cosh(np.asarray(self.inputs[0])) ** 2]


@pytest.mark.parametrize("layer", [Plain(), OwnActivation(), OwnSlope(), OwnTanh(), BatchNormalization(2)])
def test_a_derivative_that_is_not_recorded_is_an_error_only_where_it_is_needed(layer: Any) -> None:
    x = Tensor(random.normal(size=(3, 2)))
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = layer(x)
        g = inner.gradient(y, x)
        loss = y.sum() + (g**2).sum()
    with pytest.raises(NotImplementedError, match=rf"the gradient of {type(layer).__name__} has no derivative rule"):
        outer.gradient(loss, x)
    np.testing.assert_allclose(outer.gradient(y, x), g)


def test_a_slope_written_in_numpys_functions_is_recorded() -> None:
    class Cube(Elementwise):
        def forward(self, x: Any) -> Any:
            return np.asarray(x) ** 3

        def slope(self, x: Any) -> Any:
            return 3 * x**2

    assert_second_derivatives(Cube(), [Tensor(random.normal(size=(3, 2)))])


def test_what_the_outer_tape_has_not_seen_is_no_constant_to_it() -> None:
    x = Tensor([0.5, 1.0])
    with GradientTape() as inner:
        y = np.exp(x) * x
    with GradientTape() as outer:
        g = inner.gradient(y, x)
    with pytest.raises(NotImplementedError, match=r"the gradient of \w+ has no derivative rule"):
        outer.gradient(g, x)


# --- the tape itself


def test_what_is_made_before_an_inner_tape_opens_and_handed_on_inside_is_two_tensors() -> None:
    class Identity(Activation):
        def forward(self, x: Any) -> Any:
            return x

        def get_input_gradients(self) -> list[Any]:
            return [np.ones(self.inputs[0].shape)]

    x = Tensor([1.0, 2.0])
    with GradientTape() as outer:
        h = Sin()(x)
        with GradientTape() as inner:
            y = Identity()(h)
    assert y is not h
    np.testing.assert_allclose(outer.gradient(y, x), np.cos(x))
    np.testing.assert_allclose(inner.gradient(y, h), 1.0)


def test_an_exception_inside_an_inner_tape_leaves_the_outer_one_open() -> None:
    x = Tensor([1.0, 2.0])
    with GradientTape() as outer:
        with pytest.raises(ZeroDivisionError), GradientTape():
            _ = 1 // 0
        y = Sin()(x)
    assert outer.gradient(y, x) is not None


def test_a_tape_that_is_not_persistent_gives_one_gradient_and_frees_its_records() -> None:
    x = Tensor([1.0, 2.0])
    for ask in ("gradient", "jacobian"):
        with GradientTape(persistent=False) as tape:
            y = Sin()(x)
        assert getattr(tape, ask)(y, x) is not None
        assert tape.previous_layers == {}
        with pytest.raises(RuntimeError, match="persistent=True"):
            getattr(tape, ask)(y, x)
        with tape:
            y = Sin()(x)
        assert getattr(tape, ask)(y, x) is not None


def test_a_tape_that_is_not_persistent_does_not_record_its_own_gradient() -> None:
    x = Tensor([1.0, 2.0])
    with GradientTape() as outer, GradientTape(persistent=False) as tape:
        g = tape.gradient(np.sin(x), x)
    np.testing.assert_allclose(outer.gradient(g, x), -np.sin(x))


def test_watching_gives_gradients_by_what_is_not_trainable() -> None:
    x = Variable([1.0, 2.0], trainable=False)
    with GradientTape() as tape:
        y = np.sin(x)
        assert tape.gradient(y, x) is None
        tape.watch(x)
    np.testing.assert_allclose(tape.gradient(y, x), np.cos(x))
    with pytest.raises(TypeError, match=r"watches Tensors, got ndarray: make one by Tensor\(x\)"):
        tape.watch([x, np.ones(2)])


def test_jacobians() -> None:
    x, w = Tensor(random.normal(size=(2, 3))), Dense(3, 2, "xavier", dtype=np.float64, seed=1)
    with GradientTape() as tape:
        y = np.tanh(w(x))
    by_x, by_w, nothing = tape.jacobian(y, [x, w.w, Tensor([1.0])])
    assert (by_x.shape, by_w.shape, nothing) == ((2, 2, 2, 3), (2, 2, 3, 2), None)
    slope = 1 - np.asarray(y) ** 2
    np.testing.assert_allclose(by_x, np.einsum("no,io,nm->nomi", slope, np.asarray(w.w), np.eye(2)), rtol=1e-12)
    np.testing.assert_allclose(by_w, np.einsum("no,ni,op->noip", slope, np.asarray(x), np.eye(2)), rtol=1e-12)
    with pytest.raises(TypeError, match="target of a Jacobian"):
        tape.jacobian([y], x)


def test_a_jacobian_of_a_gradient_is_the_hessian() -> None:
    x = Tensor(random.normal(size=3))
    with GradientTape() as outer:
        with GradientTape() as inner:
            z = (x**3).sum() + x[0] * x[1]
        g = inner.gradient(z, x)
    expected = np.diag(6 * np.asarray(x))
    expected[0, 1] = expected[1, 0] = 1
    np.testing.assert_allclose(outer.jacobian(g, x), expected, rtol=1e-12)


def test_a_jacobian_inside_a_tape_is_recorded() -> None:
    x = Tensor([0.5, 1.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x**3
        total = (inner.jacobian(y, x) ** 2).sum()
    np.testing.assert_allclose(outer.gradient(total, x), 36 * np.asarray(x) ** 3)


def test_an_empty_target_has_an_empty_jacobian() -> None:
    x = Tensor([0.5, 1.0])
    with GradientTape() as tape:
        y = x[:0] * 2
    assert tape.jacobian(y, x).shape == (0, 2)


# --- debug mode


def through_a_view(tape: GradientTape, layer: Any, x: Any) -> Any:
    with tape:
        y = layer(x)
    np.asarray(x)[0] = 7.0
    return y


@pytest.mark.parametrize("layer", [Sin(), np.sin], ids=["layer", "operation"])
def test_a_write_through_a_plain_array_is_noticed_in_debug_mode(layer: Any) -> None:
    x = Tensor(np.array([0.5, 1.0]))
    tape = GradientTape(debug=True)
    y = through_a_view(tape, layer, x)
    with pytest.raises(RuntimeError, match=r"a value of shape \(2,\) that Sin used was overwritten"):
        tape.gradient(y, x)


def test_debug_mode_can_be_switched_on_for_all_tapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GradientTape, "debug", True)
    x, layer = Tensor(np.ones((2, 2))), Dense(2, 2, "xavier", seed=1)
    with GradientTape() as tape:
        y = layer(x)
    assert tape.gradient(y, layer.weights)[0] is not None
    np.asarray(layer.w)[0, 0] = 7.0
    with pytest.raises(RuntimeError, match=r"a weight of shape \(2, 2\) that Dense used was overwritten"):
        tape.gradient(y, x)


def test_debug_mode_is_that_of_the_outer_tape_too() -> None:
    x = Tensor(np.array([0.5, 1.0]))
    with GradientTape(debug=True), GradientTape() as inner:
        y = np.sin(x)
    np.asarray(x)[0] = 7.0
    with pytest.raises(RuntimeError, match="overwritten"):
        inner.gradient(y, x)


def test_moving_statistics_and_what_has_no_gradient_are_none_of_debug_modes_business() -> None:
    layer, x = BatchNormalization(2), Tensor(random.normal(size=(4, 2)))
    with GradientTape(debug=True) as tape:
        y = layer(x)
    assert tape.gradient(y, x) is not None
    with GradientTape(debug=True) as tape:
        z = x[np.array([0, 1])] * 2.0
    assert tape.gradient(z, x) is not None


def test_there_is_an_operation_for_the_recorded_slope() -> None:
    assert ops.Sigmoid in ALL
