import numpy as np
import pytest

from beras import BatchNormalization, GradientTape, LayerNormalization, Tensor
from tests.beras.differences import assert_vjp_matches, gradient

random = np.random.default_rng(0)


def make(kind, size=4):
    layer = kind(size, dtype=np.float64)
    layer.gamma.assign(random.uniform(0.5, 2.0, size))
    layer.beta.assign(random.normal(size=size))
    return layer


@pytest.fixture
def x():
    return random.normal(size=(5, 4)) * 3 + 1


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
@pytest.mark.parametrize("shape", [(5, 4), (3, 2, 4)])
def test_compose_agrees_with_central_differences(kind, shape):
    assert_vjp_matches(make(kind), random.normal(size=shape), atol=1e-7)


@pytest.mark.parametrize("shape", [(5, 4), (3, 2, 4)])
def test_batch_normalization_in_evaluation_by_all_four_weights(shape):
    layer = make(BatchNormalization)
    layer.moving_mean.assign(random.normal(size=4))
    layer.moving_variance.assign(random.uniform(0.5, 2.0, 4))
    layer.training = False
    assert_vjp_matches(layer, random.normal(size=shape))


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
@pytest.mark.parametrize("training", [True, False])
def test_local_gradients_agree_with_composed_ones(kind, training, x):
    layer, J = make(kind), random.normal(size=(5, 4))
    layer.training = training
    layer(x)
    [by_x] = layer.get_input_gradients()
    assert by_x.shape == (5, 4, 5, 4)
    np.testing.assert_allclose(np.tensordot(J, by_x, 2), layer.compose_input_gradients([J])[0], rtol=1e-10, atol=1e-13)
    for local, composed in zip(layer.get_weight_gradients(), layer.compose_weight_gradients([J]), strict=True):
        np.testing.assert_allclose((J * np.asarray(local)).sum(axis=0), composed, rtol=1e-12)


def test_the_output_is_normal(x):
    by_feature = np.asarray(BatchNormalization(4, epsilon=0.0, dtype=np.float64)(x))
    by_sample = np.asarray(LayerNormalization(4, epsilon=0.0, dtype=np.float64)(x))
    for values, axis in ((by_feature, 0), (by_sample, 1)):
        np.testing.assert_allclose(values.mean(axis=axis), 0, atol=1e-14)
        np.testing.assert_allclose(values.var(axis=axis), 1, rtol=1e-13)


def test_moving_statistics_by_hand(x):
    layer = BatchNormalization(4, momentum=0.9, dtype=np.float64)
    layer(x)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * x.mean(axis=0))
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * x.var(axis=0))
    assert layer.trainable_variables == layer.weights[:2]
    assert len(layer.non_trainable_variables) == 2


def test_freezing_and_thawing_leaves_the_statistics_untrained():
    layer = BatchNormalization(4)
    layer.trainable = False
    assert layer.trainable_variables == []
    layer.trainable = True
    assert [id(w) for w in layer.trainable_variables] == [id(layer.gamma), id(layer.beta)]


def test_forward_alone_and_evaluation_move_nothing(x):
    layer = BatchNormalization(4)
    layer.forward(x)
    layer.training = False
    layer(x)
    assert not np.asarray(layer.moving_mean).any()
    assert (np.asarray(layer.moving_variance) == 1).all()


def test_a_batch_normalization_called_twice_in_one_tape(x):
    layer, other, t = make(BatchNormalization), random.normal(size=(6, 4)), Tensor(x)
    with GradientTape() as tape:
        y = layer(layer(t))
        layer(other)  # moves the running statistics, which the calls above do not read
    J = random.normal(size=(5, 4))
    by_gamma, by_x, by_moving = tape.gradient(y, [layer.gamma, t, layer.moving_mean], output_gradients=J)
    for g, variable in ((by_gamma, layer.gamma), (by_x, t)):
        expected = gradient(lambda: (np.asarray(layer.forward(layer.forward(t))) * J).sum(), variable)
        np.testing.assert_allclose(g, expected, rtol=1e-5, atol=1e-7)
    assert by_moving is None


def test_statistics_that_evaluation_read_cannot_be_moved_before_gradient(x):
    layer, t = make(BatchNormalization), Tensor(x)
    layer.training = False
    with GradientTape() as tape:
        y = layer(t)
    layer.moving_mean.assign(1.0)
    with pytest.raises(RuntimeError, match="overwritten"):
        tape.gradient(y, t)


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_is_kept(kind, dtype, x):
    layer = kind(4, dtype=dtype)
    y = layer(x.astype(dtype))
    gradients = [*layer.compose_input_gradients([x]), *layer.compose_weight_gradients([x])]
    assert {y.dtype, *(g.dtype for g in gradients), *(w.dtype for w in layer.weights)} == {np.dtype(dtype)}


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
def test_a_complex_step_goes_through(kind, x):
    layer, direction = make(kind), random.normal(size=(5, 4))
    by_step = np.asarray(layer.forward(x + 1e-30j * direction)).imag.sum() / 1e-30
    layer(x)
    by_vjp = (np.asarray(layer.compose_input_gradients([np.ones((5, 4))])[0]) * direction).sum()
    np.testing.assert_allclose(by_step, by_vjp, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
def test_errors(kind):
    with pytest.raises(ValueError, match=r"\(batch, …, 4\), got shape \(2, 3\)"):
        kind(4)(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"got shape \(4,\)"):
        kind(4)(np.ones(4))
    with pytest.raises(ValueError, match="empty"):
        kind(4)(np.ones((0, 4)))
    with pytest.raises(ValueError, match="epsilon"):
        kind(4, epsilon=-1.0)
    with pytest.raises(ValueError, match="size"):
        kind(0)


@pytest.mark.parametrize("training", [True, False])
def test_derivatives_are_those_of_the_call_also_after_the_mode_has_changed(training, x):
    layer, J = make(BatchNormalization), random.normal(size=(5, 4))
    layer.training = training
    layer(x)
    before = [g.tolist() for g in (*layer.compose_input_gradients([J]), *layer.compose_weight_gradients([J]))]
    layer.training = not training
    after = [g.tolist() for g in (*layer.compose_input_gradients([J]), *layer.compose_weight_gradients([J]))]
    assert before == after
