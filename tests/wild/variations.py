"""What the survey found: ways to write a right package, and mistakes in derivatives with the cause that fits."""

from __future__ import annotations

from dataclasses import dataclass

from tests.wild.copies import Change


@dataclass(frozen=True)
class Mistake:
    """A change that makes a derivative wrong: where, and what the first diagnosis must be called."""

    name: str
    where: str
    changes: tuple[Change, ...]
    cause: str


LAYERS, ACTIVATIONS, LOSSES, TAPE = "layers.py", "activations.py", "losses.py", "gradient_tape.py"

LOCAL_B = "Tensor(np.ones(self.b.shape))"
LOCAL_W = "Tensor(np.expand_dims(x, axis=-1))"
ZEROS_MSE = "gradient = 2 * (y_pred - y_true) / y_pred.size\n        return [gradient, np.zeros_like(y_true)]"
SLOPE = "return [np.where(x > 0, 1.0, self.alpha)]"
TIMES_J = "return self.get_input_gradients()[0] * J"

# Right packages, each written differently (generation, what is different, changes).
RIGHT: tuple[tuple[str, str, tuple[Change, ...]], ...] = (
    ("modern", "as it is", ()),
    ("modern", "b of shape (1, out)", (Change(LAYERS, "np.zeros(output_size)", "np.zeros((1, output_size))"),)),
    ("modern", "weights as a list", (Change(LAYERS, "return self.w, self.b\n", "return [self.w, self.b]\n"),)),
    (
        "modern",
        "local weight gradient (batch, in, out)",
        (Change(LAYERS, LOCAL_W, "Tensor(np.repeat(x[:, :, None], self.w.shape[1], axis=2))"),),
    ),
    ("modern", "local bias gradient (1, out)", (Change(LAYERS, LOCAL_B, "np.ones((1, len(self.b)))"),)),
    ("modern", "local bias gradient (1,)", (Change(LAYERS, LOCAL_B, "np.ones(1)"),)),
    ("modern", "local bias gradient a scalar", (Change(LAYERS, LOCAL_B, "np.array(1.0)"),)),
    ("modern", "local gradients as a tuple", (Change(LAYERS, "return [self.w]\n", "return (self.w,)\n"),)),
    (
        "modern",
        "elementwise (batch, n, n)",
        (
            Change(ACTIVATIONS, SLOPE, "return [np.where(x > 0, 1.0, self.alpha)[:, :, None] * np.eye(x.shape[1])]"),
            Change(
                ACTIVATIONS,
                f"    def compose_input_gradients(self, J):\n        {TIMES_J}\n\n\nclass ReLU",
                "class ReLU",
            ),
        ),
    ),
    ("modern", "elementwise composed to a list", (Change(ACTIVATIONS, TIMES_J, f"{TIMES_J}[0][None]"),)),
    (
        "modern",
        "composes with or without J",
        (
            Change(
                ACTIVATIONS,
                TIMES_J,
                "local = self.get_input_gradients()\n        return local if J is None else [local[0] * J[0]]",
            ),
        ),
    ),
    (
        "modern",
        "gradient at 0 is 0",
        (Change(ACTIVATIONS, SLOPE, "return [np.where(x > 0, 1.0, self.alpha) * (x != 0)]"),),
    ),
    ("modern", "gradient at 0 is 1", (Change(ACTIVATIONS, SLOPE, "return [np.where(x >= 0, 1.0, self.alpha)]"),)),
    (
        "modern",
        "from np.array(self.inputs)",
        (Change(ACTIVATIONS, f"x = self.inputs[0]\n        {SLOPE}", f"x = np.array(self.inputs)\n        {SLOPE}"),),
    ),
    (
        "modern",
        "forward returns plain arrays",
        (Change(LAYERS, "return Tensor(x @ self.w + self.b)", "return np.asarray(x @ self.w + self.b)"),),
    ),
    ("modern", "forward is called call", (Change("*", "def forward", "def call"), Change("*", ".forward", ".call"))),
    (
        "modern",
        "loss of shape (1,)",
        (
            Change(
                LOSSES,
                "return Tensor(np.mean(np.mean((y_pred - y_true) ** 2, axis=-1)))",
                "return Tensor([np.mean((y_pred - y_true) ** 2)])",
            ),
        ),
    ),
    (
        "modern",
        "loss of shape (1, 1)",
        (
            Change(
                LOSSES,
                "return Tensor(np.mean(np.mean((y_pred - y_true) ** 2, axis=-1)))",
                "return np.mean((y_pred - y_true) ** 2, keepdims=True)",
            ),
        ),
    ),
    ("modern", "None for y_true", (Change(LOSSES, "np.zeros_like(y_true)]", "None]"),)),
    ("modern", "y_true left out", (Change(LOSSES, ", np.zeros_like(y_true)]", "]"),)),
    (
        "modern",
        "kinds of labels named otherwise",
        (Change(LOSSES, "y_true", "labels"), Change(LOSSES, "y_pred", "probs")),
    ),
    ("chain", "as it is", ()),
    ("older", "as it is", ()),
    ("oldest", "as it is", ()),
)

