"""Likelihoods of mixtures, normal distributions, processes and chains; kernels, maps and factors."""

import numpy as np

from tests.right.table import at, layer, positive, some

X, Y = some(6, 3), some(6)
TIMES = np.array([5.0, 1.0, 3.0, 2.0, 6.0, 4.0])


class RBFLayer:
    """exp(−γ |x − c|²) for learned centres, by broadcasting."""

    def __init__(self, n_in=2, n_centres=3, gamma=0.7):
        self.centres = np.random.default_rng(2).normal(size=(n_centres, n_in))
        self.gamma = gamma

    def forward(self, x):
        self.difference = x[:, None, :] - self.centres
        self.k = np.exp(-self.gamma * (self.difference**2).sum(axis=-1))
        return self.k

    def backward(self, dout):
        pull = -2 * self.gamma * (dout * self.k)[:, :, None] * self.difference
        self.dcentres = -pull.sum(axis=0)
        return pull.sum(axis=1)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [some(4, 2)]


def mixture(logits, means, log_sigma):
    """The log-likelihood of a mixture of normal distributions on the line."""
    log_pi = logits - np.log(np.exp(logits).sum())
    z = (Y[:, None] - means) / np.exp(log_sigma)
    joint = log_pi - log_sigma - 0.5 * z**2
    return np.logaddexp.reduce(joint, axis=1).sum()


def mixture_grad(logits, means, log_sigma):
    log_pi = logits - np.log(np.exp(logits).sum())
    sigma = np.exp(log_sigma)
    z = (Y[:, None] - means) / sigma
    joint = log_pi - log_sigma - 0.5 * z**2
    r = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
    return r.sum(axis=0) - len(Y) * np.exp(log_pi), (r * z / sigma).sum(axis=0), (r * (z**2 - 1)).sum(axis=0)


def multivariate_normal(mu, L):
    """−log-density of the rows of X, Σ = L Lᵀ with L lower triangular (what is above is not read)."""
    L = np.tril(L)
    z = np.linalg.solve(L, (X - mu).T)
    return 0.5 * np.sum(z**2) + len(X) * np.sum(np.log(np.diag(L)))


def multivariate_normal_grad(mu, L):
    L = np.tril(L)
    z = np.linalg.solve(L, (X - mu).T)
    u = np.linalg.solve(L.T, z)
    return -u.sum(axis=1), np.tril(-u @ z.T + len(X) * np.diag(1 / np.diag(L)))


def student(theta):
    """−log-likelihood by place and log-scale, 4 degrees of freedom."""
    mu, s = theta
    return np.sum(2.5 * np.log1p((Y - mu) ** 2 / (4 * np.exp(2 * s)))) + len(Y) * s


def student_grad(theta):
    mu, s = theta
    q = (Y - mu) ** 2 / (4 * np.exp(2 * s))
    dmu = -5 * (Y - mu) / (4 * np.exp(2 * s)) / (1 + q)
    return np.array([dmu.sum(), len(Y) - np.sum(5 * q / (1 + q))])


def gaussian_process(theta):
    """−log marginal likelihood by log-amplitude, log-length, log-noise; data at six places."""
    a, ell, s = np.exp(theta)
    D = (TIMES[:, None] - TIMES) ** 2
    K = a**2 * np.exp(-D / (2 * ell**2)) + s**2 * np.eye(6)
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(L, Y)
    return 0.5 * z @ z + np.log(np.diag(L)).sum()


def gaussian_process_grad(theta):
    a, ell, s = np.exp(theta)
    D = (TIMES[:, None] - TIMES) ** 2
    R = a**2 * np.exp(-D / (2 * ell**2))
    inverse = np.linalg.inv(R + s**2 * np.eye(6))
    alpha = inverse @ Y
    W = inverse - np.outer(alpha, alpha)
    return 0.5 * np.array([np.sum(W * 2 * R), np.sum(W * R * D / ell**2), np.trace(W) * 2 * s**2])


def kernel_matrix(x):
    return np.exp(-0.5 * (x[:, None] - x) ** 2)


def kernel_matrix_vjp(x, g):
    weighted = g * kernel_matrix(x) * (x[:, None] - x)
    return weighted.sum(axis=0) - weighted.sum(axis=1)


def matern(x, y):
    """Matérn 3/2 between two sets of points in the plane."""
    r = np.sqrt(3 * ((x[:, None] - y) ** 2).sum(axis=-1) + 1e-12)
    return (1 + r) * np.exp(-r)


def matern_vjp(x, y, g):
    difference = x[:, None] - y
    r = np.sqrt(3 * (difference**2).sum(axis=-1) + 1e-12)
    d = (-3 * g * np.exp(-r))[:, :, None] * difference
    return d.sum(axis=1), -d.sum(axis=0)


def stress(P):
    """Of a map of four points whose distances should be 1 to 6."""
    i, j = np.triu_indices(4, k=1)
    d = np.sqrt(((P[i] - P[j]) ** 2).sum(axis=1))
    return np.sum((d - np.arange(1, 7)) ** 2)


def stress_grad(P):
    i, j = np.triu_indices(4, k=1)
    difference = P[i] - P[j]
    d = np.sqrt((difference**2).sum(axis=1))
    pull = (2 * (d - np.arange(1, 7)) / d)[:, None] * difference
    G = np.zeros_like(P)
    np.add.at(G, i, pull)
    np.subtract.at(G, j, pull)
    return G


def factorisation(U, V):
    """Squared error where a rating is known."""
    known = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1]])
    return np.sum(known * (U @ V.T - 3) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))


def factorisation_grad(U, V):
    known = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1]])
    E = 2 * known * (U @ V.T - 3)
    return E @ V + 0.2 * U, E.T @ U + 0.2 * V


def chain_partition(unary, pairwise):
    """log Z of a linear chain, by the forward recursion."""
    alpha = unary[0]
    for score in unary[1:]:
        alpha = np.logaddexp.reduce(alpha[:, None] + pairwise, axis=0) + score
    return np.logaddexp.reduce(alpha)


def chain_partition_grad(unary, pairwise):
    """Marginals, by forward and backward."""
    ahead, behind = [unary[0]], [np.zeros(unary.shape[1])]
    for score in unary[1:]:
        ahead.append(np.logaddexp.reduce(ahead[-1][:, None] + pairwise, axis=0) + score)
    for score in unary[:0:-1]:
        behind.insert(0, np.logaddexp.reduce(pairwise + score + behind[0], axis=1))
    log_z = np.logaddexp.reduce(ahead[-1])
    edges = [np.exp(ahead[t][:, None] + pairwise + unary[t + 1] + behind[t + 1] - log_z) for t in range(len(unary) - 1)]
    return np.exp(np.array(ahead) + np.array(behind) - log_z), sum(edges)


CASES = [
    layer(RBFLayer, 2),
    at(mixture, some(2), some(2, seed=1), some(2, seed=2), grad=mixture_grad),
    at(multivariate_normal, some(3), np.tril(some(3, 3)) + 3 * np.eye(3), grad=multivariate_normal_grad),
    at(student, some(2), grad=student_grad),
    at(gaussian_process, np.array([0.1, 0.4, -1.0]), grad=gaussian_process_grad),
    at(kernel_matrix, some(4), vjp=kernel_matrix_vjp),
    at(matern, some(3, 2), some(2, 2), vjp=matern_vjp),
    at(stress, positive(4, 2), grad=stress_grad),
    at(factorisation, some(4, 2), some(3, 2), grad=factorisation_grad),
    at(chain_partition, some(4, 3), some(3, 3), grad=chain_partition_grad),
]
