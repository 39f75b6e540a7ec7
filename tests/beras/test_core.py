import copy

import numpy as np
import pytest

from beras import Activation, Callable, Dense, Diffable, GradientTape, Tanh, Tensor, Variable


class Scale(Diffable):
    """x · diag(factors), written with local derivatives only: what course code looks like."""

    def __init__(self, factors):
        self.w = Variable(factors)

    @property
    def weights(self):
        return (self.w,)

    def forward(self, x):
        return x * self.w

    def get_input_gradients(self):
        return [Tensor(np.diag(self.w))]

    def get_weight_gradients(self):
        return [Tensor(self.inputs[0])]


class Split(Diffable):
    """Two outputs: x² and 3x."""

    def forward(self, x):
        return [x**2, 3 * x]

    def get_input_gradients(self):
        return [Tensor(2 * self.inputs[0])]

    def compose_input_gradients(self, J=None):
        squared, tripled = self.upstream(J)
        return [Tensor(2 * self.inputs[0] * squared + 3 * tripled)]


def test_callable_is_forward():
    class Double(Callable):
        def forward(self, x, plus=0):
            return 2 * x + plus

    assert Double()(3, plus=1) == Double().forward(3, plus=1) == 7


def test_weighted_sorts_and_sets_trainable():
    layer = Dense(2, 3)
    layer.b.trainable = False
    assert [w is v for w, v in zip(layer.trainable_variables, [layer.w], strict=True)] == [True]
    assert layer.non_trainable_variables[0] is layer.b
    assert layer.trainable is True
    layer.trainable = False
    assert layer.trainable is False
    assert layer.trainable_variables == []
    layer.trainable = True
    assert len(layer.trainable_variables) == 2


def test_a_layer_without_weights_is_not_trainable():
    assert Tanh().weights == []
    assert Tanh().trainable is False


def test_calling_keeps_inputs_and_outputs_of_the_last_call_and_forward_keeps_nothing():
    layer, x = Tanh(), Tensor([[1.0]])
    y = layer(x)
    layer.forward([[2.0]])
    assert layer.inputs[0] is x
    assert layer.outputs[0] is y


def test_keyword_arguments_are_put_in_order():
    from beras import MeanSquaredError

    loss = MeanSquaredError()
    loss(y_true=[[0.0]], y_pred=[[1.0]])
    assert loss.inputs[0].tolist() == [[1.0]]


def test_a_failed_call_leaves_the_last_one_in_place():
    layer = Dense(2, 1)
    layer([[1.0, 2.0]])
    with pytest.raises(ValueError, match="shape"):
        layer([[1.0]])
    assert layer.inputs[0].shape == (1, 2)
    fresh = Dense(2, 1)
    with pytest.raises(ValueError, match="shape"):
        fresh([[1.0]])
    with pytest.raises(RuntimeError, match="call it"):
        fresh.get_input_gradients()


@pytest.mark.parametrize("J", [None, [None], (None,)])
def test_nothing_upstream_returns_the_local_gradients(J):
    layer = Dense(2, 3)
    layer([[1.0, 2.0]])
    assert layer.compose_input_gradients(J)[0].tolist() == layer.get_input_gradients()[0].tolist()
    assert layer.compose_weight_gradients(J)[0].tolist() == layer.get_weight_gradients()[0].tolist()


