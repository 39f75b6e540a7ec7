import numpy as np
import pytest

from beras import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    GradientTape,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    SoftmaxCrossEntropy,
    Tensor,
)
from beras.loss import Loss, SampleWeighted
from tests.beras.differences import assert_vjp_matches

ALL = [MeanSquaredError, CategoricalCrossEntropy, BinaryCrossEntropy, SoftmaxCrossEntropy]
ALL += [MeanAbsoluteError, Huber, KLDivergence, Poisson, Hinge]
ONE_HOT = np.eye(3)[[0, 2, 1, 1, 0]]


@pytest.fixture
def p():
    rows = np.random.default_rng(3).uniform(0.05, 1, (5, 3))
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("y_true", [ONE_HOT, np.random.default_rng(1).uniform(0, 1, (5, 3))], ids=["one-hot", "soft"])
def test_the_gradient_agrees_with_central_differences(loss, y_true, p):
    assert_vjp_matches(loss(), p, y_true, skip=(1,))


@pytest.mark.parametrize("loss", ALL)
def test_the_truth_is_held_constant(loss, p):
    assert loss.constant_inputs == ("y_true",)
    function = loss()
    function(p, ONE_HOT)
    for by_true in (function.get_input_gradients()[1], function.compose_input_gradients([1.0])[1]):
        assert by_true.tolist() == np.zeros((5, 3)).tolist()


@pytest.mark.parametrize("loss", ALL)
def test_one_scalar_comes_out_and_no_weights(loss, p):
    function = loss()
    assert function(p, ONE_HOT).shape == ()
    assert function.weights == []
    assert function.get_weight_gradients() == function.compose_weight_gradients([1.0]) == []


def test_a_subclass_may_differentiate_by_the_truth_as_well():
    class Distance(MeanSquaredError):
        constant_inputs = ()

        def input_gradients_for(self, J, wanted):
            p, t = map(np.asarray, self.inputs)
            return [2 * (p - t) / p.size, 2 * (t - p) / p.size]

    y = Tensor([[1.0, 2.0]])
    with GradientTape() as tape:
        z = Distance()(Tensor([[0.0, 0.0]]), 3 * y)
    assert tape.gradient(z, y).tolist() == [[9.0, 18.0]]


def test_mean_squared_error_by_hand():
    loss = MeanSquaredError()
    assert loss([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]]) == pytest.approx(22 / 6)
    assert loss.get_input_gradients()[0].tolist() == pytest.approx(np.array([[0.0, 4.0, 6.0], [-6.0, 0.0, 0.0]]) / 6)


def test_categorical_cross_entropy_by_hand():
    loss = CategoricalCrossEntropy()
    assert loss([[0.25, 0.75], [0.5, 0.5]], [[1, 0], [0, 1]]) == pytest.approx((np.log(4) + np.log(2)) / 2)
    np.testing.assert_allclose(loss.get_input_gradients()[0], [[-2.0, 0.0], [0.0, -1.0]])


def test_categorical_cross_entropy_clips_from_below_only():
    loss = CategoricalCrossEntropy()
    assert loss([[0.0, 1.0]], [[1, 0]]) == pytest.approx(-np.log(1e-12))
    assert loss.get_input_gradients()[0].tolist() == [[0.0, 0.0]]  # the clip is flat
    assert loss([[0.0, 1.0]], [[0, 1]]) == 0.0
    assert loss.get_input_gradients()[0].tolist() == [[0.0, -1.0]]  # no clip from above


