"""Forward, exactly: along a direction, by blocks of columns, and for inputs that are no floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.exact import along, jacobian, one_sided, second
from gradcheck.exact.evaluate import each_along

RNG = np.random.default_rng(0)


def network(values: Any) -> list[Any]:
    hidden = np.tanh(values["x"] @ values["w"] + values["b"])
    e = np.exp(hidden - hidden.max(axis=1, keepdims=True))
    return [e / e.sum(axis=1, keepdims=True), np.mean(hidden**2)]


VALUES = {"x": RNG.normal(size=(3, 4)), "w": RNG.normal(size=(4, 5)), "b": RNG.normal(size=(1, 5))}


def flat(parts: list[Any]) -> Any:
    return np.concatenate([part.ravel() for part in parts])


def test_values_are_those_of_the_very_floats() -> None:
    """0.1 is no tenth."""
    found = along(lambda v: [v["x"] * 10 - 1], {"x": np.array([0.1])}, {})
    assert float(found.value[0][0]) == 10 * 3602879701896397 % 2**55 / 2**55


def test_the_jacobian_in_blocks_is_that_along_each_direction() -> None:
    for name, value in VALUES.items():
        columns = []
        for place in range(value.size):
            unit = np.zeros(value.shape)
            unit.flat[place] = 1.0
            columns.append(flat(along(network, VALUES, {name: unit}).derivative))
        found = jacobian(network, VALUES, name)
        assert found.shape == (16, value.size)
        assert all(a.overlaps(b) for a, b in zip(found.ravel(), np.stack(columns, axis=1).ravel(), strict=True))
        assert all(ball.rad() < 1e-25 for ball in found.flat)


def test_several_directions_in_one_run_are_each_of_them_alone() -> None:
    directions = {name: RNG.normal(size=value.shape) for name, value in VALUES.items()}
    together = each_along(network, VALUES, directions)
    for name, direction in directions.items():
        alone = one_sided(network, VALUES, {name: direction})
        for one, other in zip(together[name].right, alone.right, strict=True):
            assert one.shape == other.shape
            assert all(a.overlaps(b) and a.rad() < 1e-25 for a, b in zip(one.flat, other.flat, strict=True))
        assert together[name].trace.piece == alone.trace.piece


def test_where_numbers_tie_each_direction_decides_for_itself() -> None:
    values = {"x": np.ones(2), "y": np.ones(2)}
    assert each_along(lambda v: [np.maximum(v["x"], v["y"])], values, values) == {}
    assert each_along(lambda v: [np.maximum(v["x"], v["y"])], {**values, "y": np.zeros(2)}, values).keys() == {"x", "y"}


def test_a_jacobian_of_more_columns_than_a_block_has() -> None:
    x = RNG.normal(size=150)
    found = jacobian(lambda v: [v["x"][:3] * v["x"].sum()], {"x": x}, "x").astype(float)
    np.testing.assert_allclose(found, np.eye(3, 150) * x.sum() + x[:3, None])


def test_second_derivatives_of_a_network() -> None:
    """Against differences of exact first ones."""
    v, w = ({name: RNG.normal(size=value.shape) for name, value in VALUES.items()} for _ in range(2))
    h = 2.0**-20
    above, below = (
        flat(along(network, {name: value + s * v[name] for name, value in VALUES.items()}, w).derivative).astype(float)
        for s in (h, -h)
    )
    found = flat(second(network, VALUES, v, w)).astype(float)
    np.testing.assert_allclose(found, (above - below) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(found, flat(second(network, VALUES, w, v)).astype(float), rtol=1e-12)


def test_second_derivatives_of_one_variable_along_the_other() -> None:
    values = {"x": np.array([2.0]), "y": np.array([3.0])}
    one = {"x": np.ones(1)}, {"y": np.ones(1)}
    found = second(lambda v: [v["x"] ** 3 * v["y"] ** 2, np.maximum(v["x"], 0), v["x"] * 0], values, *one)
    assert [float(part[0]) for part in found] == [72, 0, 0]


def test_a_jacobian_through_complex_numbers() -> None:
    x = RNG.normal(size=5)
    spectrum = jacobian(lambda v: [np.abs(np.fft.rfft(v["x"])) ** 2 + np.fft.fft(v["x"]).imag[:3]], {"x": x}, "x")
    transform = np.fft.fft(np.eye(5))[:3]
    expected = 2 * (transform * np.conj(transform @ x)[:, None]).real + transform.imag
    np.testing.assert_allclose(spectrum.astype(float), expected, atol=1e-12)


def test_a_kink_that_all_columns_meet_alike_has_two_sides() -> None:
    def relu_of_sum(values: dict[str, Any]) -> list[Any]:
        return [np.maximum(values["x"].sum(), 0.0)]

    for x in (np.array([0.5, -0.5]), np.array(0.0), np.array([0.0])):
        ahead, behind = (jacobian(relu_of_sum, {"x": x}, "x", side=side) for side in (1, -1))
        assert (ahead == 1).all()
        assert (behind == 0).all()


def test_a_jacobian_of_nothing() -> None:
    assert jacobian(lambda v: [v["y"]], {"x": np.zeros((0, 3)), "y": np.ones(2)}, "x").shape == (2, 0)


def test_directions_of_several_variables_add_up() -> None:
    tangents = {name: RNG.normal(size=value.shape) for name, value in VALUES.items()}
    together = flat(along(network, VALUES, tangents).derivative)
    parts = [flat(along(network, VALUES, {name: t}).derivative) for name, t in tangents.items()]
    assert all(a.overlaps(b) for a, b in zip(together, parts[0] + parts[1] + parts[2], strict=True))


def test_integers_that_are_not_differentiated_stay_integers() -> None:
    def forward(values: Any) -> list[Any]:
        assert values["rows"].dtype.kind == "i"
        return [values["w"][values["rows"]] * values["rows"][:, None]]

    values = {"w": np.ones((4, 2)), "rows": np.array([2, 0, 2])}
    assert along(forward, values, {"w": np.ones((4, 2))}).derivative[0].astype(float).tolist() == [
        [2, 2],
        [0, 0],
        [2, 2],
    ]


def test_integers_that_are_differentiated_count_as_floats() -> None:
    found = along(lambda v: [v["x"] / 2], {"x": np.array([3])}, {"x": np.array([1.0])})
    assert float(found.derivative[0][0]) == 0.5


def test_outputs_that_depend_on_nothing_have_the_derivative_zero() -> None:
    found = along(lambda v: [np.ones(2), 3.0, np.array([1, 2])], {"x": np.ones(1)}, {"x": np.ones(1)})
    assert [part.astype(float).tolist() for part in found.derivative] == [[0, 0], 0, [0, 0]]


def test_without_a_tie_both_sides_are_one_run() -> None:
    found = one_sided(network, VALUES, {"x": np.ones((3, 4))})
    assert all(a is b for a, b in zip(found.left, found.right, strict=True))
    assert not any(mask.any() for mask in (*found.kinks, *found.jumps))


def test_python_scalars_and_lists_are_outputs_too() -> None:
    found = along(lambda v: [[v["x"][0], 2 * v["x"][0]]], {"x": np.ones(1)}, {"x": np.ones(1)})
    assert found.derivative[0].astype(float).tolist() == [1, 2]
