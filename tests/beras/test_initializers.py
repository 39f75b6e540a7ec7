import numpy as np
import pytest

from beras.initializers import INITIALIZERS, KERAS_NAMES, Constant, initialize

VARIANCES = {
    "zero": 0.0,
    "normal": 1.0,
    "xavier": 2 / (300 + 500),
    "kaiming": 2 / 300,
    "xavier uniform": 2 / (300 + 500),
    "kaiming uniform": 2 / 300,
    "lecun": 1 / 300,
    "lecun uniform": 1 / 300,
    "random normal": 0.05**2,
    "uniform": 0.05**2 / 3,
    "orthogonal": 1 / 500,
}
LARGEST = {  # over the standard deviation; a normal cut at two, and rescaled by 0.8796, ends at 2 / 0.8796
    "xavier": 2 / 0.87962566103423978,
    "kaiming": 2 / 0.87962566103423978,
    "xavier uniform": np.sqrt(3),
    "kaiming uniform": np.sqrt(3),
    "lecun": 2 / 0.87962566103423978,
    "lecun uniform": np.sqrt(3),
    "uniform": np.sqrt(3),
}


@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"one"}))
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


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (2, 2, 3, 5), (2, 1, 8)])
def test_orthogonal_has_orthonormal_columns_or_rows(shape):
    w = initialize("orthogonal", 1, 1, dtype=np.float64, seed=1, shape=shape)
    matrix = w.reshape(-1, shape[-1])
    matrix = matrix if len(matrix) >= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-14)


def test_orthogonal_prefers_no_direction():
    """The Q of a QR decomposition as LAPACK returns it has a first entry that is never positive."""
    first = [initialize("orthogonal", 3, 3, dtype=np.float64, seed=seed)[0, 0] for seed in range(400)]
    assert abs(np.mean(np.sign(first))) < 5 / np.sqrt(400)


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_fans_and_shape_are_two_things(name):
    """A kernel of 3 · 3 · 2 inputs and 3 · 3 · 4 outputs per number draws as a matrix with those fans does."""
    kernel = initialize(name, 18, 36, dtype=np.float64, seed=1, shape=(3, 3, 2, 4))
    assert kernel.shape == (3, 3, 2, 4)
    if name != "orthogonal":
        matrix = initialize(name, 18, 36, dtype=np.float64, seed=1)
        np.testing.assert_allclose(np.sort(kernel.ravel())[0] <= 0, np.sort(matrix.ravel())[0] <= 0)
        assert np.abs(kernel).max() <= 3 * max(np.abs(matrix).max(), 1e-300)


def test_one_and_a_constant():
    assert initialize("one", 2, 3).tolist() == [[1.0] * 3] * 2
    assert initialize(Constant(0.5), 2, 3, shape=(2,)).tolist() == [0.5, 0.5]
    with pytest.raises(TypeError, match="value to be a number"):
        Constant("0.5")


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_names_as_in_keras(name):
    np.testing.assert_array_equal(initialize(name, 3, 4, seed=1), initialize(KERAS_NAMES[name], 3, 4, seed=1))


def test_a_function_is_an_initializer_if_it_returns_the_shape():
    assert initialize(lambda i, o, random, shape: np.full(shape, 7.0), 2, 3, shape=(1, 2)).tolist() == [[7.0, 7.0]]
    with pytest.raises(ValueError, match=r"returned shape \(3,\), expected \(2, 3\)"):
        initialize(lambda i, o, random, shape: np.zeros(o), 2, 3)
