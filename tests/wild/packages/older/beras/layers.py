import numpy as np

from beras.core import Diffable, Tensor, Variable


class Dense(Diffable):
    def __init__(self, input_size, output_size):
        self.w = Variable(np.random.normal(size=(input_size, output_size)))  # noqa: NPY002
        self.b = Variable(np.zeros((1, output_size)))

    @property
    def weights(self):
        return self.w, self.b

    def call(self, x):
        return Tensor(x @ self.w + self.b)

    def input_gradients(self):
        return [self.w]

    def weight_gradients(self):
        return np.expand_dims(self.inputs[0], axis=-1), np.ones_like(self.b)
