"""Activations as functions with the slope beside them, or at a point."""

import math

import numpy as np

from tests.right.table import at, beside, some

_erf = np.vectorize(math.erf, otypes=[float])


def relu(x):
    return np.maximum(x, 0)


def relu_derivative(x):
    return x > 0


def relu6(x):
    return np.minimum(np.maximum(x, 0), 6)


def relu6_grad(x):
    return ((x > 0) & (x < 6)).astype(int)


def softplus(x):
    return np.log(1 + np.exp(x))


def softplus_prime(x):
    return 1 / (1 + np.exp(-x))


def stable_softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def stable_softplus_grad(x):
    return 0.5 * (1 + np.tanh(x / 2))


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def log_sigmoid_grad(x):
    return np.exp(-np.logaddexp(0, x))


def selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1))


def selu_derivative(x):
    return 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * np.exp(x))


def celu(x, alpha=1.3):
    return np.maximum(0, x) + np.minimum(0, alpha * (np.exp(x / alpha) - 1))


def celu_grad(x, alpha=1.3):
    return np.where(x >= 0, 1, np.exp(x / alpha))


def gelu(x):
    return 0.5 * x * (1 + _erf(x / np.sqrt(2)))


def gelu_grad(x):
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return 0.5 * (1 + _erf(x / np.sqrt(2))) + x * density


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_tanh_derivative(x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner


def mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def mish_prime(x):
    t = np.tanh(np.log1p(np.exp(x)))
    return t + x * (1 - t**2) / (1 + np.exp(-x))


def softsign(x):
    return x / (1 + np.abs(x))


def softsign_grad(x):
    return 1 / (1 + np.abs(x)) ** 2


def tanhshrink(x):
    return x - np.tanh(x)


def tanhshrink_grad(x):
    return np.tanh(x) ** 2


def softshrink(x, lam=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lam, 0)


def softshrink_grad(x, lam=0.5):
    return np.where(np.abs(x) > lam, 1.0, 0.0)


def hardshrink(x, lam=0.5):
    return np.where(np.abs(x) > lam, x, 0)


def hardshrink_grad(x, lam=0.5):
    return np.where(np.abs(x) > lam, 1, 0)


def hardtanh(x):
    return np.clip(x, -1, 1)


def hardtanh_grad(x):
    return np.logical_and(x > -1, x < 1).astype(x.dtype)


def gaussian(x):
    return np.exp(-x * x)


def gaussian_prime(x):
    return -2 * x * np.exp(-x * x)


def isru(x):
    return x / np.sqrt(1 + x**2)


def isru_grad(x):
    return (1 + x**2) ** -1.5


def squareplus(x):
    return (x + np.sqrt(x**2 + 4)) / 2


def squareplus_grad(x):
    return 0.5 * (1 + x / np.sqrt(x**2 + 4))


def bent_identity(x):
    return (np.sqrt(x**2 + 1) - 1) / 2 + x


def bent_identity_jvp(x, v):
    return (x / (2 * np.sqrt(x**2 + 1)) + 1) * v


def arctan(x):
    return np.arctan(x)


def arctan_jac(x):
    return np.diag(1 / (1 + x**2))


def siren(x):
    return np.sin(30 * x)


def siren_jvp(x, v):
    return 30 * np.cos(30 * x) * v


CASES = [
    beside(relu),
    beside(relu6),
    beside(softplus),
    beside(stable_softplus),
    beside(log_sigmoid),
    beside(selu),
    beside(celu),
    beside(gelu),
    beside(gelu_tanh),
    beside(mish),
    beside(softsign),
    beside(tanhshrink),
    beside(softshrink),
    beside(hardshrink),
    beside(hardtanh),
    beside(gaussian),
    beside(isru),
    beside(squareplus),
    at(bent_identity, some(6), jvp=bent_identity_jvp),
    at(arctan, some(5), jac=arctan_jac),
    at(siren, some(2, 3).astype(np.float32), jvp=siren_jvp),
]
