"""Every operation by itself: against central differences, in both layouts, in every type."""

import inspect
import re

import numpy as np
import pytest

from beras import Diffable, Tensor, dispatch, numpy_rules, numpy_rules_algebra, ops, smooth_activations
from tests.beras.differences import assert_vjp_matches

random = np.random.default_rng(0)
ALL = [op for name in ops.__all__ if inspect.isclass(op := getattr(ops, name)) and not inspect.isabstract(op)]
DOMAINS = {ops.Log: (0.1, 3.0), ops.Log1p: (-0.9, 3.0), ops.Sqrt: (0.1, 3.0), ops.Power: (0.1, 3.0)}


def example(op):
    """The class's own example, or matrices for each argument, the second one broadcast."""
    if hasattr(op, "gradcheck_example"):
        return op.gradcheck_example()
    low, high = DOMAINS.get(op, (-2.0, 2.0))
    shapes = [(3, 4), (4,)][: len(op._arguments)]
    return op(), [random.uniform(low, high, shape) for shape in shapes]


def test_there_is_an_operation_for_each_name():
    assert len(ALL) == len([name for name in ops.__all__ if name[0].isupper()]) - 1  # all but the base class
    assert all(issubclass(op, Diffable) for op in ALL)


def test_every_operation_is_public_and_what_a_tape_makes_of_numpy_or_has_in_a_derivative():
    modules = [
        module for module in vars(ops).values() if inspect.ismodule(module) and module.__package__ == "beras.ops"
    ]
    written = {op for module in modules for op in vars(module).values() if inspect.isclass(op)}
    written = {op for op in written if issubclass(op, ops.Operation) and not inspect.isabstract(op)}
    assert {op for op in written if not op.__name__.startswith("_")} == set(ALL)
    rules = "".join(inspect.getsource(module) for module in (numpy_rules, numpy_rules_algebra, dispatch))
    derivatives = "".join(inspect.getsource(module) for module in [*modules, smooth_activations])
    used = {*re.findall(r"\b\w+\b", rules), *re.findall(r"evaluate\((\w+)\(", derivatives)}
    assert {op.__name__ for op in ALL} - used == set()


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.__name__)
def test_compose_agrees_with_central_differences(op):
    layer, inputs = example(op)
    assert_vjp_matches(layer, *inputs)


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.__name__)
def test_the_local_gradient_is_the_whole_jacobian(op):
    layer, inputs = example(op)
    z = layer(*inputs)
    J = random.normal(size=z.shape)
    for local, composed, x in zip(layer.get_input_gradients(), layer.compose_input_gradients([J]), inputs, strict=True):
        assert local.shape == z.shape + x.shape
        np.testing.assert_allclose(np.tensordot(J, local, z.ndim), composed, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.__name__)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_gradient_has_the_type_of_its_input(op, dtype):
    layer, inputs = example(op)
    if dtype == np.float16 and op.__module__ == "beras.ops.linear_algebra":
        pytest.skip("NumPy has no linear algebra in half precision")
    inputs = [x.astype(dtype) for x in inputs]
    z = layer(*inputs)
    if op is not ops.Cast:
        assert z.dtype == dtype
    assert [g.dtype for g in layer.compose_input_gradients([np.ones(z.shape)])] == [dtype] * len(inputs)


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)),
                                    ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
                                    ((5, 1, 2, 3), (4, 3, 2))])  # fmt: skip
def test_matmul_of_vectors_matrices_and_stacks(shapes):
    assert_vjp_matches(ops.Matmul(), *[random.normal(size=shape) for shape in shapes])


@pytest.mark.parametrize("op", [ops.Add, ops.Subtract, ops.Multiply, ops.Divide, ops.Maximum, ops.Minimum, ops.Power])
@pytest.mark.parametrize("shapes", [((), (3,)), ((3, 1), (1, 4)), ((2, 1, 3), (4, 1)), ((1,), ())])
def test_broadcasting_is_summed_back(op, shapes):
    assert_vjp_matches(op(), *[random.uniform(0.5, 2.0, shape) for shape in shapes])


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 0), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("op", [ops.Sum, ops.Mean, ops.Max, ops.Min])
def test_reductions_along_every_axis(op, axis, keepdims):
    assert_vjp_matches(op(axis, keepdims), random.normal(size=(2, 3, 4)))


def test_entries_that_tie_share_the_gradient():
    layer = ops.Max()
    layer([1.0, 3.0, 3.0])
    assert layer.compose_input_gradients([4.0])[0].tolist() == [0.0, 2.0, 2.0]


@pytest.mark.parametrize("index", [0, -1, slice(1, None, 2), (slice(None), 1), Ellipsis, None, (0, 1),
                                   [0, 0, 2], np.array([[0, 1], [1, 1]]), (np.array([0, 2, 0]), np.array([1, 1, 1])),
                                   np.array([True, False, True]), (slice(None), np.array([True, False, True, True])),
                                   np.array(1)])  # fmt: skip
def test_every_kind_of_index(index):
    assert_vjp_matches(ops.GetItem(index), random.normal(size=(3, 4)))


def test_an_entry_taken_twice_gets_both_gradients():
    layer = ops.GetItem([0, 0, 1])
    layer([5.0, 6.0, 7.0])
    assert layer.compose_input_gradients([[1.0, 10.0, 100.0]])[0].tolist() == [11.0, 100.0, 0.0]


def test_powers_where_the_textbook_rule_is_not_a_number():
    layer = ops.Power()
    with np.errstate(all="raise"):
        layer([-2.0, 0.0, 0.0, 3.0], [2.0, 2.0, 0.0, 0.0])
        by_x, _ = layer.input_gradients_for([np.ones(4)], [True, False])
    assert by_x.tolist() == [-4.0, 0.0, 0.0, 0.0]
    by_y = layer.compose_input_gradients([np.ones(4)])[1]
    np.testing.assert_allclose(by_y, [np.nan, 0.0, np.nan, np.log(3.0)])


def test_integers_have_floating_gradients():
    layer = ops.Power()
    layer(np.array([2, 3]), np.array([0, 2]))
    by_x, by_y = layer.compose_input_gradients([np.ones(2)])
    assert by_x.tolist() == [0.0, 6.0]
    np.testing.assert_allclose(by_y, [np.log(2), 9 * np.log(3)])


def test_the_reciprocal_of_integers_is_not_rounded():
    layer = ops.Reciprocal()
    assert layer([2, 4]).tolist() == [0.5, 0.25]
    assert layer.compose_input_gradients([[1.0, 1.0]])[0].tolist() == [-0.25, -0.0625]


@pytest.mark.parametrize(("low", "high"), [(-0.5, 0.5), (None, 0.5), (-0.5, None), (np.zeros(4), np.ones((3, 1)))])
def test_clip_with_every_kind_of_bound(low, high):
    assert_vjp_matches(ops.Clip(low, high), random.normal(size=(3, 4)))


def test_a_slope_of_tanh_does_not_cancel():
    layer = ops.Tanh()
    layer([20.0])
    np.testing.assert_allclose(layer.compose_input_gradients([[1.0]])[0], 4 * np.exp(-40.0), rtol=1e-12)


def test_complex_input_has_no_derivative_here():
    layer = ops.Exp()
    layer([1j])
    with pytest.raises(TypeError, match="Exp has a derivative by real numbers only"):
        layer.compose_input_gradients([[1.0]])


def test_an_operation_is_a_diffable_like_any_other():
    layer = ops.Add()
    z = layer(Tensor([1.0]), Tensor([2.0]))
    assert z.tolist() == [3.0]
    assert layer.weights == []
    assert layer.get_weight_gradients() == []
