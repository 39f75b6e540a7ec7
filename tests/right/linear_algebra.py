"""Matrices: determinants, inverses, solves, factors, eigenvalues, functions of matrices, norms and forms."""

import numpy as np

from tests.right.table import at, layer, some

SQUARE = some(3, 3) + 2 * np.eye(3)
SYMMETRIC = some(3, 3) + some(3, 3).T
SPD = np.array([[2.0, 0.5, -0.25], [0.5, 1.5, 0.75], [-0.25, 0.75, 3.0]])


class Inverse:
    def forward(self, A):
        self.B = np.linalg.inv(A)
        return self.B

    def backward(self, dB):
        return -self.B.T @ dB @ self.B.T

    @classmethod
    def gradcheck_example(cls):
        return cls(), [SQUARE]


class LogDet:
    """Of one matrix or a stack."""

    def forward(self, A):
        self.A = A
        return np.linalg.slogdet(A)[1]

    def backward(self, g):
        return np.asarray(g)[..., None, None] * np.linalg.inv(self.A).swapaxes(-1, -2)

    @classmethod
    def gradcheck_example(cls):
        return cls(), [np.stack([SQUARE, SPD])]


def log_det(A):
    return np.log(np.linalg.det(A))


def log_det_grad(A):
    return np.linalg.inv(A).T


def determinant(A):
    return np.linalg.det(A)


