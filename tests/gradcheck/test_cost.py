"""How often a function is called that may take half a second: the gradient of a scalar, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Options, check

POINTS = np.random.default_rng(0).normal(size=(20, 100))


@pytest.mark.parametrize(("n", "most"), [(10, 120), (100, 700)])
@pytest.mark.parametrize("slip", [0.0, 0.01])
def test_a_wrong_gradient_costs_at_most_twice_what_a_right_one_may(n: int, most: int, slip: float) -> None:
    a = POINTS[:, :n]
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        return np.log1p(np.exp(a @ x)).sum()

    def gradient(x):
        found = a.T @ (1 / (1 + np.exp(-a @ x)))
        found[n // 2] *= 1 + slip
        return found

    result = check(f, np.linspace(-0.5, 0.6, n), grad=gradient, options=Options(exact=False))
    assert result.verdict == ("wrong" if slip else "correct")
    assert calls <= most * (2 if slip else 1)
    if slip:
        assert result.claims[0].causes[0].name == "one entry wrong"
        assert result.claims[0].matrices is not None
