"""Objects of many styles become problems whose claims are right where the objects are."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from gradcheck.adapters import is_subject, subject_of
from gradcheck.problem import Array, Method, Problem, Sizes
from tests.gradcheck import adapter_cases as cases
from tests.gradcheck import adapter_idioms as idioms

RIGHT: list[tuple[Any, dict[str, tuple[int, ...]]]] = [
    (cases.Dense, {"x": (5, 4), "w": (4, 3), "b": (1, 3)}),
    (cases.Kept("list"), {"x": (5, 4), "held[0]": (4, 3), "held[1]": (1, 3)}),
    (cases.Kept("tuple"), {"x": (5, 4), "held[0]": (4, 3), "held[1]": (1, 3)}),
    (cases.Kept("dict"), {"x": (5, 4), "held['w']": (4, 3), "held['b']": (1, 3)}),
    (cases.Kept("part"), {"x": (5, 4), "held.w": (4, 3), "held.b": (1, 3)}),
    (cases.Scale, {"x": (5, 4), "a": (4,), "c": (4,), "t": (4,)}),
    (cases.RunningMean, {"x": (5, 4)}),
    (cases.Counting, {"x": (5, 4)}),
    (cases.Noise, {"x": (5, 4)}),
    (cases.Noise(own=False), {"x": (5, 4)}),
    (cases.Product, {"x": (5, 4), "y": (4, 5)}),
    (cases.Sum, {"x0": (5, 4), "x1": (5, 4)}),
    (cases.Pool, {"x": (2, 4, 2, 4)}),
    (cases.LeavesAttributes, {"x": (5, 4), "W": (4, 3), "b": (3,)}),
    (cases.LeavesDict, {"x": (5, 4), "params['W']": (4, 3), "params['b']": (3,)}),
    (cases.LeavesInParameters, {"x": (5, 4), "weight": (4, 3), "bias": (3,)}),
    (cases.ReturnsAll, {"x": (5, 4), "W": (4, 3), "b": (3,)}),
    (cases.ColumnSoftmax, {"x": (4, 1)}),
    (cases.SquaredLoss, {"y_pred": (5, 4), "y_true": (5, 4)}),
    (cases.Updates, {"input": (5, 4), "weights": (4, 3), "bias": (1, 3)}),
    (cases.Updates(4, 3, rebind=True), {"input": (5, 4), "weights": (4, 3), "bias": (1, 3)}),
    (cases.ColumnUpdates, {"input": (4, 1), "weights": (3, 4), "bias": (3, 1)}),
    (idioms.LeavesEverything, {"inputs": (5, 4), "weights": (4, 3), "biases": (1, 3)}),
    (idioms.LongNames, {"A": (5, 4), "W": (3, 4), "b": (3, 1)}),
    (idioms.BatchNorm, {"Z": (5, 4), "BW": (1, 4), "Bb": (1, 4)}),
    (idioms.Convolution, {"A": (2, 4, 2, 3), "W": (3, 4, 2, 2), "b": (3,)}),
    (idioms.InList, {"x": (5, 4), "params[0]": (4, 3)}),
    (idioms.Stateless, {"input": (5, 4), "weights": (4, 3), "biases": (3,)}),
    (idioms.SoftmaxWithLoss, {"x": (5, 4), "t": (5, 4)}),
    (idioms.Recurrent, {"x": (5, 4), "h": (5, 7), "Wx": (4, 7), "Wh": (7, 7), "b": (7,)}),
    (idioms.affine_forward, {"x": (5, 4), "w": (4, 3), "b": (3,)}),
]
NAMES = [
    getattr(thing, "__name__", None) or f"{type(thing).__name__} instance {n}" for n, (thing, _) in enumerate(RIGHT)
]


def build(thing: Any, **sizes: int) -> tuple[Problem, dict[str, Array]]:
    """Build a problem, and values at which it is asked."""
    problem = subject_of(thing).build(Sizes(**sizes), np.random.default_rng(0))
    rng = np.random.default_rng(1)
    values = {}
    for variable in problem.variables:
        drawn = rng.uniform(0.1, 0.9, size=variable.example.shape).round(2)
        values[variable.name] = np.array(variable.example, dtype=float) if variable.constant else drawn
    return problem, values


def numeric(problem: Problem, values: dict[str, Array], name: str, cotangents: list[Array]) -> Array:
    """gᵀ · ∂f/∂name by central differences."""
    gradient = np.zeros(values[name].shape)
    for index in np.ndindex(gradient.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = values[name].copy()
            moved[index] += step
            outputs = problem.forward({**values, name: moved})
            sides.append(sum(float(np.sum(g * y)) for g, y in zip(cotangents, outputs, strict=True)))
        gradient[index] = (sides[0] - sides[1]) / 2e-6
    return gradient


def products(problem: Problem) -> list[Method]:
    return [method for method in problem.methods if method.kind == "vjp"]


@pytest.mark.parametrize(("thing", "shapes"), RIGHT, ids=NAMES)
def test_variables_are_found_and_products_are_right(thing: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    problem, values = build(thing)
    assert {v.name: v.example.shape for v in problem.variables} == shapes
    rng = np.random.default_rng(2)
    cotangents = [np.asarray(rng.normal(size=y.shape)) for y in problem.forward(values)]
    asked: set[str] = set()
    assert products(problem)
    for method in products(problem):
        answer = method.at(values)([g.copy() for g in cotangents])
        assert len(answer) == len(method.wrt)
        for name, gradient in zip(method.wrt, answer, strict=True):
            if problem.variable(name).constant:
                continue
            asked.add(name)
            expected = numeric(problem, values, name, cotangents)
            assert gradient.shape == expected.shape
            np.testing.assert_allclose(gradient, expected, atol=1e-7, rtol=1e-6)
    assert asked == {v.name for v in problem.variables if not v.constant}


@pytest.mark.parametrize(("thing", "shapes"), RIGHT, ids=NAMES)
def test_forward_is_pure_and_deterministic(thing: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    problem, values = build(thing)
    before = {name: array.copy() for name, array in values.items()}
    first = problem.forward(values)
    first[0][...] = 7.0
    second, third = problem.forward(values), problem.forward(values)
    for a, b in zip(second, third, strict=True):
        np.testing.assert_array_equal(a, b)
    for name, array in values.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128"])
def test_weights_come_in_the_type_that_they_are_given_in(dtype: str) -> None:
    problem, values = build(cases.Dense)
    outputs = problem.forward({name: array.astype(dtype) for name, array in values.items()})
    assert outputs[0].dtype == dtype
    gradients = products(problem)[1].at({n: a.astype(dtype) for n, a in values.items()})([np.ones((5, 3), dtype)])
    assert {g.dtype for g in gradients} == {np.dtype(dtype)}


def test_a_tiny_change_of_a_float32_weight_is_seen() -> None:
    layer = cases.Dense(4, 3)
    layer.w = layer.w.astype(np.float32)
    problem, values = build(layer)
    moved = {**values, "w": values["w"] + 1e-12}
    assert np.any(problem.forward(moved)[0] != problem.forward(values)[0])


def test_an_instance_is_left_as_it_was() -> None:
    layer = cases.Dense(4, 3)
    layer(np.ones((2, 4)))
    w, kept = layer.w, dict(vars(layer))
    problem, values = build(layer)
    problem.forward(values)
    for method in problem.methods:
        method.at(values)([np.ones((5, 3))])
    assert layer.w is w
    assert vars(layer) == kept


def test_weights_keep_their_class_and_attributes() -> None:
    seen = []

    class Watching(cases.Scale):
        def forward(self, x: Array) -> Array:
            seen.append(self.t)
            return super().forward(x)

    problem, values = build(Watching(4))
    problem.forward(values)
    assert isinstance(seen[-1], cases.Marked)
    assert seen[-1].name == "mine"


def test_forward_puts_everything_back_after_an_exception() -> None:
    class Fails(cases.Dense):
        def forward(self, x: Array) -> Array:
            self.trace = x
            if np.any(x > 10):
                raise RuntimeError("too large")
            return super().forward(x)

    problem, values = build(Fails(4, 3))
    right = problem.forward(values)[0]
    with pytest.raises(RuntimeError, match="too large"):
        problem.forward({**values, "x": values["x"] + 100, "w": values["w"] * 0})
    np.testing.assert_array_equal(problem.forward(values)[0], right)


def test_each_call_is_asked_about_itself() -> None:
    problem, values = build(cases.Dense)
    other = {name: array + 1 for name, array in values.items()}
    weights = products(problem)[1]
    g = [np.ones((5, 3))]
    first = weights.at(values)
    alone = [one.copy() for one in first(g)]
    second = weights.at(other)
    problem.forward(other)
    second(g)
    for again, before in zip(first(g), alone, strict=True):
        np.testing.assert_array_equal(again, before)


def test_a_stale_cache_shows() -> None:
    problem, values = build(cases.Remembers)
    method = products(problem)[0]
    g = [np.ones((5, 4))]
    first = method.at(values)(g)[0]
    second = method.at({"x": values["x"] + 1})(g)[0]
    np.testing.assert_array_equal(first, second)


def test_a_forward_that_writes_into_its_input_is_evaluated_at_the_right_point() -> None:
    problem, values = build(cases.Greedy)
    np.testing.assert_array_equal(problem.forward(values)[0], np.sin(values["x"]))
    copy = values["x"].copy()
    products(problem)[0].at({"x": copy})
    assert not np.any(copy), "a call for a derivative is a user's call: what it changes is for the contract to see"


def test_a_weight_and_an_input_of_one_name_are_kept_apart() -> None:
    class Same(cases.Dense):
        def forward(self, w: Array) -> Array:
            return w @ self.w + self.b

    problem, values = build(Same)
    assert [v.name for v in problem.variables] == ["w", "self.w", "b"]
    by_w = products(problem)[1].at(values)([np.ones((5, 3))])[0]
    np.testing.assert_allclose(by_w, numeric(problem, values, "self.w", [np.ones((5, 3))]), atol=1e-7)


def test_running_statistics_are_put_back() -> None:
    layer = cases.RunningMean(4)
    problem, values = build(layer)
    live = problem.forward.__self__  # type: ignore[attr-defined]
    problem.forward(values)
    assert live.obj.calls == 0
    np.testing.assert_array_equal(live.obj.running, np.zeros(4))


def test_global_random_numbers_are_pinned_and_given_back() -> None:
    problem, values = build(cases.Noise(own=False))
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.normal(size=3)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    problem.forward(values)
    products(problem)[0].at(values)([np.ones((5, 4))])
    np.testing.assert_array_equal(np.random.normal(size=3), expected)  # noqa: NPY002


@pytest.mark.parametrize("sizes", [{"batch": 1}, {"inputs": 1}, {"batch": 3, "inputs": 5, "outputs": 2}], ids=str)
def test_sizes_are_followed(sizes: dict[str, int]) -> None:
    _, values = build(cases.Dense, **sizes)
    wanted = Sizes(**sizes)
    assert values["x"].shape == (wanted.batch, wanted.inputs)
    assert values["w"].shape == (wanted.inputs, wanted.outputs)


def test_recognising_runs_no_code_of_the_subject() -> None:
    class Explosive(cases.Dense):
        @property
        def weights(self) -> Any:
            raise RuntimeError("not now")

        @property
        def parameters(self) -> Any:
            raise RuntimeError("not now")

    assert is_subject(Explosive)
    assert is_subject(Explosive(2, 2))
    assert not is_subject(int)
    assert not is_subject(np.tanh)
    assert not is_subject(cases.Box)


@pytest.mark.parametrize(("thing", "shapes"), RIGHT, ids=NAMES)
def test_forward_travels_to_other_processes(thing: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    problem, values = build(thing)
    here = problem.forward(values)
    there = pickle.loads(pickle.dumps(problem.forward))(values)
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_take_turns() -> None:
    problem, values = build(cases.Dense)
    points = [{**values, "w": values["w"] * factor} for factor in range(40)]
    expected = [problem.forward(point)[0] for point in points]
    with ThreadPoolExecutor(4) as pool:
        for found, right in zip(pool.map(problem.forward, points), expected, strict=True):
            np.testing.assert_array_equal(found[0], right)