def test_the_homework_notebook_binary_cross_entropy():
    """The homework notebook's printed losses; its gradients lack the 1/batch and are not 0 where it clips."""
    loss, ones, zeros = BinaryCrossEntropy(), np.ones((3, 3)), np.zeros((3, 3))
    for wrong in ((ones, zeros), (zeros, ones)):
        assert loss(*wrong) == pytest.approx(13.815510557964274, rel=1e-12)
        assert not np.asarray(loss.get_input_gradients()[0]).any()
    for right in ((ones, ones), (zeros, zeros)):
        assert loss(*right) == pytest.approx(1.000000500029089e-06, rel=1e-12)
        assert not np.asarray(loss.get_input_gradients()[0]).any()
    assert loss(ones * 0.5, ones) == pytest.approx(0.6931471805599453, rel=1e-15)
    np.testing.assert_allclose(loss.get_input_gradients()[0], np.full((3, 3), -2 / 3) / 3, rtol=1e-15)


def test_softmax_cross_entropy_takes_indices_and_rows_alike():
    logits, loss = np.random.default_rng(0).normal(size=(5, 3)), SoftmaxCrossEntropy()
    by_rows = loss(logits, ONE_HOT)
    gradient_by_rows = loss.get_input_gradients()[0]
    by_indices = loss(logits, [0, 2, 1, 1, 0])
    np.testing.assert_allclose(by_indices, by_rows, rtol=1e-14)
    np.testing.assert_allclose(loss.get_input_gradients()[0], gradient_by_rows, atol=1e-16)
    assert loss.get_input_gradients()[1].shape == (5,)
    assert_vjp_matches(loss, logits, np.array([0, 2, 1, 1, 0]), skip=(1,))


def test_softmax_cross_entropy_is_stable_and_does_not_saturate():
    loss = SoftmaxCrossEntropy()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert loss([[-1000.0, 1000.0]], [0]) == 2000.0
        assert loss.get_input_gradients()[0].tolist() == [[-1.0, 1.0]]
        assert loss([[-1000.0, 1000.0]], [1]) == 0.0


def test_forward_on_other_data_in_between_does_not_change_the_gradient():
    loss, logits = SoftmaxCrossEntropy(), np.array([[1.0, 2.0]])
    loss(logits, [0])
    before = loss.get_input_gradients()[0].tolist()
    loss.forward(-logits, [1])
    assert loss.get_input_gradients()[0].tolist() == before


@pytest.mark.parametrize("loss", ALL)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_type_is_that_of_the_prediction(loss, dtype, p):
    function = loss()
    assert function(p.astype(dtype), ONE_HOT).dtype == dtype
    by_pred, by_true = function.compose_input_gradients([np.ones(())])
    assert (by_pred.dtype, by_true.dtype) == (dtype, np.float64)


@pytest.mark.parametrize("loss", [CategoricalCrossEntropy, BinaryCrossEntropy])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_zeros_and_ones_stay_finite_in_low_precision(loss, dtype):
    function = loss()
    with np.errstate(all="raise"):
        value = function(np.array([[0, 1], [1, 0]], dtype), np.eye(2, dtype=dtype))
    assert np.isfinite(value)
    assert np.isfinite(np.asarray(function.get_input_gradients()[0])).all()


