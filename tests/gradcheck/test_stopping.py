"""Right code whose forward stops at a tolerance is right, and says so; wrong code beside it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.integrate

from gradcheck import check
from gradcheck.comparing.stopping import STOPS
from gradcheck.results import ComponentResult


def kepler(M: Any) -> Any:
    E = M
    while True:
        step = (E - 0.3 * np.sin(E) - M) / (1 - 0.3 * np.cos(E))
        E = E - step
        if abs(step) < 1e-3:
            return E


def kepler_slope(M: Any) -> Any:
    return 1 / (1 - 0.3 * np.cos(kepler(M)))


def root_of_a_contraction(c: Any) -> Any:
    x, last = 0.0, 1.0
    while abs(x - last) > 1e-6:
        last, x = x, c * np.cos(x)
    return x


def contraction_slope(c: Any) -> Any:
    x = root_of_a_contraction(c)
    return np.cos(x) / (1 + c * np.sin(x))


def contraction_not_yet_near(c: Any) -> Any:
    x = 0.0
    for _ in range(200):
        last, x = x, c * np.cos(x)
        if not abs(x - last) >= 1e-6:
            return x
    raise ArithmeticError("it does not converge")


def decay(c: Any) -> Any:
    return scipy.integrate.solve_ivp(lambda t, y: -c * y * y, (0, 1), [1.0], rtol=1e-6, atol=1e-9).y[0, -1]


def decay_slope(c: Any) -> Any:
    return -1 / (1 + c) ** 2


class Cubic:
    """y + y³ = x, by Newton; the tolerance is an attribute."""

    def __init__(self, tol: float = 1e-4) -> None:
        self.tol = tol
        self.factor = 1.0

    def forward(self, x: Any) -> Any:
        y = np.zeros_like(x)
        for _ in range(60):
            move = (y + y**3 - x) / (1 + 3 * y**2)
            y = y - move
            if np.abs(move).max() < self.tol:
                break
        self.y = y
        return y

    def backward(self, g: Any) -> Any:
        return self.factor * g / (1 + 3 * self.y**2)


class CubicNearlyRight(Cubic):
    """Wrong by a tenth of the tolerance."""

    def __init__(self, tol: float = 1e-4) -> None:
        super().__init__(tol)
        self.factor = 1 + 1e-5


STOPPING = [
    (kepler, kepler_slope),
    (root_of_a_contraction, contraction_slope),
    (contraction_not_yet_near, contraction_slope),
    (decay, decay_slope),
]


def note_of(result: ComponentResult) -> list[str]:
    return [note.text for note in result.notes if note.text == STOPS]


@pytest.mark.parametrize(("f", "slope"), STOPPING)
def test_what_stops_at_a_tolerance_is_right_of_what_it_comes_near_to(f: Any, slope: Any) -> None:
    result = check(f, 0.7, deriv=slope)
    assert result.verdict == "correct"
    assert note_of(result) == [STOPS]


@pytest.mark.parametrize(("f", "slope"), STOPPING)
def test_a_mistake_as_small_as_the_tolerance_is_wrong(f: Any, slope: Any) -> None:
    result = check(f, 0.7, deriv=lambda x: (1 - 1e-6) * slope(x))
    assert result.verdict == "wrong"
    assert not note_of(result)


def test_a_tolerance_that_the_object_holds_is_one() -> None:
    right, wrong = check(Cubic), check(CubicNearlyRight)
    assert right.verdict == "correct"
    assert note_of(right) == [STOPS]
    assert wrong.verdict == "wrong"


def counted(x: Any) -> Any:
    """No tolerance: how many times it runs is compared with a number, and rounds are left at a large one."""
    total, rounds = 0.0 * x, 0
    while rounds < 4:
        total, rounds = total + x**rounds, rounds + 1
        if rounds > 1e6:
            break
    return total


def test_a_loop_that_counts_is_not_stopped_otherwise() -> None:
    assert check(counted, 0.7, deriv=lambda x: 1 + 2 * x + 3 * x**2).verdict == "correct"
    for other in (lambda x: 0.0 * x, lambda x: 1 + 2 * x):  # as if it ran less often
        result = check(counted, 0.7, deriv=other)
        assert result.verdict == "wrong"
        assert not note_of(result)


def forgets(p: Any) -> Any:
    total = 0.0
    for _ in range(3):
        total = total - np.log(p + 1e-4)
    return total


def test_an_epsilon_in_a_loop_is_no_tolerance() -> None:
    result = check(forgets, 0.3, deriv=lambda p: -3 / p)
    assert result.verdict == "wrong"
    assert [cause.name for cause in result.claims[0].causes] == ["missing epsilon"]
