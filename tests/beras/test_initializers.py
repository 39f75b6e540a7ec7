import numpy as np
import pytest

from beras.initializers import INITIALIZERS, initialize

VARIANCES = {
    "zero": 0.0,
    "normal": 1.0,
    "xavier": 2 / (300 + 500),
    "kaiming": 2 / 300,
    "xavier uniform": 2 / (300 + 500),
    "kaiming uniform": 2 / 300,
}
LARGEST = {  # over the standard deviation; a normal cut at two, and rescaled by 0.8796, ends at 2 / 0.8796
    "xavier": 2 / 0.87962566103423978,
    "kaiming": 2 / 0.87962566103423978,
    "xavier uniform": np.sqrt(3),
    "kaiming uniform": np.sqrt(3),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_variance(name):
    w = initialize(name, 300, 500, dtype=np.float64, seed=1)
    assert w.shape == (300, 500)
    n, variance = w.size, VARIANCES[name]
    assert abs(w.mean()) <= 5 * np.sqrt(variance / n)
    # the variance of a sample variance is at most 2 σ⁴ / n for these (kurtosis at most that of the normal)
    assert abs(w.var() - variance) <= 5 * variance * np.sqrt(2 / n)


@pytest.mark.parametrize("name", LARGEST)
def test_values_end_where_the_distribution_ends(name):
    w = initialize(name, 300, 500, dtype=np.float64, seed=1) / np.sqrt(VARIANCES[name])
    assert LARGEST[name] * 0.999 < np.abs(w).max() <= LARGEST[name] * (1 + 1e-12)


def test_a_plain_normal_is_not_truncated():
    assert np.abs(initialize("normal", 300, 500, seed=1)).max() > 4


def test_the_seed_repeats_the_draw_and_a_generator_goes_on():
    same = [initialize("xavier", 3, 4, seed=7) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    random = np.random.default_rng(7)
    first, second = (initialize("xavier", 3, 4, seed=random) for _ in range(2))
    np.testing.assert_array_equal(first, same[0])
    assert (first != second).all()
    assert (initialize("normal", 3, 4) != initialize("normal", 3, 4)).all()


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown initializer 'he'.*'zero', 'normal', 'xavier', 'kaiming'"):
        initialize("he", 2, 3)
