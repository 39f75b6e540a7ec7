"""Directions, curves and projections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.numerical import curve, directional, project

RNG = np.random.default_rng(3)
V = {"x": RNG.normal(size=(3, 4)), "w": RNG.normal(size=(4, 2))}


def forward(v: Any) -> list[Any]:
    return [np.sin(v["x"]) @ v["w"]]


def vjp(cotangents: list[Any], wrong: tuple[int, int] | None = None, by: float = 1e-5) -> dict[str, Any]:
    g = cotangents[0]
    w = np.sin(V["x"]).T @ g
    if wrong:
        w[wrong] += by
    return {"x": np.cos(V["x"]) * (g @ V["w"].T), "w": w}


def test_a_directional_derivative_with_a_bound() -> None:
    d = {name: RNG.normal(size=value.shape) for name, value in V.items()}
    ((value, bound),) = directional(forward, V, d)
    truth = (np.cos(V["x"]) * d["x"]) @ V["w"] + np.sin(V["x"]) @ d["w"]
    assert np.all(np.abs(value - truth) <= bound)
    assert bound.max() < 1e-8


def test_a_direction_stays_inside_the_domain() -> None:
    p = {"p": np.array([0.5, 1e-3])}
    ((value, bound),) = directional(lambda v: [np.log(v["p"])], p, {"p": np.ones(2)}, domains={"p": (0.0, 1.0)})
    assert np.all(np.abs(value - 1 / p["p"]) <= bound)


def test_a_correct_claim_passes_and_states_its_power() -> None:
    result = project(forward, V, vjp, ("x", "w"))
    assert not result.wrong
    assert result.culprit is None
    assert result.rho < 1e-6
    assert "escapes with probability below 1e-09" in result.power


@pytest.mark.parametrize("place", [(0, 0), (2, 1), (3, 0)])
def test_a_wrong_entry_is_found_by_bisection(place: tuple[int, int]) -> None:
    result = project(forward, V, lambda u: vjp(u, place), ("x", "w"))
    assert result.wrong
    assert result.culprit is not None
    assert (result.culprit.wrt, result.culprit.index) == ("w", place)
    assert abs(result.culprit.claimed - result.culprit.measured - 1e-5) <= result.culprit.bound


def test_a_claim_that_forward_overwrites_is_read_before() -> None:
    gradient = np.zeros(5)

    def forward(v: Any) -> list[Any]:
        gradient[:] = 7
        return [np.sum(v["x"] ** 2)]

    def vjp(cotangents: list[Any]) -> dict[str, Any]:
        gradient[:] = 2 * x
        return {"x": gradient}

    x = np.arange(1.0, 6.0)
    assert not project(forward, {"x": x}, vjp, ("x",)).wrong


def test_a_forward_that_raises_on_the_way_leaves_nothing_known_of_it() -> None:
    x = np.arange(1.0, 6.0)

    def forward(v: Any) -> list[Any]:
        if abs(v["x"] - x).max() > 0:
            raise ValueError("only there")
        return [np.sum(v["x"] ** 2)]

    result = project(forward, {"x": x}, lambda u: {"x": 2 * x}, ("x",))
    assert not result.wrong
    assert result.rho == np.inf


def test_planted_errors_of_norm_rho_escape_less_often_than_stated() -> None:
    escaped = 0
    for seed in range(100):
        rho = project(forward, V, vjp, ("w",), seed=seed, escape=0.2, cotangents=1, directions=1).rho
        size = float(np.sqrt(np.mean(V["w"] ** 2)))
        result = project(
            forward, V, lambda u, by=rho / size: vjp(u, (1, 1), by), ("w",), seed=seed, cotangents=1, directions=1
        )
        escaped += not result.wrong
    assert escaped <= 20


def test_a_curve_is_v_shaped_and_costs_few_calls() -> None:
    calls = []

    def counted(v: Any) -> list[Any]:
        calls.append(v)
        return forward(v)

    steps, quotients = curve(counted, V, "x", 0, 0)
    truth = np.cos(V["x"][0, 0]) * V["w"][0, 0]
    errors = np.abs(quotients - truth)
    best = np.nanargmin(errors)
    assert errors[0] > 1e3 * errors[best] < errors[-1]
    assert (np.diff(steps) < 0).all()
    assert len(calls) <= 1 + 2 * len(steps) <= 20
