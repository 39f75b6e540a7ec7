"""What looks like a derivative and is not judged is listed; what is only named after gradients is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gradcheck.adapters import belonging, is_subject
from gradcheck.command.loading import load, members
from gradcheck.command.names import looks_like_a_derivative
from tests.gradcheck.foreign import command, document

DERIVATIVES = (
    "sigmoid_prime relu_backward conv_backward_fast dReLU dZ d_tanh dtanh softmaxGradient backProp backprop "
    "back_propagate backpropagation jacobian jac hess hessp vjp jvp compute_gradients calculateGradients loss_grad "
    "grad_f grad2 gradf dL_dW dloss_dw L_model_backward backward_propagation_2 softplus_bwd cost_der get_gradients "
    "tanhDerivative deriv_relu input_gradients computeBackward bprop backward_pass _backward pullback"
)
OTHERS = (
    "upgrade zero_grad gradient_descent degrade graduate background is_prime next_prime prime primes prime_factors "
    "clip_gradients clip_grad_norm check_gradient gradient_check gradCheck numerical_gradient eval_numerical_gradient "
    "apply_gradients plot_gradients gradient_norm requires_grad no_grad zeroGrad stop_gradient update_gradients "
    "gradient_step GradientTape GradientBoosting sgd data_dir dtype data dense dropout decode conjugate_gradient "
    "backward_hook backwards_compatible diff dist der derive order forward jacobi accumulate_grads has_grad"
)


@pytest.mark.parametrize("name", DERIVATIVES.split())
def test_name_of_a_derivative(name: str) -> None:
    assert looks_like_a_derivative(name, ["tanh"])


@pytest.mark.parametrize("name", OTHERS.split())
def test_name_that_only_sounds_like_one(name: str) -> None:
    assert not looks_like_a_derivative(name, ["tanh"])


def listed(folder: Path, text: str) -> dict[str, str]:
    """What is listed of a module and not checked, with its reason."""
    (folder / "its name is odd.py").write_text(text)
    module = load("seen_in_a_test", str(folder / "its name is odd.py"))
    try:
        found = members(module, is_subject, belonging)
    finally:
        del sys.modules["seen_in_a_test"]
    return {one.attribute: f"{one.verdict}: {one.reason}" for one in found if one.verdict}


PAIR = "def relu(x): return x * (x > 0)\ndef relu_grad(x): return 1.0 * (x > 0)\n"

SEEN = {
    "named, and of another function": ("def swishGrad(x): return 2 * x", "swishGrad", "named like a derivative"),
    "named, and of other arguments": (
        "def f(x): return x * x\ndef f_grad(a, b, c): return 2 * a * b",
        "f_grad",
        "named like a derivative",
    ),
    "a lambda": ("swish_prime = lambda x: 2 * x", "swish_prime", "named like a derivative"),
    "vectorised": ("import numpy as np\nstep_prime = np.vectorize(lambda x: 0)", "step_prime", "named like"),
    "in part applied": (
        "from functools import partial\ndef power(n, x): return x**n\ncube_grad = partial(power, 2)",
        "cube_grad",
        "named like a derivative",
    ),
    "cached": ("from functools import cache\n@cache\ndef swish_grad(x): return 2 * x", "swish_grad", "named like"),
    "asked for by an argument": (
        "def nonlin(*x, deriv=False): return x[0] * (1 - x[0]) if deriv else x[0]",
        "nonlin",
        "it has an argument deriv,",
    ),
    "returned with the loss": (
        "def hinge(W, X, y):\n    dW = 2 * X\n    return W.sum(), dW / len(X) + 2 * W",
        "hinge",
        "it returns dW,",
    ),
    "returned by a loss without a name": (
        "def cost(*data):\n    w, X, y = data\n    r = X @ w - y\n    return r @ r / 2, X.T @ r",
        "cost",
        "a value and something that may be its gradient",
    ),
    "returned beside the value": (
        "def rosenbrock(*x):\n    f, g = x, x\n    return f, g",
        "rosenbrock",
        "may be its gradient",
    ),
    "returned in a dict": (
        "def propagate_n(X, cache):\n    dW1 = X\n    gradients = {'dW1': dW1}\n    return gradients",
        "propagate_n",
        "it returns gradients,",
    ),
    "a class without its forward": (
        "class A:\n    def backprop(self, d): return d",
        "A",
        "it has backprop, and no forward",
    ),
    "a private method, the only one": ("class A:\n    def _backward(self, d): return d", "A", "it has _backward,"),
    "a static method": ("class A:\n    @staticmethod\n    def gradient(x): return 2 * x", "A", "it has gradient,"),
    "a class method": (
        "class A:\n    @classmethod\n    def prime_grad(cls, x): return 2 * x",
        "A",
        "it has prime_grad,",
    ),
    "a force beside its energy": (
        "def spring_energy(x): return x @ x\ndef spring_force(x): return -2 * x",
        "spring_force",
        "named like",
    ),
    "forces of a potential": (
        "class A:\n    def potential(self, r): return r @ r\n    def get_forces(self, r): return -2 * r",
        "A",
        "it has get_forces,",
    ),
    "of a constant": ("class A:\n    def derivative(self, x): return 1", "A", "it has derivative,"),
    "of the identity": ("class A:\n    def derivative(self, x): return x", "A", "it has derivative,"),
    "inherited from a base with stubs": (
        "class A:\n    def grad(self, x): return x\n    def f(self): pass\nclass B(A):\n    def f(self): return 1",
        "B",
        "it has grad,",
    ),
    "a method that returns them": (
        "class Net:\n    def both(self, X, y):\n        grads = {}\n        return X.sum(), grads",
        "Net",
        "both: it returns grads,",
    ),
    "private, and nobody's helper": ("def _grads(x): return 2 * x\n" + PAIR, "_grads", "named like a derivative"),
}


@pytest.mark.parametrize(("text", "name", "why"), SEEN.values(), ids=SEEN)
def test_what_looks_like_a_derivative_is_listed_with_its_reason(tmp_path: Path, text: str, name: str, why: str) -> None:
    found = listed(tmp_path, text)
    assert list(found) == [name]
    assert found[name].startswith("not understood: ")
    assert why in found[name]


UNSEEN = {
    "a pair that is judged": PAIR,
    "imported": "from numpy import gradient\nfrom gradcheck.adapters.returned import *",
    "judged by another name too": PAIR + "relu_derivative = relu_grad",
    "abstract": "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def backward(self, d): ...",
    "a docstring": 'class A:\n    def backward(self, d):\n        """Return it."""',
    "a stub": "class A:\n    def backward(self, d): raise NotImplementedError",
    "a stub with a message": "class A:\n    def backward(self, d): raise NotImplementedError(f'{self} has none')",
    "returns nothing": "def warn_of_gradients(x) -> None:\n    print(x)",
    "given, and handed on": "def sgd(w, dw, lr=0.1):\n    return w - lr * dw, dw",
    "a force of no energy": "class A:\n    def force(self, x): return 2 * x",
    "a data frame": "def load(path):\n    df = path\n    return df",
    "a distance": "def spacing(x):\n    dx = x[1] - x[0]\n    return dx",
    "a loss and its accuracy": "def evaluate_loss(x):\n    accuracy = x\n    return x.sum(), accuracy",
    "a loss alone": "def cost(w): return w @ w",
    "an optimiser": "def gradient_descent(f, x):\n    grads = f(x)\n    return x, grads",
    "a step that takes a gradient": "def step(w, grad): return w - grad",
    "a helper of what is judged": "def _slope_grad(x): return 1.0 * (x > 0)\n"
    + PAIR.replace("return 1.0 * (x > 0)", "return _slope_grad(x)"),
    "an object that nobody can look at": "class Odd:\n    def __getattr__(self, name): raise RuntimeError\n"
    "    def __call__(self): pass\ndx_grad = Odd()",
}


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_what_only_sounds_like_one_is_not_listed(tmp_path: Path, text: str) -> None:
    assert listed(tmp_path, text) == {}


def test_methods_that_nobody_asked_are_listed_with_their_class(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(
        "import numpy as np\nclass Tanh:\n"
        "    def forward(self, x):\n        self.y = np.tanh(x)\n        return self.y\n"
        "    def backward(self, upstream): return upstream * self._slope_grad()\n"
        "    def _slope_grad(self): return 1 - self.y**2\n"
        "    def hessian(self, x): return -2 * self.y * (1 - self.y**2)\n"
        "    def zero_grad(self): self.g = 0\n"
    )
    done = command("m.py", "--no-report", "--json", "out.json", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("1 seen but not understood, 1 correct in ")
    assert [one["name"] for one in document(tmp_path)["components"][0]["unjudged"]] == ["hessian"]
    assert command("m.py", "--no-report", "--strict", folder=tmp_path).returncode == 1
