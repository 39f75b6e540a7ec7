"""Operations with compute and gradient, on tensors that are made by calling them."""

import numpy as np


class Op:
    def __call__(self, *args):
        return Tensor.make_from_op(self, args)

    def compute(self, *args):
        raise NotImplementedError()

    def gradient(self, out_grad, node):
        raise NotImplementedError()

    def gradient_as_tuple(self, out_grad, node):
        found = self.gradient(out_grad, node)
        return tuple(found) if isinstance(found, (tuple, list)) else (found,)


class TensorOp(Op):
    pass


class Tensor:
    def __init__(self, array, *, requires_grad=True):
        self.op = None
        self.inputs = []
        self.cached_data = np.asarray(array)
        self.requires_grad = requires_grad
        self.grad = None

    @staticmethod
    def make_from_op(op, inputs):
        tensor = Tensor.__new__(Tensor)
        tensor.op, tensor.inputs, tensor.cached_data = op, list(inputs), None
        tensor.requires_grad, tensor.grad = any(one.requires_grad for one in inputs), None
        tensor.realize_cached_data()
        return tensor

    def realize_cached_data(self):
        if self.cached_data is None:
            self.cached_data = self.op.compute(*[one.realize_cached_data() for one in self.inputs])
        return self.cached_data

    @property
    def shape(self):
        return self.realize_cached_data().shape

    def numpy(self):
        return self.realize_cached_data()

    def backward(self, out_grad=None):
        out_grad = out_grad if out_grad is not None else Tensor(np.ones(self.shape))
        compute_gradient_of_variables(self, out_grad)

    def __add__(self, other):
        return EWiseAdd()(self, other) if isinstance(other, Tensor) else AddScalar(other)(self)

    def __mul__(self, other):
        return EWiseMul()(self, other) if isinstance(other, Tensor) else MulScalar(other)(self)

    def __matmul__(self, other):
        return MatMul()(self, other)

    def __neg__(self):
        return MulScalar(-1)(self)

    def sum(self, axes=None):
        return Summation(axes)(self)

    def reshape(self, shape):
        return Reshape(shape)(self)

    def broadcast_to(self, shape):
        return BroadcastTo(shape)(self)

    def transpose(self, axes=None):
        return Transpose(axes)(self)


def compute_gradient_of_variables(output, out_grad):
    to_add = {output: [out_grad]}
    order, seen = [], set()

    def visit(node):
        if node in seen:
            return
        seen.add(node)
        for one in node.inputs:
            visit(one)
        order.append(node)

    visit(output)
    for node in reversed(order):
        total = to_add[node][0]
        for one in to_add[node][1:]:
            total = total + one
        node.grad = total
        if node.op is not None:
            for one, g in zip(node.inputs, node.op.gradient_as_tuple(total, node), strict=True):
                to_add.setdefault(one, []).append(g)


class EWiseAdd(TensorOp):
    def compute(self, a, b):
        return a + b

    def gradient(self, out_grad, node):
        return out_grad, out_grad


class AddScalar(TensorOp):
    def __init__(self, scalar):
        self.scalar = scalar

    def compute(self, a):
        return a + self.scalar

    def gradient(self, out_grad, node):
        return out_grad


class EWiseMul(TensorOp):
    def compute(self, a, b):
        return a * b

    def gradient(self, out_grad, node):
        lhs, rhs = node.inputs
        return out_grad * rhs, out_grad * lhs


class MulScalar(TensorOp):
    def __init__(self, scalar):
        self.scalar = scalar

    def compute(self, a):
        return a * self.scalar

    def gradient(self, out_grad, node):
        return (out_grad * self.scalar,)


class MatMul(TensorOp):
    def compute(self, a, b):
        return a @ b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad @ b.transpose(), a.transpose() @ out_grad


class Transpose(TensorOp):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        i, j = self.axes or (-2, -1)
        return np.swapaxes(a, i, j)

    def gradient(self, out_grad, node):
        return out_grad.transpose(self.axes)


class Reshape(TensorOp):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return a.reshape(self.shape)

    def gradient(self, out_grad, node):
        return out_grad.reshape(node.inputs[0].shape)


class BroadcastTo(TensorOp):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return np.broadcast_to(a, self.shape)

    def gradient(self, out_grad, node):
        shape = node.inputs[0].shape
        lead = len(self.shape) - len(shape)
        axes = tuple(n for n in range(len(self.shape)) if n < lead or shape[n - lead] != self.shape[n])
        return out_grad.sum(axes).reshape(shape) if axes else out_grad


class Summation(TensorOp):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        return np.sum(a, axis=self.axes)

    def gradient(self, out_grad, node):
        shape = list(node.inputs[0].shape)
        axes = range(len(shape)) if self.axes is None else self.axes if isinstance(self.axes, tuple) else (self.axes,)
        kept = [1 if n in [axis % len(shape) for axis in axes] else size for n, size in enumerate(shape)]
        return out_grad.reshape(kept).broadcast_to(shape)


class ReLU(TensorOp):
    def compute(self, a):
        return np.maximum(a, 0)

    def gradient(self, out_grad, node):
        return out_grad * Tensor(node.realize_cached_data() > 0)


class LogSumExp(TensorOp):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, Z):
        top = Z.max(axis=self.axes, keepdims=True)
        found = np.log(np.exp(Z - top).sum(axis=self.axes, keepdims=True)) + top
        return np.squeeze(found, axis=self.axes)

    def gradient(self, out_grad, node):
        Z = node.inputs[0].realize_cached_data()
        top = Z.max(axis=self.axes, keepdims=True)
        e = np.exp(Z - top)
        s = e / e.sum(axis=self.axes, keepdims=True)
        kept = e.sum(axis=self.axes, keepdims=True).shape
        return out_grad.reshape(kept).broadcast_to(Z.shape) * Tensor(s)
