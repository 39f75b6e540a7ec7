import numpy as np
import pytest

from beras import Dropout, GradientTape, Tensor


def test_a_share_is_zero_and_the_mean_is_kept():
    y = np.asarray(Dropout(0.25, seed=1)(np.ones((400, 500))))
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    share = (y == 0).mean()
    assert abs(share - 0.25) < 5 * np.sqrt(0.25 * 0.75 / y.size)


def test_the_derivative_is_the_mask_of_the_call():
    layer, x = Dropout(0.5, seed=1), Tensor(np.random.default_rng(0).normal(size=(5, 4)))
    with GradientTape() as tape:
        y = layer(x)
        z = layer(y)
    layer.forward(x)  # draws another mask, which is none of the calls'
    mask = np.asarray(y) / np.asarray(x)
    assert set(mask.ravel()) == {0.0, 2.0}
    np.testing.assert_array_equal(tape.gradient(y, x), mask)
    both = np.asarray(z) / np.asarray(x)
    np.testing.assert_array_equal(tape.gradient(z, x), both)
    np.testing.assert_array_equal(layer.get_input_gradients()[0] * mask, both)
    J = np.ones((5, 4))
    np.testing.assert_array_equal(layer.compose_input_gradients([J])[0], layer.get_input_gradients()[0])


def test_the_seed_repeats_the_masks():
    x = np.ones((10, 10))
    first, second = Dropout(0.5, seed=7), Dropout(0.5, seed=7)
    np.testing.assert_array_equal(first(x), second(x))
    a = np.asarray(first(x))
    np.testing.assert_array_equal(a, second(x))
    assert (a != np.asarray(first(x))).any()


@pytest.mark.parametrize("layer", [Dropout(0.0), Dropout(0.5)])
def test_evaluation_returns_the_very_input_and_passes_gradients(layer):
    layer.training = layer.rate == 0
    x = Tensor([[1.0, 2.0]])
    assert layer(x) is x
    with GradientTape() as tape:
        y = layer(x)
    assert tape.gradient(y, x).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_is_kept(dtype):
    layer = Dropout(0.3)
    assert layer(np.ones((2, 3), dtype)).dtype == dtype
    assert layer.compose_input_gradients([np.ones((2, 3))])[0].dtype == dtype


@pytest.mark.parametrize("rate", [-0.1, 1.0, np.nan])
def test_a_rate_out_of_range_is_an_error(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate)


def test_integers_become_floating():
    layer = Dropout(0.5)
    layer.training = False
    assert layer([[1, 2]]).dtype == np.float64
