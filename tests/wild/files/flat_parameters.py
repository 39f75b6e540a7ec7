"""All weights in one vector, of which each bias is what is left over behind the matrices."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def autoencoder_cost(theta, visible_size, hidden_size, lambda_, sparsity_param, beta, data):
    n = hidden_size * visible_size
    W1 = theta[:n].reshape(hidden_size, visible_size)
    W2 = theta[n : 2 * n].reshape(visible_size, hidden_size)
    b1 = theta[2 * n : 2 * n + hidden_size]
    b2 = theta[2 * n + hidden_size :]
    m = data.shape[1]
    a2 = sigmoid(W1.dot(data) + b1[:, None])
    a3 = sigmoid(W2.dot(a2) + b2[:, None])
    rho_hat = a2.mean(axis=1)
    rho = np.tile(sparsity_param, hidden_size)
    kl = rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
    cost = np.sum((a3 - data) ** 2) / (2 * m) + lambda_ / 2 * (np.sum(W1**2) + np.sum(W2**2)) + beta * np.sum(kl)
    sparsity = (-rho / rho_hat + (1 - rho) / (1 - rho_hat))[:, None]
    delta3 = (a3 - data) * a3 * (1 - a3)
    delta2 = (W2.T.dot(delta3) + beta * sparsity) * a2 * (1 - a2)
    W1grad = delta2.dot(data.T) / m + lambda_ * W1
    W2grad = delta3.dot(a2.T) / m + lambda_ * W2
    grad = np.concatenate((W1grad.ravel(), W2grad.ravel(), delta2.sum(axis=1) / m, delta3.sum(axis=1) / m))
    return cost, grad
