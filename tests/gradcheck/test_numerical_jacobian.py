"""Estimates hold their bounds, find the structure, and say where there is no derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import Estimate, estimate
from tests.gradcheck.elementwise import in_float64

Values = dict[str, Any]
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (5, 4))
W = RNG.normal(size=(4, 3))
B = RNG.normal(size=(1, 3))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def one(f: Callable[[Any], Any]) -> Callable[[Values], list[Any]]:
    """A function of `x` alone."""
    return lambda v: [f(v["x"])]


def holds(found: Estimate, truth: Any, tightness: float = 1e-10) -> None:
    """The error is within the bound everywhere, and the bound is small."""
    error = np.abs(found.dense() - truth)
    assert np.all(error <= found.dense("bound")), (error - found.dense("bound")).max()
    assert found.bound.max() <= tightness * np.abs(truth).max()


def per_row(blocks: Any) -> Any:
    """Block-diagonal matrix."""
    n, rows, columns = blocks.shape
    full = np.zeros((n * rows, n * columns))
    for i, block in enumerate(blocks):
        full[i * rows : (i + 1) * rows, i * columns : (i + 1) * columns] = block
    return full


@pytest.mark.parametrize(
    ("wrt", "structure", "truth"),
    [
        ("x", "rows", per_row(np.repeat(W.T[None], 5, axis=0))),
        ("w", "columns", np.kron(X, np.eye(3))),
        ("b", "columns", np.kron(np.ones((5, 1)), np.eye(3))),
    ],
)
def test_dense_layer(wrt: str, structure: str, truth: Any) -> None:
    found = estimate(lambda v: [v["x"] @ v["w"] + v["b"]], {"x": X, "w": W, "b": B}, wrt)
    assert found.structure == structure
    holds(found, truth, 1e-12)


def test_softmax_is_row_independent() -> None:
    y = softmax(X)
    found = estimate(one(softmax), {"x": X}, "x")
    assert found.structure == "rows"
    holds(found, per_row(np.stack([np.diag(row) - np.outer(row, row) for row in y])))


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e-3])
def test_an_elementwise_function_at_several_scales(scale: float) -> None:
    x = X * scale
    found = estimate(one(np.tanh), {"x": x}, "x")
    assert found.structure == "elementwise"
    holds(found, np.diag(1 / np.cosh(x.ravel()) ** 2))


def test_an_unstructured_function_is_estimated_densely() -> None:
    found = estimate(one(lambda x: np.cumsum(np.sin(x).ravel())), {"x": X}, "x")
    assert found.structure == "dense"
    holds(found, np.tril(np.ones((20, 20))) * np.cos(X.ravel()))


def test_rows_that_interact_are_not_taken_for_independent() -> None:
    found = estimate(one(lambda x: x - x.mean(axis=0)), {"x": X}, "x")
    assert found.structure == "columns"
    holds(found, np.kron(np.eye(5) - 0.2, np.eye(4)), 1e-12)


def test_a_structure_that_depends_on_the_values_is_caught_by_the_certificate() -> None:
    """Rows look independent unless the whole array moves at once, as it does along a random direction."""

    def lying(x: Any) -> Any:
        moved = np.count_nonzero((x != X).any(axis=1)) > 3
        return x * x + (x.sum() - X.sum() if moved else 0.0)

    found = estimate(one(lying), {"x": X}, "x")
    assert found.structure == "dense"


def test_several_outputs_of_different_shapes() -> None:
    found = estimate(lambda v: [v["x"] ** 2, v["x"].sum()], {"x": X}, "x")
    assert found.output_shapes == ((5, 4), ())
    holds(found, np.vstack([np.diag(2 * X.ravel()), np.ones(20)]))


def test_a_number_and_an_empty_array() -> None:
    holds(estimate(one(np.sin), {"x": np.array(0.3)}, "x"), np.cos([[0.3]]))
    assert estimate(one(lambda x: x), {"x": np.zeros((0, 3))}, "x").value.shape == (0, 0)


@pytest.mark.parametrize("f", [lambda x: np.ones(3), lambda x: x.argmax(axis=-1), lambda x: np.floor(x / 10)])
def test_constant_functions_have_derivative_zero(f: Callable[[Any], Any]) -> None:
    x = X + 0.1
    found = estimate(one(f), {"x": x}, "x")
    assert not found.value.any()
    assert found.bound.max() < 1e-9


def test_noise_is_measured_where_rounding_is_inside() -> None:
    found = estimate(one(in_float64(lambda x: (x + 1e8) - 1e8)), {"x": X}, "x")
    assert np.all(np.abs(found.dense() - np.eye(20)) <= found.dense("bound"))
    assert 1e-9 < np.median(found.bound[found.bound < 1]) < 1e-5
    assert found.bound.max() < 2
    wide = estimate(one(lambda x: (x + 1e8) - 1e8), {"x": X}, "x")
    holds(wide, np.eye(20), 2 * found.bound.max())


@pytest.mark.parametrize("x", [5e-7, 1e-12, 1e8, 3.0])
def test_a_logarithm_anywhere(x: float) -> None:
    holds(estimate(one(np.log), {"x": np.array([[x]])}, "x"), np.array([[1 / x]]), 1e-9)


def test_a_step_stays_inside_the_domain() -> None:
    seen: list[float] = []

    def f(v: Values) -> list[Any]:
        seen.extend([v["x"].min(), v["x"].max()])
        return [np.log(v["x"]) + np.log(1 - v["x"])]

    p = np.array([[0.25, 1e-6, 1 - 1e-6]])
    found = estimate(f, {"x": p}, "x", domain=(0.0, 1.0))
    assert 0 < min(seen) <= max(seen) < 1
    truth = (1 / p - 1 / (1 - p)).ravel()
    assert np.all(np.abs(np.diag(found.dense()) - truth) <= np.diag(found.dense("bound")))
    assert np.all(np.diag(found.dense("bound")) <= 1e-6 * np.abs(truth))


def test_outputs_of_0_say_nothing_about_the_noise_of_others() -> None:
    x = np.zeros((4, 10))
    x[0] = np.linspace(0.5, 1.5, 10)
    found = estimate(one(np.tanh), {"x": x}, "x")
    holds(found, np.diag(1 / np.cosh(x.ravel()) ** 2), 1e-9)
    assert found.structure == "elementwise"
    assert found.bound[0, :10].max() < 1e-10
    assert found.cost.rows["noise"] <= 4 * 18


def test_points_at_which_forward_raises_are_avoided() -> None:
    def f(x: Any) -> Any:
        if x.min() < 0.5:
            raise ValueError("too small")
        return x**2

    holds(estimate(one(f), {"x": np.array([[0.6, 1.0]])}, "x"), np.diag([1.2, 2.0]))


def test_a_function_that_is_not_finite_has_an_infinite_bound_and_a_reason() -> None:
    found = estimate(one(np.log), {"x": np.array([[-1.0, 1.0]])}, "x")
    assert np.isinf(found.bound[found.column == 0]).any()
    assert found.reason == "f is not finite at the point"
    assert np.isfinite(found.dense("bound")[1, 1])


def test_float32_is_estimated_with_an_honest_bound() -> None:
    x = X.astype(np.float32)
    found = estimate(one(np.sin), {"x": x}, "x")
    assert np.all(np.abs(found.dense() - np.diag(np.cos(x.ravel().astype(np.float64)))) <= found.dense("bound"))
    assert 1e-7 < found.bound.max() < 1e-3


def test_a_wave_whose_period_divides_the_steps_is_not_overlooked() -> None:
    for level in range(1, 10):
        wave = 2 * np.pi * 2.0**level
        found = estimate(one(lambda x, wave=wave: np.sin(x * wave)), {"x": X}, "x")
        truth = np.diag(wave * np.cos(X.ravel() * wave))
        assert np.all(np.abs(found.dense() - truth) <= found.dense("bound") + 1e-16 * wave * wave)


def test_cost_is_counted_by_stage() -> None:
    calls = 0

    def f(v: Values) -> list[Any]:
        nonlocal calls
        calls += 1
        return [v["x"] @ W]

    found = estimate(f, {"x": X}, "x")
    assert sum(found.cost.calls.values()) == calls
    assert set(found.cost.calls) >= {"structure", "noise", "affine", "steps"}


@pytest.mark.parametrize("seed", range(20))
def test_outputs_that_cancel_do_not_keep_a_dense_layer_from_one_long_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {"x": rng.normal(size=(16, 64)), "w": rng.normal(size=(64, 32)) / 8}
    found = estimate(lambda v: [v["x"] @ v["w"]], values, "x")
    assert found.cost.rows["steps"] < 5 * 64 * 16  # what a short ladder takes
