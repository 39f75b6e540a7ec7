"""Tensors whose operations are classes that save what they need in themselves."""

import numpy as np


class Tensor:
    def __init__(self, data, requires_grad=True):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = None
        self.requires_grad = requires_grad
        self._ctx = None

    @property
    def shape(self):
        return self.data.shape

    def deepwalk(self):
        order, seen = [], set()

        def visit(node):
            seen.add(node)
            if node._ctx is not None:
                for parent in node._ctx.parents:
                    if parent not in seen:
                        visit(parent)
                order.append(node)

        visit(self)
        return order

    def backward(self):
        assert self.data.size == 1
        self.grad = np.ones_like(self.data)
        for node in reversed(self.deepwalk()):
            grads = node._ctx.backward(node._ctx, node.grad)
            grads = [grads] if len(node._ctx.parents) == 1 else grads
            for parent, g in zip(node._ctx.parents, grads, strict=True):
                parent.grad = g if parent.grad is None else parent.grad + g


class Function:
    def __init__(self, *parents):
        self.parents = parents
        self.saved_tensors = []

    def save_for_backward(self, *arrays):
        self.saved_tensors.extend(arrays)

    @classmethod
    def apply(cls, *parents):
        ctx = cls(*parents)
        out = Tensor(cls.forward(ctx, *[parent.data for parent in parents]))
        out._ctx = ctx
        return out


class Mul(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, grad_output):
        x, y = ctx.saved_tensors
        return y * grad_output, x * grad_output


class Dot(Function):
    @staticmethod
    def forward(ctx, input, weight):
        ctx.save_for_backward(input, weight)
        return input.dot(weight)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight = ctx.saved_tensors
        return grad_output.dot(weight.T), input.T.dot(grad_output)


class ReLU(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return np.maximum(input, 0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * (input > 0)


class LogSoftmax(Function):
    @staticmethod
    def forward(ctx, input):
        top = input.max(axis=1, keepdims=True)
        out = input - top - np.log(np.exp(input - top).sum(axis=1, keepdims=True))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, grad_output):
        (out,) = ctx.saved_tensors
        return grad_output - np.exp(out) * grad_output.sum(axis=1, keepdims=True)


class Sum(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return np.array([input.sum()])

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * np.ones_like(input)