@pytest.mark.parametrize("loss", ALL)
def test_errors_name_the_batch_sizes_the_shapes_and_the_types(loss):
    function = loss()
    with pytest.raises(ValueError, match="as many samples in y_pred as in y_true, got 2 and 3"):
        function(np.ones((2, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"one shape, got \(2, 4\) and \(2, 5\)"):
        function(np.ones((2, 4)), np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"empty array of shape \(0, 4\)"):
        function(np.ones((0, 4)), np.ones((0, 4)))
    with pytest.raises(TypeError, match="y_true to hold numbers"):
        function(np.ones((1, 2)), [["a", "b"]])
    with pytest.raises(TypeError, match="y_pred to hold numbers"):
        function([["a", "b"]], np.ones((1, 2)))


@pytest.mark.parametrize("indices", [[0, 3], [-1, 0], [0.5, 1.0]])
def test_class_indices_outside_the_classes_are_an_error(indices):
    with pytest.raises(ValueError, match=r"class indices 0 … 2"):
        SoftmaxCrossEntropy()(np.ones((2, 3)), indices)
    with pytest.raises(ValueError, match="2 and 1"):
        SoftmaxCrossEntropy()(np.ones((2, 3)), [0])


@pytest.mark.parametrize("loss", [CategoricalCrossEntropy, BinaryCrossEntropy])
def test_epsilon_and_axes_are_checked(loss):
    for epsilon in (0.0, -1.0, 0.5, np.nan):
        with pytest.raises(ValueError, match="epsilon"):
            loss(epsilon)
    with pytest.raises(ValueError, match=r"\(batch, n\), got shape \(3,\)"):
        loss()(np.ones(3), np.ones(3))


def test_complex_numbers_pass_through_where_the_loss_is_analytic():
    value = MeanSquaredError().forward([[1.0 + 1j]], [[0.0]])
    assert value == 2j
    with pytest.raises(TypeError, match="complex"):
        CategoricalCrossEntropy()([[1j]], [[1.0]])
    with pytest.raises(TypeError, match="y_true of type complex128"):
        MeanSquaredError()([[1.0]], [[1j]])


@pytest.mark.parametrize("loss", ALL)
def test_the_tape_gives_what_compose_gives(loss, p):
    function, y_pred, y_true = loss(), Tensor(p), Tensor(ONE_HOT)
    with GradientTape() as tape:
        value = function(y_pred, y_true)
    by_pred, by_true = tape.gradient(value, [y_pred, y_true], output_gradients=np.array(3.0))
    composed = function.compose_input_gradients([3.0])
    np.testing.assert_array_equal(by_pred, composed[0])
    np.testing.assert_array_equal(by_true, np.zeros((5, 3)))


# --- of numbers


def test_losses_of_numbers_by_hand():
    p, t = [[1.0, -2.0, 4.0]], [[1.0, 0.0, 1.0]]
    assert MeanAbsoluteError()(p, t) == pytest.approx(5 / 3)
    assert Huber()(p, t) == pytest.approx((0 + 1.5 + 2.5) / 3)
    assert Huber(2.5)(p, t) == pytest.approx((0 + 2 + 2.5 * 3 - 3.125) / 3)
    for loss, slopes in ((MeanAbsoluteError(), [0, -1, 1]), (Huber(2.5), [0, -2, 2.5])):
        loss(p, t)
        np.testing.assert_allclose(loss.get_input_gradients()[0], np.array([slopes]) / 3)


def test_divergence_by_hand_and_where_it_is_clipped():
    loss = KLDivergence()
    p, t = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.25, 0.75]])
    assert loss(p, t) == pytest.approx((t * np.log(t / p)).sum() / 2)
    np.testing.assert_allclose(loss.get_input_gradients()[0], -t / p / 2)
    assert loss([[0.0, 1.0]], [[1.0, 0.0]]) == pytest.approx(-np.log(1e-7) + 1e-7 * np.log(1e-7))
    np.testing.assert_allclose(loss.get_input_gradients()[0], [[0.0, -1e-7]])


def test_poisson_and_hinge_by_hand():
    loss = Poisson()
    assert loss([[2.0, 0.5]], [[3.0, 0.0]]) == pytest.approx((2 - 3 * np.log(2) + 0.5) / 2)
    np.testing.assert_allclose(loss.get_input_gradients()[0], [[-0.25, 0.5]], rtol=1e-6)
    loss = Hinge()
    for t in ([[1.0, -1.0, 1.0]], [[1.0, 0.0, 1.0]]):
        assert loss([[0.5, 0.25, 1.0]], t) == pytest.approx((0.5 + 1.25) / 3)
        np.testing.assert_allclose(loss.get_input_gradients()[0], np.array([[-1.0, 1.0, 0.0]]) / 3)


