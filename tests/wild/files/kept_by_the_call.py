"""Layers whose base class keeps what goes in and what comes out, in the call that users make."""

import numpy as np


class Layer:
    def __call__(self, inputs):
        if not hasattr(self, "built"):
            self.build(inputs.shape[-1])
            self.built = True
        self.inputs = inputs
        self.outputs = self.call(inputs)
        return self.outputs

    def build(self, features):
        pass


class Affine(Layer):
    def __init__(self, units=3):
        self.units = units

    def build(self, features):
        self.kernel = np.random.default_rng(0).normal(size=(features, self.units))
        self.bias = np.zeros(self.units)

    def call(self, inputs):
        return inputs @ self.kernel + self.bias

    def grad(self, upstream):
        self.grad_kernel = self.inputs.T @ upstream
        self.grad_bias = upstream.sum(axis=0)
        return upstream @ self.kernel.T


class Exponential(Layer):
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def call(self, inputs):
        return np.where(inputs > 0, inputs, self.alpha * np.expm1(np.minimum(inputs, 0)))

    def grad(self, upstream):
        return upstream * np.where(self.inputs > 0, 1.0, self.outputs + self.alpha)
