"""Code in the shapes that courses teach: all of it is found and right, and each planted mistake is wrong."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from gradcheck.adapters import belonging, is_subject, parts, subject_of
from gradcheck.check import Options, check_subject
from gradcheck.command import loading
from gradcheck.report.terminal import explain
from gradcheck.results import ComponentResult
from gradcheck.verdicts import PASSING
from tests.wild.copies import importable

COURSES = Path(__file__).parent / "courses"
# How code is read is the question here; what is shown exactly has its own tests.
WHOLE = Options(dtypes=("float64",), exact=False)
FIRST = Options(dtypes=("float64",), exact=False, fail_fast=True, evidence=False)
# Left out here, as whether their derivatives can be resolved is no question of how they are asked.
HARD = {"RNN", "RNNCell", "FullyConnectedNet"}
_numbers = itertools.count()


@dataclass(frozen=True)
class Planted:
    """`old` is replaced by `new` in a course's file, which makes a derivative of `where` wrong."""

    course: str
    where: str
    old: str
    new: str


WRONG = (
    Planted("scalar_engine", "Value", "self.grad += other.data * out.grad", "self.grad = other.data * out.grad"),
    Planted("scalar_engine", "Value.__pow__", "k * self.data ** (k - 1)", "self.data ** (k - 1)"),
    Planted("scalar_engine", "Value.relu", "(out.data > 0) * out.grad", "(out.data > 1) * out.grad"),
    Planted("scalar_engine", "Value.tanh", "(1 - t * t)", "(1 - t)"),
    Planted("scalar_engine", "Value.__add__", "other.grad += out.grad", "other.grad -= out.grad"),
    Planted("tensor_engine", "Dot", "input.T.dot(grad_output)", "2 * input.T.dot(grad_output)"),
    Planted("tensor_engine", "Tensor", "g if parent.grad is None else parent.grad + g", "g"),
    Planted("tensor_engine", "LogSoftmax", "np.exp(out) * grad_output.sum(axis=1, keepdims=True)", "np.exp(out)"),
    Planted("static_functions", "Mul", "return b * d_output, a * d_output", "return a * d_output, b * d_output"),
    Planted("static_functions", "Scalar", "derivatives.get(id(one), 0.0) + g", "g"),
    Planted("static_functions", "Log", "return d_output / a", "return d_output * a"),
    Planted("static_functions", "Scalar.sigmoid", "s * (1 - s) * d_output", "s * (1 - s)"),
    Planted("tensor_ops", "MatMul", "a.transpose() @ out_grad", "out_grad.transpose() @ a"),
    Planted("tensor_ops", "Tensor", "total = total + one", "total = one"),
    Planted("tensor_ops", "LogSumExp", "* Tensor(s)", "* Tensor(e)"),
    Planted("variables", "Div", "gy * (-x0 / x1**2)", "gy * (x0 / x1**2)"),
    Planted("variables", "Variable", "funcs.sort(key=lambda one: one.generation)", "pass"),
    Planted("variables", "Exp", "self.outputs[0].data * gy", "self.inputs[0].data * gy"),
    Planted("from_scratch", "Affine", "np.sum(dout, axis=0)", "np.mean(dout, axis=0)"),
    Planted("from_scratch", "SoftmaxWithLoss", "(self.y - self.t) * dout / len(self.t)", "(self.y - self.t) * dout"),
    Planted("from_scratch", "Embedding", "np.add.at(dW, self.idx, dout)", "dW[self.idx] = dout"),
    Planted("from_scratch", "TwoLayerNet", 'self.layers["Affine2"].db\n', 'self.layers["Affine2"].db * 2\n'),
    Planted("from_scratch", "RNN", "dt = dh_next * (1 - h_next**2)", "dt = dh_next * (1 - h_next)"),
    Planted("layer_base", "FullyConnected", "self.act_fn.grad(X @ W + b)", "self.act_fn.grad(X @ W)"),
    Planted("layer_base", "ELU", "np.where(x > 0, 1.0, self.alpha * ", "np.where(x > 0, 1.0, "),
    Planted("layer_base", "Softmax", "- np.sum(dLdy * out, axis=self.dim, keepdims=True)", "- dLdy * out"),
    Planted("layer_base", "CrossEntropy", "return -y / y_pred", "return -y * y_pred"),
    Planted("my_torch", "Linear", "self.dLdb = dLdZ.T @ self.Ones", "self.dLdb = dLdZ.T @ self.Ones / self.N"),
    Planted("my_torch", "BatchNorm1d", "+ dLdM / self.N", ""),
    Planted("my_torch", "MSELoss", "2 * (self.A - self.Y) / (self.N * self.C)", "2 * (self.A - self.Y) / self.N"),
    Planted("my_torch", "MLP1", "reversed(self.layers)", "reversed(self.layers[:3])"),
    Planted("my_torch", "RNNCell", "dz = delta * (1 - h_t**2)", "dz = delta * (1 - h_prev_t**2)"),
    Planted("my_torch_older", "Identity", "return 1.0", "return 2.0"),
    Planted("my_torch_older", "Same", "np.ones(self.A.shape", "0.5 * np.ones(self.A.shape"),
    Planted("my_torch_older", "StatefulTanh", "1 - self.state**2", "1 - self.state"),
    Planted("my_torch_older", "SquaredLoss", "return 2 * (predicted", "return (predicted"),
    Planted("my_torch_older", "Initialized", "delta.sum(axis=0)", "delta.mean(axis=0)"),
    Planted("my_torch_older", "MeanPool", "j : j + 1] / k**2", "j : j + 1] / k"),
    Planted(
        "patched", "Tensor.__mul__", "self.b.data, grad_output * self.a.data", "self.b.data, grad_output * self.b.data"
    ),
    Planted("shaped", "ChannelScale", "(accum_grad * self.X).sum(", "accum_grad.sum("),
    Planted("shaped", "Clip", "return accum_grad * (", "return accum_grad + 0 * ("),
    Planted("shaped", "Total", "np.ones(self.shape) *", "2 * np.ones(self.shape) *"),
    Planted("shaped", "Slopes", "np.where(self.x > 0, 0, self.x)", "self.x"),
    Planted("shaped", "CrossEntropy", "(1 - p) - y / p", "(1 - p) + y / p"),
    Planted("shaped", "Gaussian.grad", "(x**2 - 1) *", "x**2 *"),
    Planted("patched", "Tensor.exp", "grad_output * self.out", "grad_output"),
    Planted("patched", "Tensor", "self.grad = self.grad + gradient", "self.grad = gradient"),
    Planted("ordered_engine", "Number", "self.grad += other.data", "self.grad = other.data"),
    Planted("ordered_engine", "Number.__mul__", "other.grad += self.data * out.grad", "other.grad += out.grad"),
    Planted("ordered_engine", "Grid.__mul__", "(g * other.data, g * self.data)", "(g * self.data, g * other.data)"),
    Planted("cached_functions", "TwoLayerNet", 'grads["W1"] += self.reg', 'grads["W1"] += 2 * self.reg'),
    Planted("by_columns", "ShallowNetwork", "dZ1 = self.W2.T @ dZ2 * (1 - self.A1**2)", "dZ1 = self.W2.T @ dZ2"),
    Planted("told_weights", "LogisticRegression", "+ self.lam / m * theta\n", "+ self.lam * theta\n"),
    Planted("told_weights", "LinearRegression", "db = 2 * np.mean", "db = 2 * np.sum"),
    Planted("told_weights", "SoftmaxClassifier", "return X.T @ p / len(y)", "return X.T @ p"),
    Planted("told_weights", "Costs.ridge_cost", "+ lam * w) / len(y)", "+ 2 * lam * w) / len(y)"),
    Planted("told_weights", "Costs.poisson", "(np.exp(X @ beta) - y)", "(np.exp(X @ beta) + y)"),
    Planted("told_weights", "Costs.propagate", "np.sum(A - Y) / m}", "np.sum(A - Y)}"),
    Planted("cells", "GatedCell", "dxh[:, n:] + dh", "dxh[:, n:]"),
    Planted("cells", "ColumnCell", "self.dW = dz @ self.xh.T", "self.dW = dh @ self.xh.T"),
    Planted("updated", "Listed", "self.lr * dz.sum(0)", "self.lr * dz.mean(0)"),
    Planted("updated", "Nested", "learning_rate * dout.sum(0)", "learning_rate * dout[0]"),
    Planted("updated", "Stateful", '"Wh": self.before.T @ dz', '"Wh": self.h.T @ dz'),
    Planted("updated", "Third", "learning_rate * (self.x / 3)", "learning_rate * (self.x / 3.001)"),
    Planted("told_weights", "Costs.squared", "r @ r, 2 * X.T @ r", "r @ r, X.T @ r"),
    Planted("of_vectors", "Rosenbrock", "- 2 * (1 - x[0])", "+ 2 * (1 - x[0])"),
    Planted("of_vectors", "Valleys.himmelblau", "4 * x * a + 2 * b", "4 * x * a + b"),
    Planted("of_vectors", "Quadratic", "return self.A @ x - self.b", "return self.A @ x + self.b"),
    Planted("of_vectors", "EWiseMul", "out_grad * b, out_grad * a", "out_grad * a, out_grad * b"),
    Planted("of_vectors", "Summation", "else like * np.expand", "else 2 * like * np.expand"),
    Planted("other_names", "TorchLinear", "gradOutput.T @ input", "gradOutput.T @ input / len(input)"),
    Planted("other_names", "Fprop", "return delta @ self.w.T", "return 2 * delta @ self.w.T"),
    Planted(
        "other_names",
        "Learns",
        "self.bias -= learning_rate * output_gradient",
        "self.bias += learning_rate * output_gradient",
    ),
    Planted("other_names", "CalledAndGradient", "return 1 - np.tanh(x) ** 2", "return 1 - np.tanh(x)"),
    Planted("other_names", "Softplus", "0.5 * (1 + np.tanh(0.5 * z))", "0.5 * (1 + np.tanh(z))"),
    Planted("other_names", "Quadratic", "return y_pred - y_true", "return y_true - y_pred"),
    Planted("other_names", "ToldLabelsAgain", " / outputs / samples", " / samples"),
    Planted("other_names", "PairAndList", "grad.sum(axis=0, keepdims=True)", "grad.mean(axis=0, keepdims=True)"),
    Planted("held_weights", "Slotted", "self.dW = self.x.T @ dout", "self.dW = -self.x.T @ dout"),
    Planted("held_weights", "WithHolders", "self.bias.grad = dout.sum(axis=0)", "self.bias.grad = dout[0]"),
    Planted("held_weights", "WithGetters", "self._x.T @ self._delta", "self._x.T @ self._delta / len(self._x)"),
    Planted(
        "held_weights", "WithStep", "self.lr * self.x.T @ self.delta", "self.lr * self.x.T @ self.delta / len(self.x)"
    ),
    Planted("held_weights", "PythonFloat", "dout * np.sin(self.x)", "dout * self.x"),
    Planted(
        "held_weights",
        "MadeAtTheFirstCall",
        "self.kernel_grad = self.x.T @ dout",
        "self.kernel_grad = 3 * self.x.T @ dout",
    ),
    Planted("held_weights", "TupleOfBoth", "dout.sum(axis=0)", "2 * dout.sum(axis=0)"),
    Planted("held_weights", "AddsUp", "self.W_grad += self.x.T @ dout", "self.W_grad += 2 * self.x.T @ dout"),
    Planted("pairs_and_groups", "ContrastiveLoss", "* self.gap / self.dist", "* self.gap"),
    Planted("pairs_and_groups", "GroupNorm", "d.shape[2]", "g.shape[2] * g.shape[3]"),
    Planted("weights_of_their_own", "Ridge", "self.l1 * np.sign(self.w)", "self.l1"),
    Planted("weights_of_their_own", "Ridge", "2 * self.l2 * self.w\n", "self.l2 * self.w\n"),
    Planted("weights_of_their_own", "Dense", "g.sum(axis=0)", "g.sum()"),
    Planted("weights_of_their_own", "Padded", "return dx", "return dx[:, :-1]"),
    Planted("weights_of_their_own", "SigmoidInSingle", "(1 - self.y)", "(1.001 - self.y)"),
    Planted("parts_that_add", "Sequential", "+= g.T @ self.x", "+= 2 * g.T @ self.x"),
    Planted("parts_that_add", "Linear", "in self.params:", "in self.params.keys() - self.grads.keys():"),
    Planted("modes", "Dropout", "return grad * self.mask", "return grad"),
    Planted("modes", "BatchNorm", "return g / self.std", "return g"),
    Planted("modes", "FlagInTheCache", "else g * 1.0", "else g * 1.000001"),
    Planted("modes", "Sequential", "grad = layer.backward(grad)", "grad = layer.backward(0.5 * grad)"),
    Planted("modes", "Residual", "return grad + self.inner.backward(grad)", "return self.inner.backward(grad)"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield from (tmp_path for _ in importable(tmp_path))


def load(course: str, folder: Path, old: str = "", new: str = "") -> ModuleType:
    """Import a copy of a course's file, altered by text."""
    name = f"wild_course{next(_numbers)}"
    text = (COURSES / f"{course}.py").read_text()
    assert old in text, f"{course} does not contain {old!r}"
    (folder / f"{name}.py").write_text(text.replace(old, new) if old else text)
    return importlib.import_module(name)


def judge(module: ModuleType, attribute: str, options: Options) -> ComponentResult:
    return check_subject(subject_of(loading.get(module, attribute), name=attribute), options)


@pytest.mark.parametrize("course", sorted(file.stem for file in COURSES.glob("*.py")))
def test_right_courses_are_found_and_raise_no_alarm(course: str, folder: Path) -> None:
    module = load(course, folder)
    found = [one.attribute for one in loading.members(module, is_subject, belonging, parts) if one.verdict is None]
    planted = {one.where for one in WRONG if one.course == course}
    assert planted <= set(found)
    # Operations of an engine are many, and much alike.
    for attribute in [one for one in found if one in planted or "." not in one]:
        result = judge(module, attribute, WHOLE)
        assert result.verdict in PASSING or (attribute in HARD and result.verdict == "unresolved"), explain(result)
        assert not result.unjudged, (attribute, result.unjudged)


@pytest.mark.parametrize("planted", WRONG, ids=[f"{one.where} of {one.course}" for one in WRONG])
def test_planted_mistakes_in_courses_are_called_wrong(planted: Planted, folder: Path) -> None:
    result = judge(load(planted.course, folder, planted.old, planted.new), planted.where, FIRST)
    assert result.verdict == "wrong", explain(result)
