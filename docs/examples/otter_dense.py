"""tests/dense.py of an Otter assignment: what the notebook calls `Dense` scores three points if it is right."""

from otter.test_files import test_case

import gradcheck

OK_FORMAT = False

name = "dense"
points = 3


@test_case(points=3)
def test_dense(Dense):
    gradcheck.assert_correct(Dense)
