import copy
import pickle

import numpy as np
import pytest

from beras import Tensor, Variable
from beras.arrays import memory
from beras.write_clock import write_clock


def test_a_tensor_of_a_tensor_is_that_tensor():
    t = Tensor([1.0, 2.0])
    assert Tensor(t) is t


def test_wrapping_an_array_shares_its_memory():
    a = np.zeros(3)
    assert np.shares_memory(Tensor(a), a)


@pytest.mark.parametrize(
    "derive", [lambda t: t[1:], lambda t: t.T, lambda t: t + 1, lambda t: -t, np.sqrt, copy.deepcopy]
)
def test_trainable_survives_views_slices_and_ufuncs(derive):
    assert derive(Tensor([[1.0], [2.0]], trainable=False)).trainable is False
    assert derive(Tensor([[1.0], [2.0]])).trainable is True


def test_trainable_survives_pickling():
    t = pickle.loads(pickle.dumps(Tensor([1.0], trainable=False)))
    assert isinstance(t, Tensor)
    assert t.trainable is False
    assert t.tolist() == [1.0]
    v = pickle.loads(pickle.dumps(Variable([2.0])))
    assert isinstance(v, Variable)
    assert v.trainable is True


def test_the_flag_of_a_view_is_its_own():
    t = Tensor([1.0, 2.0])
    v = t[:1]
    v.trainable = False
    assert t.trainable is True
    assert Tensor(t, trainable=False).trainable is False
    assert t.trainable is True


def test_assign_writes_in_place_and_broadcasts():
    v = Variable([[1.0, 2.0], [3.0, 4.0]])
    memory = np.asarray(v)
    assert v.assign([5.0, 6.0]) is v
    assert memory.tolist() == [[5.0, 6.0], [5.0, 6.0]]


def test_a_variable_owns_its_data():
    a = np.zeros(2)
    v = Variable(a)
    v.assign([1.0, 1.0])
    assert a.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.int8, bool])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 5), (2, 3, 4)])
def test_a_variable_is_a_copy_that_begins_with_a_cache_line(dtype, shape):
    data = np.arange(100)[: int(np.prod(shape))].reshape(shape).astype(dtype)
    variables = [Variable(data) for _ in range(5)] + [Variable(data.T).T]
    for v in variables:
        np.testing.assert_array_equal(np.asarray(v), data)
        assert v.dtype == data.dtype
        assert not np.shares_memory(v, data)
        assert v.size == 0 or np.asarray(v).ctypes.data % 64 == 0
        assert v.flags.writeable
    assert all(v.flags.c_contiguous for v in variables[:-1])


def test_a_variable_may_hold_objects():
    assert Variable([None, "a"]).tolist() == [None, "a"]


def test_assign_keeps_the_type():
    v = Variable(np.zeros(2, np.float32))
    v.assign(np.ones(2))
    assert v.dtype == np.float32


def test_assign_names_both_shapes_when_they_do_not_fit():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2, 2\)"):
        Variable(np.zeros((2, 2))).assign(np.zeros(3))


@pytest.mark.parametrize("value", [[1j], ["a"], [object()]])
def test_assign_refuses_what_is_not_a_real_number(value):
    with pytest.raises(TypeError, match="cannot assign"):
        Variable([1.0]).assign(value)


def test_a_write_is_seen_by_all_views_and_aliases_of_the_memory():
    data = np.zeros((2, 3))
    t = Tensor(data)
    for alias in (t[0][1:], t.T, Tensor(data), Tensor(np.asarray(t)[1:])):
        alias[...] = 1.0
        assert write_clock.last_write(t) == write_clock.last_write(data) == write_clock.now
    v = Variable(data)
    assert write_clock.last_write(v) == 0
    v[0][1:].fill(2.0)
    assert write_clock.last_write(v) == write_clock.now
    assert write_clock.last_write(t) < write_clock.now


def test_nothing_is_remembered_about_memory_that_is_gone():
    t = Tensor(np.zeros(3))
    t[0] = 1.0
    key = id(memory(t))
    assert key in write_clock._last
    del t
    assert key not in write_clock._last
