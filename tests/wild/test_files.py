"""Functions in files, as people write them: everything is found, right ones raise no alarm, every mistake is wrong."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from gradcheck.adapters import belonging, is_subject, subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command.loading import get, load, members

_numbers = itertools.count()
FILES = Path(__file__).parent / "files"
RIGHT = Options(dtypes=("float64",), evidence=False)
WRONG = Options(dtypes=("float64",), evidence=False, fail_fast=True)


@dataclass(frozen=True)
class Written:
    """What is found in a file, in order, and mistakes: (component, right text, wrong text)."""

    found: tuple[str, ...]
    mistakes: tuple[tuple[str, str, str], ...]
    convention: bool = False


WRITTEN = {
    "cached": Written(
        ("fc_forward", "flat_forward", "leaky_forward", "softmax_ce"),
        (
            ("flat_forward", "x.reshape(len(x), -1).T @ dout", "x.reshape(len(x), -1).T @ dout / len(x)"),
            ("fc_forward", "dout.sum(axis=0)", "dout.mean(axis=0)"),
            ("leaky_forward", "np.where(x > 0, dout, alpha * dout)", "np.where(x > 0, dout, 0)"),
            ("softmax_ce", "return loss, dscores / n", "return loss, dscores"),
        ),
    ),
    "calling_each_other": Written(("first_kind",), (("first_kind", "return n * second_kind", "return second_kind"),)),
    "convolution": Written(
        ("conv1d_forward",),
        (
            ("conv1d_forward", "dxp[:, :, s] += ", "dxp[:, :, s] = "),
            ("conv1d_forward", "dout.sum(axis=(0, 2))", "dout.sum(axis=(0, 1))"),
        ),
    ),
    "cost_and_gradient": Written(
        ("compute_cost",),
        (
            ("compute_cost", "return dj_db / m, dj_dw / m", "return dj_db / m, dj_dw"),
            ("compute_cost", "dj_db += err", "dj_db = err"),
        ),
    ),
    "embeddings": Written(
        ("Kept", "Returned"),
        (
            ("Kept", "np.add.at(self.dE, self.indices, upstream)", "self.dE[self.indices] = upstream"),
            ("Returned", "np.add.at(of_table, self.indices, upstream)", "of_table[self.indices] += upstream"),
            ("Returned", ".sum(axis=0)", ".mean(axis=0)"),
        ),
    ),
    "flat_parameters": Written(
        ("autoencoder_cost",),
        (
            ("autoencoder_cost", "/ m + lambda_ * W1", "/ m"),
            ("autoencoder_cost", "delta2.sum(axis=1) / m", "delta2.sum(axis=1)"),
            ("autoencoder_cost", "+ beta * sparsity)", "+ sparsity)"),
        ),
    ),
    "forward_and_backward": Written(
        ("forward", "mse_loss"),
        (
            ("forward", "(dout @ w2.T) * (z1 > 0)", "dout @ w2.T"),
            ("forward", "dz1.sum(axis=0), dw2", "dz1.mean(axis=0), dw2"),
            ("mse_loss", "2 * (pred - target) / pred.size", "2 * (pred - target) / len(pred)"),
        ),
    ),
    "held_in_a_dict": Written(
        ("activations.sigmoid", "activations.tanh", "activations.softsign"),
        (
            ("activations.tanh", "1 - np.tanh(x) ** 2", "1 - np.tanh(x)"),
            ("activations.softsign", "1 / (1 + np.abs(x)) ** 2", "1 / (1 + np.abs(x))"),
        ),
    ),
    "indices": Written(
        ("embed", "softmax"),
        (
            ("embed", "np.add.at(dtable, idx, dout)", "dtable[idx] += dout"),
            ("softmax", "(dout - (dout * y).sum(axis=-1, keepdims=True))", "dout * (1 - y)"),
        ),
    ),
    "jacobian_of_residuals": Written(
        ("residuals", "loss", "turned", "quadratic"),
        (
            ("residuals", "-a * t * e", "-t * e"),
            ("loss", "return 2 * jac", "return jac"),
            ("turned", "[[c, -p[0] * s], [s, p[0] * c]]", "[[c, s], [-p[0] * s, p[0] * c]]"),
            ("quadratic", "0.5 * (A + A.T) @ x", "A @ x"),
        ),
    ),
    "jacobian_in_rows": Written(
        ("polar", "shear", "spiral"),
        (
            ("polar", "-r * math.sin(t)]", "r * math.sin(t)]"),
            ("shear", "[y, x]", "[x, y]"),
            ("spiral", "(0.0, 0.5)", "(0.5, 0.0)"),
            ("spiral", "r * np.cos(t)), (0.0", "np.cos(t)), (0.0"),
        ),
    ),
    "jacobians": Written(
        ("rotate", "cube"),
        (
            ("rotate", "-x * np.sin(y)]", "x * np.sin(y)]"),
            ("cube", "3 * x**2 * v", "3 * x * v"),
            ("cube", "3 * x**2 * dx", "2 * x**2 * dx"),
        ),
    ),
    "logistic_regression": Written(
        ("cost",),
        (
            ("cost", "grad[1:] += lam / m * theta[1:]", "grad += lam / m * theta"),
            ("cost", "(h - y) / m", "(h - 0.9 * y) / m"),
        ),
    ),
    "loss_of_parameters": Written(
        ("loss",),
        (("loss", "2 * diff / diff.size", "2 * diff / len(diff)"), ("loss", "1 - a**2", "1 - a")),
    ),
    "named_pairs": Written(
        ("f", "g", "softplus"),
        (
            ("f", "3 * x**2 - 2", "3 * x**2"),
            ("g", "return -x * np.exp", "return x * np.exp"),
            ("softplus", "return 1 / (1 + np.exp(-x))", "return 1 / (1 + np.exp(x))"),
        ),
    ),
    "normalization": Written(
        ("layer_norm",),
        (("layer_norm", "- dxhat.mean(-1, keepdims=True) ", ""), ("layer_norm", "dy.sum(axes)", "dy.mean(axes)")),
    ),
    "objective": Written(
        ("objective", "objective_gradient"),
        (
            ("objective", "return A @ x - b", "return A @ x + b"),
            ("objective_gradient", "    return A\n", "    return 2 * A\n"),
        ),
    ),
    "of_two_numbers": Written(
        ("rosen", "himmelblau"),
        (("rosen", "200 * (y - x**2)]", "100 * (y - x**2)]"), ("himmelblau", "+ 4 * y * (x", "+ 2 * y * (x")),
    ),
    "parameters_in_a_dict": Written(
        ("forward_propagation",),
        (
            ("forward_propagation", "(1 - np.power(A1, 2))", "(1 - A1)"),
            (
                "forward_propagation",
                "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
                "db1 = np.sum(dZ1, axis=1, keepdims=True)",
            ),
        ),
    ),
    "probabilities": Written(
        ("log_loss", "guarded_loss", "focal_loss"),
        (
            ("log_loss", "(p - y) / (p * (1 - p)) / p.size", "(p - y) / p / p.size"),
            ("guarded_loss", "np.where(inside, (a - t) / (a * (1 - a)), 0)", "np.where(inside, (a - t) / a, 0)"),
            ("focal_loss", "gamma * (1 - pt) ** (gamma - 1)", "2 * (1 - pt) ** (gamma - 1)"),
            ("focal_loss", "np.where(y == 1, d, -d)", "d"),
        ),
    ),
    "scalars": Written(
        ("rbf", "neg_log_likelihood"),
        (("rbf", "lengthscale**3", "lengthscale**2"), ("neg_log_likelihood", "np.sum(1 - (", "np.sum(2 - (")),
    ),
    "kept_by_the_call": Written(
        ("Affine", "Exponential"),
        (
            ("Affine", "self.inputs.T @ upstream", "self.inputs.T @ upstream / len(upstream)"),
            ("Affine", "upstream @ self.kernel.T", "upstream @ self.kernel.T * 2"),
            ("Exponential", "self.outputs + self.alpha", "self.outputs + 1"),
        ),
    ),
    "kernel": Written(("rbf",), (("rbf", "K * d2 / lengthscale**3", "K * d2 / lengthscale**2"),)),
    "unnamed_cache": Written(
        ("forward_propagation",), (("forward_propagation", '(1 - cache["A1"] ** 2)', '(1 - cache["A1"])'),)
    ),
    "margins": Written(
        ("log_loss", "softplus_loss", "hinge_loss"),
        (
            ("hinge_loss", "= 1 - counted.sum(axis=0)", "= -counted.sum(axis=0)"),
            ("log_loss", "p = 1 / (1 + np.exp(y * X.dot(theta)))", "p = 1 / (1 + np.exp(X.dot(theta)))"),
            ("softplus_loss", "s = -y / (1 + np.exp(y * (X @ w)))", "s = -y / (1 + np.exp(X @ w))"),
        ),
    ),
    "unnamed_gradients": Written(
        ("lasso", "elastic_net"),
        (
            ("lasso", "X.T @ residual + lam", "X.T @ residual + 2 * lam"),
            ("elastic_net", "-X.T @ r / len(y)", "-X.T @ r"),
        ),
    ),
    "value_and_gradient": Written(
        ("half_square_and_grad", "huber_value_grad", "masked_cross_entropy"),
        (
            ("half_square_and_grad", "x.copy()", "2 * x"),
            ("huber_value_grad", "np.clip(r, -delta, delta)", "np.clip(r, -1, 1)"),
            ("masked_cross_entropy", "d * mask[:, None]", "d"),
        ),
    ),
    "returned_functions": Written(
        ("softsign", "tanh_vjp", "scores", "dense", "make_ridge", "build_objective"),
        (
            ("softsign", "dy / d**2", "dy / d"),
            ("tanh_vjp", "(1 - y * y)", "(1 - y)"),
            ("scores", "g.T @ q", "2 * g.T @ q"),
            ("dense", "dout.sum(axis=0)", "dout.mean(axis=0)"),
            ("make_ridge", "len(y) + lam * w", "len(y)"),
            ("build_objective", "A.T @ (r / s)", "A.T @ r"),
        ),
    ),
    "second_order": Written(
        ("cost", "cost_grad", "chained", "chained_der"),
        (
            ("cost_grad", "A @ p + np.cosh(w) * p", "A @ p + np.sinh(w) * p"),
            ("chained_der", "out[1:] += 200 * v[1:]", "out[1:] += 100 * v[1:]"),
        ),
    ),
    "sparse_matrix": Written(
        ("energy", "residual"),
        (("energy", "u - target + D.T", "u - target - D.T"), ("residual", "[3 * u", "[2 * u")),
    ),
    "switch": Written(("nonlin",), (("nonlin", "return x * (1 - x)", "return x * (1 + x)"),), convention=True),
}
MISTAKES = [(file, *mistake) for file, written in WRITTEN.items() for mistake in written.mistakes]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


def loaded(folder: Path, file: str, old: str = "", new: str = "") -> ModuleType:
    """A copy of a file under a name of its own, with a change."""
    text = (FILES / f"{file}.py").read_text()
    assert old in text
    name = f"written_{file}_{next(_numbers)}"
    (folder / f"{name}.py").write_text(text.replace(old, new, 1))
    return load(name, str(folder / f"{name}.py"))


@pytest.mark.parametrize("file", WRITTEN)
def test_everything_is_found_and_right(file: str, folder: Path) -> None:
    module = loaded(folder, file)
    found = members(module, is_subject, belonging)
    assert [(one.attribute, one.verdict) for one in found] == [(name, None) for name in WRITTEN[file].found]
    for name in WRITTEN[file].found:
        result = check_subject(subject_of(get(module, name)), RIGHT)
        assert result.verdict == ("convention" if WRITTEN[file].convention else "correct"), (name, result)


@pytest.mark.parametrize(("file", "name", "old", "new"), MISTAKES, ids=[f"{m[0]}: {m[3]}" for m in MISTAKES])
def test_a_mistake_is_wrong(file: str, name: str, old: str, new: str, folder: Path) -> None:
    result = check_subject(subject_of(get(loaded(folder, file, old, new), name)), WRONG)
    assert result.verdict == "wrong"
    assert any(claim.verdict == "wrong" and claim.wrong_count for claim in result.claims)