# --- cross-entropies with options


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3)])
def test_logits_indices_and_smoothing_are_what_they_stand_for(smoothing, shape):
    random = np.random.default_rng(0)
    logits, indices = random.normal(size=shape), random.integers(0, 3, shape[:-1])
    rows = np.eye(3)[indices]
    smooth = rows * (1 - smoothing) + smoothing / 3
    e = np.exp(logits)
    softmax = e / e.sum(axis=-1, keepdims=True)
    expected = -(smooth * np.log(softmax)).sum(axis=-1).mean()
    for y_true in (rows, indices):
        assert CategoricalCrossEntropy(label_smoothing=smoothing)(softmax, y_true) == pytest.approx(expected)
        for loss in (
            CategoricalCrossEntropy(from_logits=True, label_smoothing=smoothing),
            SoftmaxCrossEntropy(smoothing),
        ):
            assert loss(logits, y_true) == pytest.approx(expected)
            np.testing.assert_allclose(loss.get_input_gradients()[0], (softmax - smooth) / indices.size)
            assert_vjp_matches(loss, logits, y_true.astype(float), skip=(1,))


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_binary_logits_and_smoothing(smoothing):
    random = np.random.default_rng(0)
    x, t = random.normal(size=(4, 3)), random.integers(0, 2, (4, 3)).astype(float)
    p, s = 1 / (1 + np.exp(-x)), t * (1 - smoothing) + smoothing / 2
    expected = -(s * np.log(p) + (1 - s) * np.log(1 - p)).mean()
    assert BinaryCrossEntropy(label_smoothing=smoothing)(p, t) == pytest.approx(expected)
    loss = BinaryCrossEntropy(from_logits=True, label_smoothing=smoothing)
    assert loss(x, t) == pytest.approx(expected)
    np.testing.assert_allclose(loss.get_input_gradients()[0], (p - s) / x.size)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert loss([[-1e4, 1e4]], [[1.0, 0.0]]) > 1e3


@pytest.mark.parametrize("make", [CategoricalCrossEntropy, BinaryCrossEntropy])
def test_options_of_cross_entropies_that_are_refused(make):
    with pytest.raises(TypeError, match="from_logits to be True or False, got 'yes'"):
        make(from_logits="yes")
    with pytest.raises(ValueError, match=r"0\.0 <= label_smoothing < 1\.0, got 1\.5"):
        make(label_smoothing=1.5)
    with pytest.raises(ValueError, match="class indices 0 … 2"):
        CategoricalCrossEntropy()(np.full((2, 3), 1 / 3), [0, 3])


# --- weights of samples


LOSSES = [
    MeanSquaredError(),
    MeanAbsoluteError(),
    Huber(0.5),
    KLDivergence(),
    Poisson(),
    Hinge(),
    CategoricalCrossEntropy(),
    CategoricalCrossEntropy(from_logits=True, label_smoothing=0.1),
    BinaryCrossEntropy(),
    BinaryCrossEntropy(from_logits=True),
    SoftmaxCrossEntropy(),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_loss_is_the_mean_of_those_of_its_samples(loss, p):
    each = loss.per_sample(p, ONE_HOT)
    assert each.shape == (5,)
    np.testing.assert_allclose(each, Loss.per_sample(loss, p, ONE_HOT), rtol=1e-12)
    np.testing.assert_allclose(each.mean(), loss(p, ONE_HOT), rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_weighted_samples(loss, p):
    weight = np.array([1.0, 0.0, 2.0, 0.5, 3.0])
    weighted = SampleWeighted(loss)
    assert weighted(p, ONE_HOT, weight) == pytest.approx((loss.per_sample(p, ONE_HOT) * weight).mean())
    assert_vjp_matches(weighted, p, ONE_HOT, weight, skip=(1, 2))
    single = p.astype(np.float32)
    assert weighted(single, ONE_HOT, weight).dtype == np.float32
    assert weighted.compose_input_gradients([1.0])[0].dtype == np.float32
    with pytest.raises(ValueError, match=r"one number for each of 5 samples, got shape \(4,\)"):
        weighted(p, ONE_HOT, weight[:4])
