import time

import numpy as np
import pytest

from beras import OneHotEncoder, to_categorical


def test_the_homework_notebook_digits():
    """The homework notebook's example."""
    encoder, labels = OneHotEncoder(), np.array([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], np.uint8)
    encoder.fit(np.arange(10, dtype=np.uint8))
    rows = encoder(labels)
    np.testing.assert_array_equal(rows, np.eye(10)[labels])
    back = encoder.inverse(rows)
    np.testing.assert_array_equal(back, labels)
    assert back.dtype == np.uint8


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1, 3], np.int16),
        np.array([0.5, 2.0, 0.5]),
        np.array(["b", "abc", "b"]),
        np.array([True, False]),
        np.array(["2020-01-01", "2019-01-01"], "datetime64[D]"),
        np.array([(1, 2), "x"], object)[1:],
        np.array([b"x", b"y"]),
        np.array([1 + 2j, 3j]),
    ],
    ids=lambda a: str(a.dtype),
)
def test_inverse_undoes_forward_type_included(labels):
    encoder = OneHotEncoder()
    back = encoder.inverse(encoder(labels))
    assert back.tolist() == labels.tolist()
    assert back.dtype == labels.dtype


def test_only_labels_that_occur_get_a_column():
    encoder = OneHotEncoder()
    encoder.fit([7, 3, 7])
    assert encoder.classes.tolist() == [3, 7]
    assert encoder([7]).tolist() == [[0.0, 1.0]]


def test_forward_fits_once():
    encoder = OneHotEncoder()
    encoder([1, 2, 3])
    assert encoder([2]).tolist() == [[0.0, 1.0, 0.0]]


def test_an_empty_array_of_labels_after_fit_has_no_rows():
    encoder = OneHotEncoder()
    encoder.fit([1, 2])
    assert encoder(np.array([], int)).shape == (0, 2)


@pytest.mark.parametrize("label", [0, 4, 99])
def test_a_label_that_was_not_fitted_is_named(label):
    encoder = OneHotEncoder()
    encoder.fit([1, 2, 3, 5])
    with pytest.raises(ValueError, match=f"label {label} was not fitted; the fitted labels are 1, 2, 3, 5"):
        encoder([1, label])


def test_a_label_of_another_kind_is_not_a_fitted_one():
    encoder = OneHotEncoder()
    encoder.fit([1, 2])
    with pytest.raises(ValueError, match="fitted"):
        encoder(["1"])


def test_errors():
    with pytest.raises(RuntimeError, match="fit"):
        OneHotEncoder().inverse([[1, 0]])
    with pytest.raises(ValueError, match=r"shape \(2, 1\)"):
        OneHotEncoder().fit([[1], [2]])
    with pytest.raises(ValueError, match="empty"):
        OneHotEncoder().fit([])
    with pytest.raises(ValueError, match="NaN"):
        OneHotEncoder().fit([1.0, np.nan])
    with pytest.raises(TypeError, match="sorted"):
        OneHotEncoder().fit(np.array([1, "a"], object))
    encoder = OneHotEncoder()
    encoder.fit([1, 2])
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        encoder.inverse([[1, 0, 0]])
    for rows in ([[0.3, 0.7]], [[1, 1]], [[0, 0]]):
        with pytest.raises(ValueError, match="single 1"):
            encoder.inverse(rows)


def test_many_labels_take_no_python_loop():
    encoder, labels = OneHotEncoder(), np.arange(200_000) % 10
    start = time.process_time()
    encoder.inverse(encoder(labels))
    assert time.process_time() - start < 1  # a dictionary look-up per sample takes longer than that


def test_keras_to_categorical():
    assert to_categorical([[0], [2]]).tolist() == [[[1, 0, 0]], [[0, 0, 1]]]
    assert to_categorical(np.array([1.0, 0.0]), num_classes=2).tolist() == [[0, 1], [1, 0]]
    assert to_categorical([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("x", "said"), [([0.5], "whole numbers"), ([-1], "0 to -1, got -1"), ([0, 3], "0 to 2, got 0 to 3")]
)
def test_what_is_no_class_index_is_refused(x, said):
    with pytest.raises(ValueError, match=said):
        to_categorical(x, num_classes=3 if len(x) > 1 else None)
