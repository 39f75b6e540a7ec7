import numpy as np

from beras.core import Diffable, Tensor


class Activation(Diffable):
    @property
    def weights(self):
        return []

    def get_weight_gradients(self):
        return []


class LeakyReLU(Activation):
    def __init__(self, alpha=0.3):
        self.alpha = alpha

    def forward(self, x):
        return Tensor(np.where(x > 0, x, self.alpha * x))

    def get_input_gradients(self):
        x = self.inputs[0]
        return [np.where(x > 0, 1.0, self.alpha)]

    def compose_input_gradients(self, J):
        return self.get_input_gradients()[0] * J


class ReLU(LeakyReLU):
    def __init__(self):
        super().__init__(alpha=0)


class Sigmoid(Activation):
    def forward(self, x):
        e = np.exp(-np.abs(x))
        return Tensor(np.where(x >= 0, 1 / (1 + e), e / (1 + e)))

    def get_input_gradients(self):
        y = self.outputs[0]
        return [y * (1 - y)]

    def compose_input_gradients(self, J):
        return self.get_input_gradients()[0] * J


class Softmax(Activation):
    def forward(self, x):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return Tensor(e / np.sum(e, axis=-1, keepdims=True))

    def get_input_gradients(self):
        y = self.outputs[0]
        jacobians = np.zeros((*y.shape, y.shape[-1]), dtype=y.dtype)
        for n, row in enumerate(y):
            jacobians[n] = -np.outer(row, row)
            np.fill_diagonal(jacobians[n], row * (1 - row))
        return [Tensor(jacobians)]
