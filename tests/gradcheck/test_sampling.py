"""The points: reproducible, short, exact in every dtype, and of the kinds that find mistakes."""

import numpy as np
import pytest

from gradcheck import sampling
from gradcheck.problem import Problem, Subject, Variable
from gradcheck.sampling import draw


def build(sizes, rng):
    shape = (sizes.batch, sizes.inputs)
    return Problem(
        variables=(
            Variable("x", "input", np.zeros(shape)),
            Variable("p", "input", np.zeros(shape), data="probabilities", domain=(0.0, 1.0)),
            Variable("y_true", "input", np.zeros(shape), constant=True, data="one-hot"),
            Variable("w", "weight", np.zeros((sizes.inputs, sizes.outputs))),
        ),
        forward=lambda values: [values["x"]],
        methods=(),
    )


POINTS = list(sampling.points(Subject("s", "s.py:1", "", build), seed=3))


@pytest.mark.parametrize("point", POINTS, ids=lambda p: p.label)
def test_values_are_the_same_numbers_in_every_dtype_of_the_point(point):
    for dtype in point.dtypes:
        for name, values in point.values.items():
            if name != "p" or "near" not in point.label:
                np.testing.assert_array_equal(values.astype(dtype).astype(float), values, err_msg=f"{name} {dtype}")


@pytest.mark.parametrize("point", POINTS, ids=lambda p: p.label)
def test_probabilities_are_rows_that_sum_to_one(point):
    np.testing.assert_allclose(
        point.values["p"].sum(axis=-1), 1.0 if point.values["p"].shape[-1] > 1 else point.values["p"][:, 0]
    )
    inside = (point.values["p"] > 0) & (point.values["p"] < 1)
    assert inside.all() or point.boundary


def test_a_point_follows_from_its_seed_alone():
    again = list(sampling.points(Subject("s", "s.py:1", "", build), seed=3))
    other = list(sampling.points(Subject("s", "s.py:1", "", build), seed=4))
    for a, b in zip(POINTS, again, strict=True):
        for name in a.values:
            np.testing.assert_array_equal(a.values[name], b.values[name])
    assert not np.array_equal(POINTS[0].values["x"], other[0].values["x"])


def test_the_sizes_of_a_generic_point_are_distinct():
    batch, inputs = POINTS[0].values["x"].shape
    assert len({batch, inputs, POINTS[0].values["w"].shape[1]}) == 3


def test_generic_numbers_are_distinct_nonzero_and_short():
    values = draw.generic(np.random.default_rng(0), (40,))
    assert np.unique(values).size == 40
    assert (values != 0).all()
    assert max(len(repr(float(v))) for v in values) <= 9


def test_the_special_points_are_what_they_say():
    by_label = {point.label: point for point in POINTS}
    assert (by_label["positive only"].values["x"] > 0).all()
    assert (by_label["negative only"].values["x"] < 0).all()
    assert (by_label["exact zeros"].values["x"] == 0).any()
    assert {40.0, -40.0} <= set(by_label["saturation ±40"].values["x"].ravel())
    assert {1000.0, -968.0} <= set(by_label["saturation ±1000"].values["x"].ravel())
    assert 0 < np.abs(by_label["tiny (1e-8)"].values["x"]).max() < 1e-7
    assert np.abs(by_label["huge (1e6)"].values["x"]).max() > 1e5
    assert {0.0, 1.0} <= set(by_label["probabilities at 0 and 1"].values["p"].ravel())
    assert by_label["batch of one"].values["x"].shape[0] == 1
    assert by_label["one feature"].values["x"].shape[1] == 1


def test_the_arranged_points_are_arranged():
    by_label = {point.label: point for point in POINTS}
    x = by_label["generic"].values["x"]
    assert by_label["Fortran order"].arrange(x).flags.f_contiguous
    assert by_label["Fortran order"].arrange(np.array(1.0)).shape == ()
    assert not by_label["not contiguous"].arrange(x).flags.c_contiguous
    assert not by_label["read-only"].arrange(x).flags.writeable
    whole = by_label["integers"]
    assert whole.arrange(whole.values["x"]).dtype == np.int64
    for label in ("Fortran order", "not contiguous", "read-only"):
        np.testing.assert_array_equal(by_label[label].arrange(x), x)
