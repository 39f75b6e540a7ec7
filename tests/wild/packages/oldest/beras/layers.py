import numpy as np

from .core import Diffable


class Dense(Diffable):
    def __init__(self, input_size, output_size):
        super().__init__()
        self.w = np.random.normal(size=(input_size, output_size))  # noqa: NPY002
        self.b = np.zeros((1, output_size))
        self.weights = [self.w, self.b]
        self.inputs = None
        self.outputs = None

    def forward(self, inputs):
        self.inputs = inputs
        self.outputs = inputs @ self.w + self.b
        return self.outputs

    def weight_gradients(self):
        return np.expand_dims(self.inputs, axis=-1), np.ones_like(self.b)

    def input_gradients(self):
        return self.w
