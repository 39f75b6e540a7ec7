"""The entries that a result lists are the Jacobian's own, each once, however the claim was asked for."""

import numpy as np
import pytest

import gradcheck
from gradcheck.asking.cotangents import SINGLE

# Up to SINGLE outputs each has a cotangent of its own; beyond, many share one, with factors of ±1 and ±2.
SIZES = (3, SINGLE, SINGLE + 1, 150)


@pytest.mark.parametrize("size", SIZES)
def test_wrong_entries_are_counted_once_and_have_the_derivative_s_own_values(size):
    x = np.linspace(1.0, 2.0, size)
    wrong = np.arange(size) % 3 == 1

    result = gradcheck.check(lambda x: x**2, x, vjp=lambda x, g: np.where(wrong, 3 * x, 2 * x) * g)

    (claim,) = result.claims
    assert claim.wrong_count == wrong.sum()
    assert [entry.index for entry in claim.wrong] == [(int(i),) for i in np.flatnonzero(wrong)[:12]]
    for entry in [*claim.wrong, claim.worst]:
        (i,) = entry.index
        assert entry.output == (i,)
        assert entry.claim == pytest.approx(3 * x[i], rel=1e-12)
        assert abs(entry.estimate - 2 * x[i]) <= entry.bound <= entry.tolerance < 1e-9


@pytest.mark.parametrize("size", SIZES)
def test_the_convention_at_a_kink_does_not_depend_on_how_many_outputs_there_are(size):
    x = np.linspace(1.0, 2.0, size)
    x[size // 2] = 0.0

    def at_zero(slope):
        result = gradcheck.check(np.abs, x, vjp=lambda x, g: np.where(x == 0, slope, np.sign(x)) * g)
        return result.verdict, [(kink.index, kink.claim, kink.convention) for kink in result.claims[0].kinks]

    assert at_zero(1.0) == ("correct", [((size // 2,), 1.0, "the right derivative")])
    assert at_zero(-1.0) == ("correct", [((size // 2,), -1.0, "the left derivative")])
    assert at_zero(0.5) == ("correct", [((size // 2,), 0.5, "between the two sides")])
    assert at_zero(2.0) == ("wrong", [((size // 2,), 2.0, "none")])


def test_a_claim_that_is_wrong_in_a_mixture_only_has_no_entries():
    """One cotangent for all outputs: no entry of the Jacobian is known to be wrong, and the claim is all the same."""
    x = np.array([1.0, 2.0, 3.0])

    def vjp(x, g):
        return 2 * x * g + 0.5 * (np.count_nonzero(g) > 1)

    result = gradcheck.check(lambda x: x**2, x, vjp=vjp)
    assert result.verdict == "wrong"
    assert (result.claims[0].wrong_count, result.claims[0].wrong) == (0, ())
