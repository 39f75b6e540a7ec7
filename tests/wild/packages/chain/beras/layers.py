import numpy as np

from beras.core import Diffable, Tensor


class Linear(Diffable):
    def __init__(self, input_size, output_size):
        self.w = Tensor(np.random.normal(size=(input_size, output_size)))  # noqa: NPY002
        self.b = Tensor(np.zeros((1, output_size)))

    @property
    def parameters(self):
        return [self.w, self.b]

    def forward(self, x):
        return Tensor(x @ self.w + self.b)

    def get_input_gradients(self):
        return [self.w]

    def get_weight_gradients(self):
        x = self.inputs[0]
        return [np.repeat(x[:, :, None], self.w.shape[1], axis=2), np.ones(self.b.shape)]
