"""Scalar functions with static forward and backward, and scalars that remember their history."""

import math


class Context:
    def __init__(self, no_grad=False):
        self.no_grad = no_grad
        self.saved_values = ()

    def save_for_backward(self, *values):
        if not self.no_grad:
            self.saved_values = values


class ScalarHistory:
    def __init__(self, last_fn=None, ctx=None, inputs=()):
        self.last_fn = last_fn
        self.ctx = ctx
        self.inputs = inputs


class Scalar:
    def __init__(self, v, back=None, name=None):
        self.data = float(v)
        self.history = back if back is not None else ScalarHistory()
        self.derivative = None
        self.name = name

    def __add__(self, b):
        return Add.apply(self, b)

    def __mul__(self, b):
        return Mul.apply(self, b)

    def log(self):
        return Log.apply(self)

    def sigmoid(self):
        return Sigmoid.apply(self)

    def is_leaf(self):
        return self.history.last_fn is None

    def accumulate_derivative(self, x):
        if self.derivative is None:
            self.derivative = 0.0
        self.derivative += x

    def backward(self, d_output=None):
        if d_output is None:
            d_output = 1.0
        order, seen = [], set()

        def visit(node):
            if id(node) in seen:
                return
            seen.add(id(node))
            for one in node.history.inputs:
                visit(one)
            order.append(node)

        visit(self)
        derivatives = {id(self): d_output}
        for node in reversed(order):
            d = derivatives[id(node)]
            if node.is_leaf():
                node.accumulate_derivative(d)
                continue
            back = node.history.last_fn._backward(node.history.ctx, d)
            for one, g in zip(node.history.inputs, back, strict=True):
                derivatives[id(one)] = derivatives.get(id(one), 0.0) + g


class ScalarFunction:
    @classmethod
    def _backward(cls, ctx, d_out):
        found = cls.backward(ctx, d_out)
        return found if isinstance(found, tuple) else (found,)

    @classmethod
    def apply(cls, *vals):
        scalars = [v if isinstance(v, Scalar) else Scalar(v) for v in vals]
        ctx = Context()
        c = cls.forward(ctx, *[s.data for s in scalars])
        return Scalar(c, ScalarHistory(cls, ctx, scalars))


class Add(ScalarFunction):
    @staticmethod
    def forward(ctx, a, b):
        return a + b

    @staticmethod
    def backward(ctx, d_output):
        return d_output, d_output


class Log(ScalarFunction):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return math.log(a)

    @staticmethod
    def backward(ctx, d_output):
        (a,) = ctx.saved_values
        return d_output / a


class Mul(ScalarFunction):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, d_output):
        a, b = ctx.saved_values
        return b * d_output, a * d_output


class Sigmoid(ScalarFunction):
    @staticmethod
    def forward(ctx, a):
        s = 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx, d_output):
        (s,) = ctx.saved_values
        return s * (1 - s) * d_output
