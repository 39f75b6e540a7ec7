"""PyTorch: torch.autograd.Function, modules, and functions of tensors, right and wrong."""

from __future__ import annotations

import pytest

import gradcheck
from tests.frameworks.rules import ROWS, V, W, X, holds
from tests.frameworks.usual import USUAL, Namespace

torch = pytest.importorskip("torch")

check = gradcheck.check

ALL = {**ROWS, **USUAL}
XP = Namespace(
    torch,
    gather=lambda x, i: x[i],
    scattered=lambda n, i, g: g.new_zeros(n, g.shape[1]).index_add(0, i, g),
    overwritten=lambda n, i, g: g.new_zeros(n, g.shape[1]).index_put((i,), g),
    onehot=lambda i, n, like: torch.eye(n, dtype=like.dtype)[i],
    largest=lambda x: torch.amax(x, -1, keepdim=True),
)


def made(row, vjp):
    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            ctx.save_for_backward(*args)
            return row.forward(XP, *args)

        @staticmethod
        def backward(ctx, *g):
            return vjp(XP, g[0] if len(g) == 1 else g, *ctx.saved_tensors)

    return Made


def of(array, dtype=None):
    return torch.tensor(array, dtype=dtype or torch.float32 if array.dtype.kind == "f" else None)


@pytest.mark.parametrize("name", ALL)
def test_a_right_function_is_right_and_a_wrong_one_wrong(name):
    holds(ALL[name], made, of, check)


@pytest.mark.parametrize("name", ["sin", "product", "softmax", "matmul", "norm"])
def test_torch_says_the_same_of_them(name):
    row = ROWS[name]
    args = [of(one, torch.float64).requires_grad_() for one in row.args]
    assert torch.autograd.gradcheck(made(row, row.right).apply, args)
    assert not torch.autograd.gradcheck(made(row, row.wrong).apply, args, raise_exception=False)


class Pair(torch.autograd.Function):
    """(eˣ, Σ x): a context of its own, two outputs, both directions."""

    factor = 1.0

    @staticmethod
    def forward(x):
        return x.exp(), x.sum()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output[0])
        ctx.save_for_forward(output[0])

    @staticmethod
    def backward(ctx, g, h):
        [y] = ctx.saved_tensors
        return y * g + h

    @classmethod
    def jvp(cls, ctx, t):
        [y] = ctx.saved_tensors
        return y * t, cls.factor * t.sum()


def test_two_outputs_and_forward_mode(monkeypatch):
    right = check(Pair, of(X))
    assert right.verdict == "correct", right
    assert right.name.endswith("Pair")
    assert [claim.name for claim in right.claims] == ["vjp[x]", "jvp[x]"]
    monkeypatch.setattr(Pair, "factor", 2.0)
    assert {claim.name: claim.verdict for claim in check(Pair, of(X)).claims} == {
        "vjp[x]": "correct",
        "jvp[x]": "wrong",
    }


class Loss(torch.autograd.Function):
    """Half the squared error, with a switch, that claims nothing about its target."""

    @staticmethod
    def forward(ctx, pred, target, mean=False):
        ctx.kept, ctx.mean = (pred, target), mean
        off = (pred - target) ** 2 / 2
        return off.mean() if mean else off.sum()

    @staticmethod
    def backward(ctx, g):
        pred, target = ctx.kept
        return g * (pred - target) / (pred.numel() if ctx.mean else 1), None, None


def test_what_backward_says_nothing_about_is_held_fixed_and_named():
    for switch in ((), (True,)):
        result = check(Loss, of(X), of(V), *switch)
        assert result.verdict == "correct", result
        assert [claim.wrt for claim in result.claims] == ["pred"]
        assert "but nothing by target; target" in result.reading
    assert check(Loss, of(X), of(V).requires_grad_()).verdict == "wrong"  # None is 0
    assert check(Loss, of(X), of(V), wrt="target").verdict == "wrong"


def test_backward_that_asks_what_is_needed():
    class Linear(torch.autograd.Function):
        transposed = True

        @staticmethod
        def forward(ctx, x, w, b=None):
            ctx.save_for_backward(x, w)
            return x @ w.T if b is None else x @ w.T + b

        @classmethod
        def backward(cls, ctx, g):
            x, w = ctx.saved_tensors
            by_x = by_w = by_b = None
            if ctx.needs_input_grad[0]:
                by_x = g @ w
            if ctx.needs_input_grad[1]:
                by_w = g.T @ x if cls.transposed else (x.T @ g).reshape(w.shape)
            if ctx.needs_input_grad[2]:
                by_b = g.sum(0)
            return by_x, by_w, by_b

    class Wrong(Linear):
        transposed = False

    x, w, b = of(X), of(W.T), of(W[0])
    for rest in ((w, b), (w, None)):
        result = check(Linear, x, *rest)
        assert result.verdict == "correct", result
        assert len(result.claims) == 1 + sum(one is not None for one in rest)
        assert check(Wrong, x, *rest).verdict == "wrong"
    frozen = check(Linear, x.clone().requires_grad_(), w, b)
    assert [claim.wrt for claim in frozen.claims] == ["x"]


def test_sparse_gradients_are_written_out():
    def embedding(values):
        class Embedding(torch.autograd.Function):
            @staticmethod
            def forward(ctx, w, rows):
                ctx.rows, ctx.shape = rows, w.shape
                return w[rows]

            @staticmethod
            def backward(ctx, g):
                return torch.sparse_coo_tensor(ctx.rows[None], values(g), ctx.shape), None

        return Embedding

    assert check(embedding(lambda g: g), of(X), torch.tensor([2, 0, 2])).verdict == "correct"
    assert check(embedding(lambda g: g / 2), of(X), torch.tensor([2, 0, 2])).verdict == "wrong"


