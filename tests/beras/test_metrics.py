import numpy as np
import pytest

from beras import CategoricalAccuracy, Tensor


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
