import numpy as np

from .core import Diffable


class LeakyReLU(Diffable):
    def __init__(self, alpha=0.3):
        super().__init__()
        self.alpha = alpha
        self.inputs = None

    def forward(self, inputs):
        self.inputs = inputs
        return np.where(inputs < 0, self.alpha * inputs, inputs)

    def input_gradients(self):
        return np.where(self.inputs < 0, self.alpha, 1)

    def compose_to_input(self, J):
        return self.input_gradients() * J


class Softmax(Diffable):
    def __init__(self):
        super().__init__()
        self.outputs = None

    def forward(self, inputs):
        e = np.exp(inputs - np.max(inputs, axis=-1, keepdims=True))
        self.outputs = e / np.sum(e, axis=-1, keepdims=True)
        return self.outputs

    def input_gradients(self):
        y = self.outputs
        return np.array([np.diag(row) - np.outer(row, row) for row in y])
