import numpy as np


class Softmax:
    def forward(self, column):
        e = np.exp(column - np.max(column))
        self.out = e / np.sum(e)
        return self.out

    def backward(self, g, learning_rate=0.1):
        n = np.size(self.out)
        return np.dot((np.identity(n) - self.out.T) * self.out, g)
