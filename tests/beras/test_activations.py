import numpy as np
import pytest

from beras import LeakyReLU, ReLU, Sigmoid, Sin, Softmax, Tanh
from tests.beras.differences import assert_vjp_matches

SMOOTH = [Sigmoid, Tanh, Sin, Softmax]
ALL = [*SMOOTH, ReLU, LeakyReLU]


@pytest.fixture
def x():
    return np.random.default_rng(3).normal(size=(5, 4)) * 2


@pytest.mark.parametrize("activation", ALL)
def test_compose_agrees_with_central_differences(activation, x):
    assert_vjp_matches(activation(), x)


@pytest.mark.parametrize("activation", ALL)
def test_compose_agrees_with_the_local_derivative(activation, x):
    layer, J = activation(), np.random.default_rng(4).normal(size=x.shape)
    layer(x)
    [local] = layer.get_input_gradients()
    expected = np.einsum("nio,no->ni", local, J) if local.ndim == 3 else local * J
    np.testing.assert_allclose(layer.compose_input_gradients([J])[0], expected, rtol=1e-13, atol=1e-16)


def test_the_homework_notebook_sin():
    """The homework notebook's worked example: integers, three axes, and its printed numbers."""
    layer, sample = Sin(), np.arange(-12, 12).reshape(2, 3, 4)
    y = layer(sample)
    np.testing.assert_allclose(y[0, 0], [0.53657292, 0.99999021, 0.54402111, -0.41211849], atol=5e-9)
    np.testing.assert_allclose(y[1, 2], [0.98935825, 0.41211849, -0.54402111, -0.99999021], atol=5e-9)
    local = layer.get_input_gradients()[0]
    np.testing.assert_allclose(local[0, 0], [0.84385396, 0.0044257, -0.83907153, -0.91113026], atol=5e-9)
    np.testing.assert_allclose(local[1, 0], [1.0, 0.54030231, -0.41614684, -0.9899925], atol=5e-9)
    composed = layer.compose_input_gradients([y])[0]
    np.testing.assert_allclose(composed[0, 0], [0.45278918, 0.00442565, -0.45647263, 0.37549362], atol=5e-9)
    np.testing.assert_allclose(composed[1, 2], [-0.14395166, -0.37549362, 0.45647263, -0.00442565], atol=5e-9)


def test_leaky_relu_by_hand():
    layer = LeakyReLU()
    assert layer([[-2.0, 0.0, 3.0]]).tolist() == [[-0.6, 0.0, 3.0]]
    assert layer.get_input_gradients()[0].tolist() == [[0.3, 0.0, 1.0]]


def test_relu_by_hand():
    layer = ReLU()
    assert layer([[-2.0, 0.0, 3.0]]).tolist() == [[0.0, 0.0, 3.0]]
    assert layer.get_input_gradients()[0].tolist() == [[0.0, 0.0, 1.0]]
    assert layer.compose_input_gradients([[[5.0, 6.0, 7.0]]])[0].tolist() == [[0.0, 0.0, 7.0]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sigmoid_is_stable(dtype):
    layer = Sigmoid()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert layer(np.array([-1000, 0, 1000], dtype)).tolist() == [0.0, 0.5, 1.0]
        assert layer.get_input_gradients()[0].tolist() == [0.0, 0.25, 0.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_is_stable(dtype):
    layer = Softmax()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert layer(np.array([[-1000, 1000], [1000, 1000]], dtype)).tolist() == [[0.0, 1.0], [0.5, 0.5]]
        assert layer.get_input_gradients()[0][0].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_derivatives_do_not_cancel_in_saturation():
    for layer, expected in [(Sigmoid(), np.exp(-36.0)), (Tanh(), 4 * np.exp(-72.0))]:
        layer([36.0])
        np.testing.assert_allclose(layer.get_input_gradients()[0], expected, rtol=1e-12)


def test_softmax_jacobian_by_hand():
    layer = Softmax()
    layer([[0.0, np.log(3.0)]])
    np.testing.assert_allclose(layer.get_input_gradients()[0], [[[0.1875, -0.1875], [-0.1875, 0.1875]]])


@pytest.mark.parametrize("activation", ALL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_is_kept(activation, dtype):
    layer = activation()
    assert layer(np.ones((2, 3), dtype)).dtype == dtype
    assert layer.get_input_gradients()[0].dtype == dtype
    assert layer.compose_input_gradients([np.ones((2, 3))])[0].dtype == dtype


@pytest.mark.parametrize("activation", ALL)
def test_integers_become_float64(activation):
    layer = activation()
    assert layer([[1, 2]]).dtype == np.float64
    assert layer.compose_input_gradients([[[1, 1]]])[0].dtype == np.float64


@pytest.mark.parametrize("activation", SMOOTH)
def test_a_complex_step_goes_through_where_the_function_is_analytic(activation, x):
    layer, direction, h = activation(), np.random.default_rng(5).normal(size=x.shape), 1e-30
    by_step = np.asarray(layer.forward(x + 1j * h * direction)).imag / h
    layer(x)
    J = np.random.default_rng(6).normal(size=x.shape)
    by_vjp = (layer.compose_input_gradients([J])[0] * direction).sum()
    np.testing.assert_allclose((by_step * J).sum(), by_vjp, rtol=1e-12)


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU])
def test_complex_numbers_are_refused_where_the_function_is_not_analytic(activation):
    with pytest.raises(TypeError, match=f"{activation.__name__} is not defined on complex"):
        activation()([1j])


@pytest.mark.parametrize("activation", ALL)
def test_errors_say_what_came(activation):
    with pytest.raises(TypeError, match="hold numbers"):
        activation()(["a"])
    with pytest.raises(ValueError, match=r"\(0, 3\)"):
        activation()(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="rectangular"):
        activation()([[1.0], [1.0, 2.0]])
    with pytest.raises(RuntimeError, match="call it"):
        activation().get_input_gradients()


@pytest.mark.parametrize("activation", [Sigmoid, Tanh, Sin, ReLU, LeakyReLU])
def test_scalars_work(activation):
    layer = activation()
    assert layer(0.5).shape == ()
    assert layer.compose_input_gradients([1.0])[0].shape == ()


def test_a_slope_that_is_no_number_and_a_softmax_of_a_scalar():
    with pytest.raises(ValueError, match="finite alpha"):
        LeakyReLU(alpha=np.nan)
    with pytest.raises(ValueError, match="scalar"):
        Softmax()(1.0)
