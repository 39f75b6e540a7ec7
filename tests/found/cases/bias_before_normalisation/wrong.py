import numpy as np


class NormalisedLinear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.random.randn(n_out)

    def forward(self, x):
        self.x = x
        z = x @ self.W + self.b
        self.inv = 1 / np.sqrt(z.var(axis=0) + 1e-5)
        self.xhat = (z - z.mean(axis=0)) * self.inv
        return self.xhat

    def backward(self, dout):
        dz = self.inv * (dout - dout.mean(axis=0))
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W.T
