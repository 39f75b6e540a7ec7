"""An engine whose backward pass may be told an order of nodes, and one that never ends for a node without axes."""

import numpy as np


class Number:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.back = lambda: None

    def __add__(self, other):
        out = Number(self.data + other.data, (self, other))

        def back():
            self.grad += out.grad
            other.grad += out.grad

        out.back = back
        return out

    def __mul__(self, other):
        out = Number(self.data * other.data, (self, other))

        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.back = back
        return out

    def order(self):
        found = []

        def visit(node):
            if node not in found:
                for one in node.parents:
                    visit(one)
                found.append(node)

        visit(self)
        return found[::-1]

    def backward(self, ordered=None):
        self.grad = 1.0
        for node in self.order() if ordered is None else ordered:
            node.back()


class Grid:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data)
        self.grad = None
        self.parents = parents
        self.rule = None

    def __mul__(self, other):
        out = Grid(self.data * other.data, (self, other))
        out.rule = lambda g: (g * other.data, g * self.data)
        return out

    def sum(self):
        out = Grid([self.data.sum()], (self,))
        out.rule = lambda g: (g * np.ones_like(self.data),)
        return out

    def _fitting(self, g):
        while g.ndim != self.data.ndim:
            g = g.sum(axis=0, keepdims=g.ndim == 1)
        for axis, size in enumerate(self.data.shape):
            g = g.sum(axis=axis, keepdims=True) if size < g.shape[axis] else g
        return g

    def backward(self):
        if self.grad is None:
            self.grad = np.ones(1)
        for node in Number.order(self):
            if node.rule is None:
                continue
            for parent, g in zip(node.parents, node.rule(node.grad), strict=True):
                g = parent._fitting(g)
                parent.grad = g if parent.grad is None else parent.grad + g
