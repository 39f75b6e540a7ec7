"""An objective with gradient and Hessian, and a descent below."""

import numpy as np

A = np.array([[3.0, 1.0], [1.0, 2.0]])
b = np.array([1.0, -1.0])


def objective(x):
    return 0.5 * x @ A @ x - b @ x


def objective_gradient(x):
    return A @ x - b


def objective_hessian(x):
    return A


x = np.zeros(2)
for _ in range(100):
    x = x - 0.1 * objective_gradient(x)