def determinant_grad(A):
    """Cofactors, right for singular matrices too."""
    G = np.empty(A.shape)
    for i, j in np.ndindex(A.shape):
        minor = np.delete(np.delete(A, i, axis=0), j, axis=1)
        G[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return G


def solve(A, b):
    return np.linalg.solve(A, b)


def solve_vjp(A, b, g):
    x = np.linalg.solve(A, b)
    db = np.linalg.solve(A.T, g)
    return -np.outer(db, x), db


def solve_jvp(A, b, dA, db):
    return np.linalg.solve(A, db - dA @ np.linalg.solve(A, b))


def cholesky_of(X):
    """The factor of X Xᵀ + I."""
    return np.linalg.cholesky(X @ X.T + np.eye(len(X)))


def cholesky_of_vjp(X, g):
    """Murray 2016: Σ̄ = ½ L⁻ᵀ (P + Pᵀ) L⁻¹ with P = Φ(Lᵀ L̄)."""
    L = cholesky_of(X)
    P = np.tril(L.T @ np.tril(g))
    P[np.diag_indices_from(P)] *= 0.5
    Li = np.linalg.inv(L)
    S = Li.T @ (P + P.T) @ Li / 2
    return 2 * S @ X


def eigenvalues(A):
    return np.linalg.eigvalsh((A + A.T) / 2)


def eigenvalues_jac(A):
    _, V = np.linalg.eigh((A + A.T) / 2)
    return np.einsum("ik,jk->kij", V, V)


def spectral_function(A):
    """exp of a symmetric matrix, by its eigenvalues."""
    w, V = np.linalg.eigh((A + A.T) / 2)
    return V * np.exp(w) @ V.T


def spectral_function_vjp(A, g):
    """Daleckii–Krein: divided differences of exp in the basis of eigenvectors."""
    w, V = np.linalg.eigh((A + A.T) / 2)
    gap = w[:, None] - w
    F = np.where(gap == 0, np.exp(w), (np.exp(w)[:, None] - np.exp(w)) / np.where(gap == 0, 1, gap))
    G = V @ (F * (V.T @ (g + g.T) / 2 @ V)) @ V.T
    return (G + G.T) / 2


def pseudo_inverse(A):
    return np.linalg.pinv(A)


def pseudo_inverse_jvp(A, dA):
    """Golub and Pereyra 1973, of full column rank."""
    P = np.linalg.pinv(A)
    return -P @ dA @ P + P @ P.T @ dA.T @ (np.eye(len(A)) - A @ P)


def matrix_exponential(A):
    """Scaling, a Taylor series, squaring."""
    X, term, total = A / 16, np.eye(len(A)), np.eye(len(A))
    for k in range(1, 16):
        term = term @ X / k
        total = total + term
    for _ in range(4):
        total = total @ total
    return total


def matrix_exponential_jvp(A, E):
    """The upper right block of exp [[A, E], [0, A]]."""
    n = len(A)
    return matrix_exponential(np.block([[A, E], [np.zeros((n, n)), A]]))[:n, n:]


def matrix_power_trace(A):
    return np.trace(np.linalg.matrix_power(A, 3))


def matrix_power_trace_grad(A):
    return 3 * np.linalg.matrix_power(A, 2).T


def frobenius(A):
    return np.linalg.norm(A)


def frobenius_grad(A):
    return A / np.linalg.norm(A)


def spectral_norm(A):
    return np.linalg.norm(A, 2)


def spectral_norm_grad(A):
    U, _, Vt = np.linalg.svd(A)
    return np.outer(U[:, 0], Vt[0])


def nuclear_norm(A):
    return np.linalg.svd(A, compute_uv=False).sum()


def nuclear_norm_grad(A):
    U, _, Vt = np.linalg.svd(A, full_matrices=False)
    return U @ Vt


def quadratic_form(x, A):
    return x @ A @ x


def quadratic_form_grad(x, A):
    return (A + A.T) @ x, np.outer(x, x)


def mahalanobis(x, mu, L):
    """|L⁻¹(x − μ)| for a Cholesky factor L."""
    return np.linalg.norm(np.linalg.solve(L, x - mu))


def mahalanobis_grad(x, mu, L):
    z = np.linalg.solve(L, x - mu)
    u = np.linalg.solve(L.T, z / np.linalg.norm(z))
    return u, -u, -np.outer(u, z)


def rayleigh(x):
    return x @ SYMMETRIC @ x / (x @ x)


def rayleigh_grad(x):
    return 2 * (SYMMETRIC @ x - rayleigh(x) * x) / (x @ x)


def least_squares(A, b):
    """The solution of the normal equations."""
    return np.linalg.solve(A.T @ A, A.T @ b)


def least_squares_vjp(A, b, g):
    x = least_squares(A, b)
    u = np.linalg.solve(A.T @ A, g)
    return np.outer(b - A @ x, u) - np.outer(A @ u, x), A @ u


def gram(X):
    return X @ X.T


def gram_vjp(X, g):
    return (g + g.T) @ X


def kronecker(a, b):
    return np.kron(a, b)


def kronecker_vjp(a, b, g):
    blocks = g.reshape(a.shape[0], b.shape[0], a.shape[1], b.shape[1])
    return np.einsum("ikjl,kl->ij", blocks, b), np.einsum("ikjl,ij->kl", blocks, a)


def affine(x):
    return SQUARE @ x + 1


def affine_jac(x):
    return SQUARE


CASES = [
    layer(Inverse, 1),
    layer(LogDet, 1),
    at(log_det, SPD, grad=log_det_grad),
    at(determinant, np.arange(9.0).reshape(3, 3), grad=determinant_grad),
    at(solve, SQUARE, some(3), vjp=solve_vjp, jvp=solve_jvp),
    at(cholesky_of, some(3, 3), vjp=cholesky_of_vjp),
    at(eigenvalues, SYMMETRIC, jac=eigenvalues_jac),
    at(spectral_function, SYMMETRIC, vjp=spectral_function_vjp),
    at(pseudo_inverse, some(4, 2), jvp=pseudo_inverse_jvp),
    at(matrix_exponential, some(3, 3), jvp=matrix_exponential_jvp),
    at(matrix_power_trace, SQUARE, grad=matrix_power_trace_grad),
    at(frobenius, some(2, 3), grad=frobenius_grad),
    at(spectral_norm, some(3, 2), grad=spectral_norm_grad),
    at(nuclear_norm, some(3, 2), grad=nuclear_norm_grad),
    at(quadratic_form, some(3), some(3, 3), grad=quadratic_form_grad),
    at(mahalanobis, some(3), some(3, seed=1), np.linalg.cholesky(SPD), grad=mahalanobis_grad),
    at(rayleigh, some(3), grad=rayleigh_grad),
    at(least_squares, some(4, 2), some(4), vjp=least_squares_vjp),
    at(gram, some(3, 2), vjp=gram_vjp),
    at(kronecker, some(2, 2), some(2, 3), vjp=kronecker_vjp),
    at(affine, some(3), jac=affine_jac),
]