SOFTMAX_DIAGONAL = "jacobians[n] = -np.outer(row, row)"
CCE = "gradient = np.where(y_pred > self.epsilon, -y_true / safe, 0) / len(y_pred)"
MSE = "gradient = 2 * (y_pred - y_true) / y_pred.size"
SIGMOID = "y = self.outputs[0]\n        return [y * (1 - y)]"
STEP = """if grads[id(variable)] is None:
                    grads[id(variable)] = gradient
                else:
                    grads[id(variable)] = grads[id(variable)] + gradient"""

MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "cross-entropy: 1/batch missing",
        "losses.CategoricalCrossEntropy",
        (Change(LOSSES, CCE, CCE.removesuffix(" / len(y_pred)")),),
        "1/batch missing",
    ),
    Mistake(
        "cross-entropy: not finite at p = 0",
        "losses.CategoricalCrossEntropy",
        (Change(LOSSES, CCE, "gradient = -y_true / y_pred / len(y_pred)"),),
        "not finite",
    ),
    Mistake(
        "cross-entropy: 1/classes too much",
        "losses.CategoricalCrossEntropy",
        (Change(LOSSES, CCE, "gradient = np.where(y_pred > self.epsilon, -y_true / safe, 0) / y_pred.size"),),
        "extra 1/features",
    ),
    Mistake(
        "squared error: 1/features missing",
        "losses.MeanSquaredError",
        (Change(LOSSES, MSE, "gradient = 2 * (y_pred - y_true) / len(y_pred)"),),
        "1/features missing",
    ),
    Mistake(
        "squared error: a number for an array",
        "losses.MeanSquaredError",
        (Change(LOSSES, MSE, "gradient = np.mean(2 * (y_pred - y_true))"),),
        "number instead of an array",
    ),
    Mistake(
        "squared error: sign",
        "losses.MeanSquaredError",
        (Change(LOSSES, MSE, "gradient = 2 * (y_true - y_pred) / y_pred.size"),),
        "sign flipped",
    ),
    Mistake(
        "squared error: 2 and both means missing",
        "losses.MeanSquaredError",
        (Change(LOSSES, MSE, "gradient = y_pred - y_true"),),
        "factor 2 and both means missing",
    ),
    Mistake(
        "losses: a bare array",
        "losses.MeanSquaredError",
        (Change(LOSSES, "return [gradient, np.zeros_like(y_true)]", "return gradient"),),
        "array instead of a list",
    ),
    Mistake(
        "dense: w transposed", "layers.Dense", (Change(LAYERS, "return [self.w]", "return [self.w.T]"),), "transposed"
    ),
    Mistake(
        "dense: bias gradient that does not compose",
        "layers.Dense",
        (Change(LAYERS, LOCAL_B, "np.ones((len(x), 1))"),),
        "shapes do not compose",
    ),
    Mistake(
        "dense: weight gradient xᵀ", "layers.Dense", (Change(LAYERS, LOCAL_W, "Tensor(x.T)"),), "shapes do not compose"
    ),
    Mistake(
        "dense: weight gradient without its last axis",
        "layers.Dense",
        (Change(LAYERS, LOCAL_W, "Tensor(x)"),),
        "shapes do not compose",
    ),
    Mistake(
        "dense: 1/batch too much",
        "layers.Dense",
        (Change(LAYERS, LOCAL_W, f"{LOCAL_W} / len(x)"), Change(LAYERS, LOCAL_B, f"{LOCAL_B} / len(x)")),
        "averaged instead of summed",
    ),
    Mistake(
        "activations: slope −α",
        "activations.LeakyReLU",
        (Change(ACTIVATIONS, SLOPE, "return [np.where(x > 0, 1.0, -self.alpha)]"),),
        "slope −α",
    ),
    Mistake(
        "activations: slope 1 everywhere",
        "activations.LeakyReLU",
        (Change(ACTIVATIONS, SLOPE, "return [np.where(x > 0, 1.0, 1.0)]"),),
        "slope 1 everywhere",
    ),
    Mistake(
        "activations: softmax with the wrong sign off the diagonal",
        "activations.Softmax",
        (Change(ACTIVATIONS, SOFTMAX_DIAGONAL, "jacobians[n] = np.outer(row, row)"),),
        "wrong sign off the diagonal",
    ),
    Mistake(
        "activations: sigmoid not a number at ±800",
        "activations.Sigmoid",
        (Change(ACTIVATIONS, SIGMOID, "x = self.inputs[0]\n        return [np.exp(x) / (1 + np.exp(x)) ** 2]"),),
        "not finite",
    ),
    Mistake(
        "tape: seeded with zeros",
        "gradient_tape.GradientTape",
        (
            Change(
                TAPE,
                "        grads = defaultdict(lambda: None)\n",
                "        grads = defaultdict(lambda: None)\n        grads[id(target)] = target * 0\n",
            ),
        ),
        "zero",
    ),
    Mistake(
        "tape: wrong number of gradients",
        "gradient_tape.GradientTape",
        (Change(TAPE, "for source in sources]", "for source in sources[1:]]"),),
        "wrong number of gradients",
    ),
    Mistake(
        "tape: gradients that meet are not added",
        "gradient_tape.GradientTape",
        (Change(TAPE, STEP, "grads[id(variable)] = gradient"),),
        "gradients that meet are not added",
    ),
)
