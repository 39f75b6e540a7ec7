import numpy as np
import pytest

from beras import Accuracy, BinaryAccuracy, CategoricalAccuracy, Tensor, TopKCategoricalAccuracy


def test_the_share_of_right_classes():
    probs = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]
    accuracy = CategoricalAccuracy()(probs, [[1, 0], [0, 1], [0, 1], [0, 1]])
    assert accuracy == 0.75
    assert accuracy.shape == ()
    assert isinstance(accuracy, Tensor)


def test_class_indices_do_as_well():
    assert CategoricalAccuracy()([[0.9, 0.1], [0.2, 0.8]], [0, 0]) == 0.5


def test_a_tie_is_the_first_class():
    assert CategoricalAccuracy()([[0.5, 0.5]], [[1, 0]]) == 1.0
    assert CategoricalAccuracy()([[0.5, 0.5]], [[0, 1]]) == 0.0


def test_errors():
    metric = CategoricalAccuracy()
    with pytest.raises(ValueError, match="got 2 and 3"):
        metric(np.ones((2, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="got 2 and 3"):
        metric(np.ones((2, 4)), np.ones(3))
    with pytest.raises(ValueError, match="empty"):
        metric(np.ones((0, 4)), np.ones((0, 4)))
    with pytest.raises(TypeError, match="numbers"):
        metric([["a"]], [[1]])


def test_the_true_class_among_the_first_k():
    probs = [[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]]
    shares = [float(TopKCategoricalAccuracy(k)(probs, [0, 1, 3])) for k in (1, 2, 3, 4, 5)]
    assert shares == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert TopKCategoricalAccuracy(2)(probs, np.eye(4)[[0, 1, 3]]) == pytest.approx(2 / 3)
    assert TopKCategoricalAccuracy().k == 5
    with pytest.raises(ValueError, match="class indices 0 … 3 in labels, got values 0 … 4"):
        TopKCategoricalAccuracy(1)(probs, [0, 4, 1])
    with pytest.raises(ValueError, match="k to be at least 1"):
        TopKCategoricalAccuracy(0)


def test_binary_accuracy():
    assert BinaryAccuracy()([[0.6, 0.5], [0.2, 0.9]], [[1, 1], [0, 0]]) == 0.5
    assert BinaryAccuracy(0.1)([[0.6, 0.5], [0.2, 0.9]], [[1, 1], [1, 0]]) == 0.75
    with pytest.raises(ValueError, match="of one shape"):
        BinaryAccuracy()([[0.6, 0.5]], [1])


@pytest.mark.parametrize(
    ("probs", "labels", "share"),
    [
        ([[0.9, 0.1], [0.2, 0.8]], [0, 0], 0.5),
        ([[0.9, 0.1], [0.2, 0.8]], [[1, 0], [1, 0]], 0.5),
        ([[0.9], [0.2], [0.3]], [[1], [1], [0]], 2 / 3),
        ([0.9, 0.2], [1, 1], 0.5),
        ([[0.9, 0.8], [0.2, 0.8]], [[1, 1], [0, 0]], 0.75),
        ([[[0.9, 0.1], [0.2, 0.8]]], [[0, 0]], 0.5),
    ],
)
def test_the_accuracy_that_fits_the_labels(probs, labels, share):
    assert Accuracy()(probs, labels) == pytest.approx(share)
