"""Updates are computed in the parameter's type, at least float32; what cannot be is refused before anything changes."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from beras import Adam, BasicOptimizer, RMSProp, Variable
from beras.optimizer import SMALL, Optimizer, elementwise

Array = np.ndarray[Any, np.dtype[Any]]
RULES: dict[str, Callable[[], Optimizer]] = {
    "descent": lambda: BasicOptimizer(0.1),
    "momentum": lambda: BasicOptimizer(0.1, 0.9),
    "RMSProp": lambda: RMSProp(0.1),
    "Adam": lambda: Adam(0.1),
}
every_rule = pytest.mark.parametrize("make", RULES.values(), ids=RULES)


@every_rule
@pytest.mark.parametrize("gradient", ["float16", "int8", "uint8", "bool", "float64", "int64", ">f4"])
@pytest.mark.parametrize("parameter", ["float16", "float32", "float64"])
def test_a_gradient_of_another_type_counts_as_its_values(
    make: Callable[[], Optimizer], parameter: str, gradient: str
) -> None:
    """Its squares, among others, leave float16 and the small integers: 300² and 0.0001², 100² in int8."""
    g = np.array([300.0, 1e-4] if "f" in gradient else [100, 3]).astype(gradient)
    results = []
    for given in (g, g.astype(np.promote_types(parameter, np.float32))):
        for shape in ((2,), (SMALL, 2)):  # as one with others, and each by itself
            optimizer, w, other = make(), *[Variable(np.zeros(shape, parameter)) for _ in range(2)]
            for _ in range(3):
                optimizer.apply_gradients([w, other], [np.broadcast_to(given, shape)] * 2)
            results += [np.array(one).reshape(-1, 2)[0] for one in (w, other)]
    for one, other in itertools.pairwise(results):
        np.testing.assert_array_equal(one, other)
    assert results[0].dtype == parameter


@pytest.mark.parametrize("parameter", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("gradient", "values"), [(np.float16, [300, -1e-3]), (np.int8, [100, -1]), (np.uint8, [250, 9])]
)
def test_the_first_step_is_as_long_as_the_rule_says(parameter: Any, gradient: Any, values: list[float]) -> None:
    """Adam's is the learning rate, RMSProp's learning rate / √(1 − beta), whatever the gradient's size."""
    signs = np.sign(np.array(values))
    for optimizer, length in ((Adam(0.1), 0.1), (RMSProp(0.1), 0.1 / np.sqrt(0.1))):
        w = Variable(np.zeros(2, parameter))
        optimizer.apply_gradients([w], [np.array(values, gradient)])
        np.testing.assert_allclose(np.asarray(w), -length * signs, rtol=0.005)  # epsilon beside 0.001, and float16


def test_float16_and_float32_are_updated_as_one_in_float32() -> None:
    seen = []

    class Rule(Optimizer):
        @elementwise
        def step(self, parameter: Any, g: Array) -> Array:
            seen.append((g.shape, g.dtype, self.state.of(parameter, 1)[0].dtype))
            return g

    parameters = [Variable(np.zeros(2, dtype)) for dtype in (np.float16, np.float32, np.float64)]
    Rule(0.1).apply_gradients(parameters, [np.ones(2, np.float16)] * 3)
    assert seen == [((2,), np.float64, np.float64), ((4,), np.float32, np.float32)]
    assert [np.asarray(w).tolist() for w in parameters] == [[-1, -1]] * 3


def test_unpickled_parameters_are_updated_as_one() -> None:
    """NumPy gives each unpickled array a dtype of its own, equal to its usual one."""
    shapes = []

    class Rule(Optimizer):
        @elementwise
        def step(self, parameter: Any, g: Array) -> Array:
            shapes.append(g.shape)
            return g

    parameters = [pickle.loads(pickle.dumps(Variable([1.0, 2.0], dtype=np.float32))) for _ in range(2)]
    Rule(0.1).apply_gradients(parameters, [parameter * 2 for parameter in parameters])
    assert shapes == [(4,)]


def test_complex_parameters_have_complex_gradients() -> None:
    w = Variable([1 + 1j, 2], dtype=np.complex64)
    BasicOptimizer(0.5).apply_gradients([w], [np.array([2j, 4.0])])
    assert np.asarray(w).tolist() == [1, 0]


@every_rule
@pytest.mark.parametrize(
    ("parameter", "gradient", "message"),
    [
        (np.zeros(2, np.int64), np.ones(2), "a parameter of type int64 cannot be updated.*floating"),
        (np.zeros(2, np.int32), np.ones(2, np.int32), "a parameter of type int32 cannot be updated"),
        (np.zeros(2, bool), np.ones(2), "a parameter of type bool cannot be updated"),
        (np.array(["a", "b"]), np.ones(2), "a parameter of type <U1 cannot be updated"),
        (np.zeros(2), np.array([1j, 2]), "of type complex128 came for a parameter of type float64.*real part"),
        (np.zeros(2, np.float32), ["1", "2"], "of type <U1 came for a parameter of type float32: .*as float32$"),
        (np.zeros(2, np.float16), np.array([1, None]), "of type object came for a parameter of type float16"),
    ],
)
def test_what_cannot_be_computed_with_is_refused_before_any_change(
    make: Callable[[], Optimizer], parameter: Array, gradient: Any, message: str
) -> None:
    optimizer, same = make(), make()
    first, twin = Variable([1.0, 2.0]), Variable([1.0, 2.0])
    with pytest.raises(TypeError, match=message):
        optimizer.apply_gradients([first, Variable(parameter)], [np.ones(2), gradient])
    assert np.asarray(first).tolist() == [1, 2]
    assert len(optimizer.state) == 0
    optimizer.apply_gradients([first], [np.array([1.0, 3.0])])
    same.apply_gradients([twin], [np.array([1.0, 3.0])])
    np.testing.assert_array_equal(np.asarray(first), np.asarray(twin))  # no step was counted


@pytest.mark.parametrize(
    "ask",
    [
        lambda w: 0.01 * w,
        lambda w: w * np.float32(0.01),
        lambda w: np.float64(0.01) * w,
        lambda w: np.sign(w),
        lambda w: -w,
        lambda w: np.asarray(w),
        lambda w: np.zeros_like(w),
    ],
)
def test_a_rule_that_is_wrongly_marked_as_elementwise_is_named(ask: Callable[[Any], Any]) -> None:
    class Decay(Optimizer):
        @elementwise
        def step(self, parameter: Any, g: Array) -> Array:
            return g + ask(parameter)

    Decay(0.1).apply_gradients([Variable([1.0])], [np.ones(1)])  # by itself it is the parameter
    with pytest.raises(TypeError, match=r"Decay\.step is marked as @elementwise, .* take the mark away"):
        Decay(0.1).apply_gradients([Variable([1.0]), Variable([1.0])], [np.ones(1)] * 2)


def test_a_rule_that_asks_for_an_attribute_is_named() -> None:
    class Scaled(Optimizer):
        @elementwise
        def step(self, parameter: Any, g: Array) -> Array:
            return g / parameter.size

    with pytest.raises(AttributeError, match=r"Scaled\.step is marked as @elementwise, .* \(it asks for 'size'\)"):
        Scaled(0.1).apply_gradients([Variable([1.0]), Variable([1.0])], [np.ones(1)] * 2)
