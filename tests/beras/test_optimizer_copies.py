"""Copied or pickled in the middle of a training, an optimizer goes on with the copies as the original would have."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from beras import Adam, BasicOptimizer, Dense, MeanSquaredError, ReLU, RMSProp, SequentialModel, Variable
from beras.optimizer import SMALL, Optimizer

RULES: dict[str, Callable[[], Optimizer]] = {
    "descent": lambda: BasicOptimizer(0.1),
    "momentum": lambda: BasicOptimizer(0.1, 0.9),
    "RMSProp": lambda: RMSProp(0.1),
    "Adam": lambda: Adam(0.1),
    "AMSGrad": lambda: Adam(0.1, amsgrad=True),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)},
}
SHAPES = ((2, 3), (3,), (SMALL + 1,))
every_rule = pytest.mark.parametrize("make", RULES.values(), ids=RULES)
every_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)


def assert_same(ones: list[Any], others: list[Any]) -> None:
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def training(make: Callable[[], Optimizer]) -> tuple[list[Variable], Optimizer, list[list[np.ndarray]]]:
    """Parameters and their optimizer after three rounds, and the gradients of six."""
    random = np.random.default_rng(0)
    parameters = [Variable(random.normal(size=shape).astype(np.float32)) for shape in SHAPES]
    rounds = [[random.normal(size=shape).astype(np.float32) for shape in SHAPES] for _ in range(6)]
    optimizer = make()
    for gradients in rounds[:3]:
        optimizer.apply_gradients(parameters, gradients)
    return parameters, optimizer, rounds


@every_rule
@every_copy
@pytest.mark.parametrize("first", ["parameters", "optimizer"])
def test_the_copy_goes_on_as_the_original(
    make: Callable[[], Optimizer], copied: Callable[[Any], Any], first: str
) -> None:
    parameters, optimizer, rounds = training(make)
    if first == "parameters":
        twins, twin = copied((parameters, optimizer))
    else:
        twin, twins = copied((optimizer, parameters))
    start = [np.array(parameter) for parameter in parameters]
    for gradients in rounds[3:]:
        optimizer.apply_gradients(parameters, gradients)
    assert_same(twins, start)  # nothing is shared
    for gradients in rounds[3:]:
        twin.apply_gradients(twins, gradients)
    assert_same(twins, parameters)
    assert (np.asarray(twins[0]) != start[0]).all()


@every_rule
@every_copy
def test_together_alone_together(make: Callable[[], Optimizer], copied: Callable[[Any], Any]) -> None:
    """In the copy, too, what small parameters have as one and each by itself is the same memory."""
    parameters, optimizer, rounds = training(make)
    twins, twin = copied((parameters, optimizer))
    for rule, mine in ((optimizer, parameters), (twin, twins)):
        for gradients in rounds[3:]:
            rule.apply_gradients(mine, gradients)
            rule.apply_gradients(mine[:1], gradients[:1])
    assert_same(twins, parameters)


@every_copy
def test_a_model_that_is_compiled_goes_on_as_the_original(copied: Callable[[Any], Any]) -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(40, 3)).astype(np.float32), random.normal(size=(40, 2)).astype(np.float32)
    model = SequentialModel([Dense(3, 5, "kaiming", seed=0), ReLU(), Dense(5, 2, "kaiming", seed=1)])
    model.compile(Adam(0.01), MeanSquaredError())
    model.fit(x, y, epochs=5, batch_size=8, seed=2, verbose=False)
    twin = copied(model)
    histories = [one.fit(x, y, epochs=3, batch_size=8, seed=3, verbose=False) for one in (model, twin)]
    assert histories[0] == histories[1]
    assert_same(twin.weights, model.weights)


@every_rule
@every_copy
def test_a_copy_without_the_parameters_has_no_state_for_others(
    make: Callable[[], Optimizer], copied: Callable[[Any], Any]
) -> None:
    """Not even for one that lies where a parameter of the original lay: the state belongs to the copied parameters."""
    optimizer, fresh = make(), make()
    parameter, same = Variable([1.0, 2.0]), Variable([1.0, 2.0])
    for _ in range(2):
        optimizer.apply_gradients([parameter], [np.array([3.0, -4.0])])
        fresh.apply_gradients([same], [np.array([3.0, -4.0])])
    twin = copied(optimizer)
    gc.collect()
    assert len(twin.state) == 0
    del parameter
    others = [Variable([1.0, 2.0]) for _ in range(100)]  # held, so that one gets that place
    news = [Variable([1.0, 2.0]) for _ in others]
    twin.apply_gradients(others, [np.ones(2)] * 100)
    fresh.apply_gradients(news, [np.ones(2)] * 100)
    assert_same(others, news)


def test_the_copy_keeps_no_parameter_alive() -> None:
    parameters, optimizer, _ = training(RULES["Adam"])
    twins, twin = copy.deepcopy((parameters, optimizer))
    watch = weakref.ref(twins.pop())
    gc.collect()
    assert watch() is None
    assert len(twin.state) == len(SHAPES) - 1
    assert len(optimizer.state) == len(SHAPES)


def test_the_copied_state_begins_where_a_line_of_the_cache_does() -> None:
    """As the original's: vectors that straddle two lines made a training step up to a tenth longer."""
    parameters, optimizer, _ = training(RULES["Adam"])
    twins, twin = copy.deepcopy((parameters, optimizer))
    starts = [array.ctypes.data for array in twin.state.of(twins[2], 3)]
    assert [start % 64 for start in starts] == [0, 0, 0]