def test_an_upstream_gradient_of_the_wrong_shape_or_number_is_an_error():
    layer = Dense(2, 3)
    layer([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"\(1, 3\).*\(1, 2\)"):
        layer.compose_input_gradients([np.ones((1, 2))])
    with pytest.raises(ValueError, match="1 output"):
        layer.compose_weight_gradients([np.ones((1, 3))] * 2)


def test_defaults_compose_a_shared_matrix_and_rows_of_weight_gradients():
    layer, x = Scale([2.0, 3.0]), np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    layer(x)
    J = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert layer.compose_input_gradients([J])[0].tolist() == (J * [2.0, 3.0]).tolist()
    assert layer.compose_weight_gradients([J])[0].tolist() == [3.0, 40.0]


def test_a_local_derivative_that_can_be_read_two_ways_is_refused():
    layer = Scale([2.0, 3.0])
    layer(np.ones((2, 2)))
    with pytest.raises(ValueError, match="Activation"):
        layer.compose_input_gradients([np.ones((2, 2))])


def test_defaults_compose_a_matrix_per_row():
    class Rotate(Diffable):
        matrices = np.arange(12.0).reshape(3, 2, 2)

        def forward(self, x):
            return np.einsum("bi,bio->bo", x, self.matrices)

        def get_input_gradients(self):
            return [Tensor(self.matrices)]

    layer = Rotate()
    layer(np.ones((3, 2)))
    J = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert layer.compose_input_gradients([J])[0].tolist() == [[0.0, 2.0], [5.0, 7.0], [17.0, 21.0]]


def test_defaults_multiply_the_gradient_of_a_scalar():
    class Total(Diffable):
        def forward(self, x):
            return np.sum(x)

        def get_input_gradients(self):
            return [Tensor(np.ones(self.inputs[0].shape))]

    total, x = Total(), Tensor(np.ones((2, 2)))
    with GradientTape() as tape:
        y = total(x)
    assert tape.gradient(y, [x], output_gradients=3.0)[0].tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_a_layer_with_several_outputs():
    layer, x = Split(), Tensor([1.0, 2.0])
    with GradientTape() as tape:
        squared, tripled = layer(x)
    assert layer.outputs[0] is squared
    assert tape.gradient(squared, [x])[0].tolist() == [2.0, 4.0]
    assert tape.gradient(tripled, [x])[0].tolist() == [3.0, 3.0]
    assert tape.gradient([squared, tripled], [x])[0].tolist() == [5.0, 7.0]
    with pytest.raises(ValueError, match="2 output"):
        layer.compose_input_gradients([np.ones(2)])


def test_an_elementwise_activation_of_somebody_else_composes_by_the_default():
    class Cube(Activation):
        def forward(self, x):
            return np.asarray(x) ** 3

        def get_input_gradients(self):
            return [3 * self.inputs[0] ** 2]

    cube, x = Cube(), Tensor([[1.0, 2.0], [3.0, 4.0]])
    with GradientTape() as tape:
        y = cube(x)
    assert isinstance(y, Tensor)
    assert tape.gradient(y, x).tolist() == [[3.0, 12.0], [27.0, 48.0]]


def test_a_snapshot_is_a_shallow_copy_also_with_slots():
    class Slotted(Tanh):
        __slots__ = ("extra",)

    layer = Slotted()
    layer.extra = 7
    layer([1.0])
    assert layer.snapshot().extra == 7
    assert layer.snapshot().inputs is layer.inputs
    assert copy.copy(Tanh()).__class__ is Tanh


def test_an_option_that_is_no_array_is_refused():
    class Odd(Tanh):
        def forward(self, x, *, loud=False):
            return super().forward(x)

    with pytest.raises(TypeError, match="loud"):
        Odd()([1.0], loud=True)


def test_a_forward_that_sets_inputs_itself_does_not_confuse_the_tape():
    """As the homework notebook's layers do, which keep the bare array."""

    class Sine(Activation):
        def forward(self, x):
            self.inputs = x
            return np.sin(np.asarray(x))

        def get_input_gradients(self):
            return [np.cos(np.asarray(self.inputs))]

        def compose_input_gradients(self, J=None):
            return [self.get_input_gradients()[0] * J[0]]

    x = Tensor([[0.5, 1.0], [1.5, 2.0]])
    with GradientTape() as tape:
        y = Sine()(x)
    np.testing.assert_allclose(tape.gradient(y, x), np.cos(np.asarray(x)))


def test_a_layer_can_be_copied_deeply_with_its_weights():
    layer = Dense(2, 3, seed=1)
    layer.b.trainable = False
    layer([[1.0, 2.0]])
    twin = copy.deepcopy(layer)
    layer.w.assign(0.0)
    assert type(twin.w) is Variable
    assert np.asarray(twin.w).any()
    assert twin.b.trainable is False
    assert twin.compose_weight_gradients([[[1.0, 1.0, 1.0]]])[0].tolist() == [[1.0] * 3, [2.0] * 3]
