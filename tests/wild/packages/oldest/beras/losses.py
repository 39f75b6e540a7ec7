import numpy as np

from .core import Diffable


class MeanSquaredError(Diffable):
    """Leaves the 1/batch to the layers, which average over the batch."""

    def __init__(self):
        super().__init__()
        self.inputs = None
        self.truths = None

    def forward(self, inputs, truths):
        self.inputs, self.truths = inputs, truths
        return np.mean((inputs - truths) ** 2)

    def input_gradients(self):
        return 2 * (self.inputs - self.truths) / self.inputs.shape[1]
