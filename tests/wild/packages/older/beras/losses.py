import numpy as np

from beras.core import Diffable


class MeanSquaredError(Diffable):
    def call(self, y_pred, y_true):
        return np.mean(np.mean((y_pred - y_true) ** 2, axis=-1))

    def input_gradients(self):
        y_pred, y_true = self.inputs
        return [2 * (y_pred - y_true) / y_pred.size]
