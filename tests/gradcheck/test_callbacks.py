"""Solvers in C, whose callbacks are given long double: what is raised there is a refusal, and is not printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize

from gradcheck import check, numerical_jacobian
from gradcheck.callbacks import raising
from tests.gradcheck.elementwise import needs_long_double

C = np.array([0.3, 1.2, -0.7])
Solver = Callable[[Any], Any]


def by_fsolve(c: Any) -> Any:
    return scipy.optimize.fsolve(lambda y: y**3 + y - c, np.zeros(c.shape), xtol=1e-13)


def by_root(c: Any) -> Any:
    return scipy.optimize.root(lambda y: y**3 + y - c, np.zeros(c.shape), tol=1e-13).x


def by_leastsq(c: Any) -> Any:
    return scipy.optimize.leastsq(lambda y: y**3 + y - c, np.zeros(c.shape), xtol=1e-13, ftol=1e-13)[0]


@needs_long_double
@pytest.mark.parametrize("solve", [by_fsolve, by_root, by_leastsq])
def test_a_solver_that_takes_no_long_double_is_judged_and_prints_nothing(
    solve: Solver, capfd: pytest.CaptureFixture[str]
) -> None:
    def slope(c: Any) -> Any:
        return 1 / (3 * solve(c) ** 2 + 1)

    assert check(solve, C, deriv=slope).verdict == "correct"
    assert check(solve, C, deriv=lambda c: slope(c) * (1 + 1e-6)).verdict == "wrong"
    numerical_jacobian(solve, C)
    assert capfd.readouterr() == ("", "")


def test_what_a_callback_raises_is_raised_and_the_hook_is_put_back() -> None:
    before = sys.excepthook
    with pytest.raises(KeyError), raising():
        sys.excepthook(KeyError, KeyError("x"), None)
    assert sys.excepthook is before
    with pytest.raises(ValueError, match="its own"), raising():
        raise ValueError("its own")
    assert sys.excepthook is before
