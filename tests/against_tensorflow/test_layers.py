"""Dense against keras.layers.Dense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beras.layers import Dense
from gradcheck.report.differential import Record

from . import rounding
from .inputs import CASES, DTYPES, SIZES, arrays
from .peer import gradients, keras
from .rounding import Machine, exact

BASIS = "inner products of n terms: n·eps of the sum of the magnitudes (running error bound, both sides)"


@pytest.mark.parametrize("dtype", DTYPES)
@CASES
@given(data=st.data(), batch=SIZES, inputs=SIZES, outputs=SIZES)
def test_dense_forward_and_backward(
    record: Record, dtype: str, data: st.DataObject, batch: int, inputs: int, outputs: int
) -> None:
    x = data.draw(arrays(dtype, (batch, inputs)), label="x")
    w = data.draw(arrays(dtype, (inputs, outputs)), label="w")
    b = data.draw(arrays(dtype, (1, outputs)), label="b")
    upstream = data.draw(arrays(dtype, (batch, outputs)), label="upstream")

    ours = Dense(inputs, outputs, dtype=dtype)
    ours.w.assign(w)
    ours.b.assign(b)
    y = ours(x)
    (dx,) = ours.compose_input_gradients([upstream])
    dw, db = ours.compose_weight_gradients([upstream])

    theirs = keras.layers.Dense(outputs, dtype=dtype)
    theirs.build((None, inputs))
    theirs.set_weights([w, b[0]])
    kernel, bias = theirs.kernel, theirs.bias

    def call(x_: object, w_: object, b_: object) -> object:
        with keras.StatelessScope(state_mapping=[(kernel, w_), (bias, b_)]):
            return theirs(x_)

    their_y, (their_dx, their_dw, their_db) = gradients(call, [x, w, b[0]], upstream)

    at = Machine.of(dtype)
    name = "beras.layers.Dense"
    record.compare(name, "forward", dtype, y, their_y, rounding.dense(exact(x), w, b, at).error, BASIS)
    to_x = rounding.dense_to_input(exact(upstream), w, at)
    to_w, to_b = rounding.dense_to_weights(exact(x), exact(upstream), at)
    record.compare(name, "backward[x]", dtype, dx, their_dx, to_x.error, BASIS)
    record.compare(name, "backward[w]", dtype, dw, their_dw, to_w.error, BASIS)
    record.compare(name, "backward[b]", dtype, db, their_db[None], to_b.error, BASIS)
    assert (y.dtype, dx.dtype, dw.dtype, db.dtype) == (their_y.dtype, their_dx.dtype, their_dw.dtype, their_db.dtype)
