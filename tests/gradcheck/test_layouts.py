"""Each compact layout, against the product with the full Jacobian that it stands for."""

import numpy as np
import pytest

from gradcheck.asking.layouts import read

BATCH, IN, OUT = 5, 4, 3
rng = np.random.default_rng(0)
X = rng.normal(size=(BATCH, IN))
W = rng.normal(size=(IN, OUT))
G = rng.normal(size=(BATCH, OUT))


@pytest.mark.parametrize(
    ("local", "variable", "output", "role", "cotangent", "product"),
    [
        pytest.param(W, (BATCH, IN), (BATCH, OUT), "input", G, G @ W.T, id="dense input"),
        pytest.param(X, X.shape, X.shape, "input", X + 1, X * (X + 1), id="elementwise"),
        pytest.param(X, X.shape, (), "input", np.array(3.0), 3 * X, id="scalar output"),
        pytest.param(X, X.shape, (1, 1), "input", np.array([[3.0]]), 3 * X, id="scalar output with axes"),
        pytest.param(
            np.tile(X[:, :, None], (1, 1, OUT)),
            W.shape,
            G.shape,
            "weight",
            G,
            X.T @ G,
            id="dense weight (batch, in, out)",
        ),
        pytest.param(X[:, :, None], W.shape, G.shape, "weight", G, X.T @ G, id="dense weight (batch, in, 1)"),
        pytest.param(np.ones(OUT), (1, OUT), G.shape, "weight", G, G.sum(0, keepdims=True), id="bias (out,)"),
        pytest.param(np.ones((1, OUT)), (OUT,), G.shape, "weight", G, G.sum(0), id="bias (1, out)"),
        pytest.param(np.ones(1), (OUT,), G.shape, "weight", G, G.sum(0), id="bias (1,)"),
        pytest.param(np.array(1.0), (1, OUT), G.shape, "weight", G, G.sum(0, keepdims=True), id="bias scalar"),
        pytest.param(G + 1, (OUT,), G.shape, "weight", G, ((G + 1) * G).sum(0), id="scale (batch, out)"),
    ],
)
def test_layout_multiplies_as_it_means(local, variable, output, role, cotangent, product):
    vjp = read(local, variable, output, role)
    assert vjp(cotangent).shape == variable
    np.testing.assert_allclose(vjp(cotangent), product, rtol=1e-13)


def test_a_matrix_per_sample_is_read_by_its_shape_and_as_the_compose_methods_do_where_it_is_square():
    local = rng.normal(size=(BATCH, OUT, IN))
    vjp = read(local, (BATCH, IN), (BATCH, OUT), "input")
    np.testing.assert_allclose(vjp(G), np.einsum("no,noi->ni", G, local), rtol=1e-13)
    vjp = read(local.transpose(0, 2, 1), (BATCH, IN), (BATCH, OUT), "input")
    np.testing.assert_allclose(vjp(G), np.einsum("no,noi->ni", G, local), rtol=1e-13)
    square = rng.normal(size=(BATCH, OUT, OUT))
    vjp = read(square, (BATCH, OUT), (BATCH, OUT), "input")
    np.testing.assert_allclose(vjp(G), np.einsum("nio,no->ni", square, G), rtol=1e-13)


def test_a_full_jacobian_is_read_as_one():
    local = rng.normal(size=(BATCH, OUT, 2, 7))
    vjp = read(local, (2, 7), (BATCH, OUT), "input")
    np.testing.assert_allclose(vjp(G), np.einsum("no,noij->ij", G, local), rtol=1e-13)


@pytest.mark.parametrize(
    ("local", "variable", "output", "role"),
    [
        (W.T, (BATCH, IN), (BATCH, OUT), "input"),
        (X.T, W.shape, G.shape, "weight"),
        (np.ones((BATCH, OUT, 7)), (OUT,), G.shape, "weight"),
        (np.array(2.0), (BATCH, IN), (), "input"),
    ],
)
def test_a_layout_that_does_not_fit_names_the_shapes(local, variable, output, role):
    with pytest.raises(ValueError, match=r"expected the local gradient in a layout.*it has shape"):
        read(local, variable, output, role)
