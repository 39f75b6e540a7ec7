import numpy as np

from beras.core import Diffable, Tensor, Variable


class Dense(Diffable):
    def __init__(self, input_size, output_size, initializer="normal"):
        self.w, self.b = self._initialize_weight(initializer, input_size, output_size)

    @property
    def weights(self):
        return self.w, self.b

    def forward(self, x):
        return Tensor(x @ self.w + self.b)

    def get_input_gradients(self):
        return [self.w]

    def get_weight_gradients(self):
        x = self.inputs[0]
        return [Tensor(np.expand_dims(x, axis=-1)), Tensor(np.ones(self.b.shape))]

    @staticmethod
    def _initialize_weight(initializer, input_size, output_size):
        scale = {"zero": 0, "normal": 1, "xavier": (2 / (input_size + output_size)) ** 0.5}[initializer]
        w = np.random.normal(size=(input_size, output_size)) * scale  # noqa: NPY002
        return Variable(w), Variable(np.zeros(output_size))
