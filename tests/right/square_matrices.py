"""Layers of square matrices that bring no example: they have to be tried as `(n, n)`."""

import numpy as np

from tests.right.table import layer


class Trace:
    def forward(self, A):
        self.n = len(A)
        return np.trace(A)

    def backward(self, dout):
        return dout * np.eye(self.n)


class Determinant:
    def forward(self, A):
        self.A, self.d = A, np.linalg.det(A)
        return self.d

    def backward(self, dout):
        return dout * self.d * np.linalg.inv(self.A).T


class InverseOfOne:
    """One matrix; a stack is refused."""

    def forward(self, A):
        if A.ndim != 2:
            raise ValueError(f"expected one square matrix, got shape {A.shape}")
        self.B = np.linalg.inv(A)
        return self.B

    def backward(self, dout):
        return -self.B.T @ dout @ self.B.T


class SymmetricPart:
    def forward(self, A):
        return (A + A.T) / 2

    def backward(self, dout):
        return (dout + dout.T) / 2


class Square:
    def forward(self, A):
        self.A = A
        return A @ A

    def backward(self, dout):
        return dout @ self.A.T + self.A.T @ dout


class LowerTriangle:
    """What is above the diagonal goes."""

    def forward(self, A):
        return np.tril(A)

    def backward(self, dout):
        return np.tril(dout)


class RowNormalisedKernel:
    """Pairwise distances of the rows, as weights that sum to 1; `(n, d)` to `(n, n)`."""

    def forward(self, x):
        self.x = x
        distance = ((x[:, None, :] - x) ** 2).sum(axis=-1)
        e = np.exp(-distance)
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dout):
        ds = self.p * (dout - (dout * self.p).sum(axis=1, keepdims=True))
        both = ds + ds.T
        return -2 * (both.sum(axis=1, keepdims=True) * self.x - both @ self.x)


CASES = [
    layer(Trace, 1),
    layer(Determinant, 1),
    layer(InverseOfOne, 1),
    layer(SymmetricPart, 1),
    layer(Square, 1),
    layer(LowerTriangle, 1),
    layer(RowNormalisedKernel, 1),
]