def test_a_straight_through_gradient_is_waived_where_its_class_says_so():
    class Rounded(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g

    assert check(Rounded, of(X)).verdict == "wrong"
    for name in ("backward[x]", "vjp[x]"):  # in a file, and here
        Rounded.gradcheck_waivers = {name: "straight-through estimator"}
        result = check(Rounded, of(X))
        assert result.verdict == "waived"
        assert result.claims[0].reason == "straight-through estimator"
    Rounded.gradcheck_waivers = ["backward[x]"]
    with pytest.raises(gradcheck.UsageError, match="gradcheck_waivers must be a dict"):
        check(Rounded, of(X))


def test_random_numbers_are_pinned():
    class Dropout(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, p, kept=True):
            ctx.mask = (torch.rand_like(x) > p).to(x.dtype) / (1 - p)
            return x * ctx.mask

        @staticmethod
        def backward(ctx, g):
            return g * ctx.mask, None

    class Forgetful(Dropout):
        @staticmethod
        def backward(ctx, g):
            return g * (ctx.mask > 0), None

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    assert check(Dropout, of(X), 0.5).verdict == "correct"
    assert check(Forgetful, of(X), 0.5).verdict == "wrong"
    assert torch.equal(torch.random.get_rng_state(), before)


def test_modules_by_their_weights_and_inputs():
    class Scaled(torch.nn.Module):
        def __init__(self, function):
            super().__init__()
            self.linear, self.norm = torch.nn.Linear(2, 3, bias=False), torch.nn.BatchNorm1d(3)
            self.frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
            self.function = function

        def forward(self, x):
            return self.function.apply(self.norm(self.linear(x))) * self.frozen

    row = ROWS["tanh"]
    module = Scaled(made(row, row.right))
    state = {name: value.clone() for name, value in module.state_dict().items()}
    result = check(module, of(X))
    assert result.verdict == "correct", result
    weights = ("linear.weight", "norm.weight", "norm.bias")
    assert {claim.wrt for claim in result.claims} == {*(f"weights['{name}']" for name in weights), "x"}
    assert all(torch.equal(state[name], value) for name, value in module.state_dict().items())
    assert all(one.grad is None for one in module.parameters())
    assert check(module, X).verdict == "correct"  # doubles beside weights that are not
    assert check(Scaled(made(row, row.wrong)), of(X)).verdict == "wrong"
    assert [claim.wrt for claim in check(torch.nn.Tanh(), of(X)).claims] == ["input"]


def test_functions_of_tensors_are_differentiated_by_torch_or_as_somebody_says():
    def f(x):
        return (x.sin() ** 2).sum()

    assert check(f, of(X)).verdict == "correct"
    assert check(f, of(X), grad=lambda x: (2 * x).sin(), hess=torch.func.hessian(f)).verdict == "correct"
    assert check(f, of(X), grad=lambda x: 2 * x.sin()).verdict == "wrong"
    assert check(lambda x: (x.exp().detach() * x).sum(), of(X)).verdict == "wrong"
    assert check(torch.sin, of(X), deriv=torch.cos).verdict == "correct"
    assert check(lambda i, w: w[i], torch.tensor([1, 0, 1]), of(W)).verdict == "correct"


def test_complex_gradients_follow_torch():
    z = torch.tensor([1 + 2j, 0.5 - 1j])
    result = check(lambda z: (z.abs() ** 2 * z.real).sum(), z)
    assert result.verdict == "correct"
    assert "PyTorch's convention" in result.reading

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z**2

        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0].conj() * g

    class Conjugated(Square):
        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g

    assert check(Square, z).verdict == "correct"
    assert check(Conjugated, z).verdict == "wrong"


def test_what_is_written_for_float32_alone_is_asked_in_float32():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            assert x.dtype == torch.float32
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    class Thrice(Twice):
        @staticmethod
        def backward(ctx, g):
            return 3 * g

    result = check(Twice, of(X))
    assert result.verdict == "correct"
    assert {at.dtype for at in result.claims[0].points} == {"float32"}
    assert check(Thrice, of(X)).verdict == "wrong"


def test_a_backward_that_writes_into_its_upstream_gradient_is_noted():
    class Greedy(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return g.mul_(2)

    result = check(Greedy, of(X))
    assert result.verdict == "correct"
    assert any("changes the upstream gradient in place" in note.text for note in result.notes)


def test_what_cannot_be_asked_is_said():
    function = made(ROWS["sin"], ROWS["sin"].right)
    with pytest.raises(gradcheck.UsageError, match=r"expected the point at which .* it is torch.autograd.Function"):
        check(function)
    with pytest.raises(gradcheck.UsageError, match=r"expected a module, but got the class Linear: make one"):
        check(torch.nn.Linear, of(X))
    with pytest.raises(
        gradcheck.UsageError, match=r"expected arrays that hold numbers, but got UninitializedParameter"
    ):
        check(torch.nn.LazyLinear(2), of(X))
    assert check(lambda x: float(x.sum()), of(X)).verdict == "could not be asked"
    with pytest.raises(gradcheck.UsageError, match=r"nothing to differentiate by: .* Tensor of dtype torch.int64"):
        check(function, torch.arange(3))
    assert "must match the size" in check(made(ROWS["product"], ROWS["product"].right), of(X), of(W)).reason
    assert check(made(ROWS["product"], ROWS["product"].right), of(X), of(W)).verdict == "could not be asked"
