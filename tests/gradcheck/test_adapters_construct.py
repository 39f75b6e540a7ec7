"""How subjects are built, and what is said where they cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters import CannotBuild, NotASubject, is_subject, register, registry, subject_of
from gradcheck.adapters.construct import arguments
from gradcheck.problem import Array, Problem, Sizes, Subject
from tests.gradcheck import adapter_cases as cases


def built(thing: Any, **keywords: Any) -> Problem:
    return subject_of(thing, **keywords).build(Sizes(), np.random.default_rng(0))


@pytest.fixture
def registrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", [])


def constructor(text: str) -> type:
    """A class whose constructor has this signature."""
    scope: dict[str, Any] = {}
    exec(f"class Made:\n    def __init__(self, {text}):\n        pass\n", scope)
    return scope["Made"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input_size, output_size", {"input_size": 4, "output_size": 3}),
        ("in_features, out_features, bias=True", {"in_features": 4, "out_features": 3}),
        ("n_in, n_out", {"n_in": 4, "n_out": 3}),
        ("dim_input, dim_output", {"dim_input": 4, "dim_output": 3}),
        ("in1_features, in2_features, out_features", {"in1_features": 4, "in2_features": 5, "out_features": 3}),
        ("input_size, hidden_size, output_size", {"input_size": 4, "hidden_size": 7, "output_size": 3}),
        ("num_features, eps", {"num_features": 4, "eps": 1e-5}),
        ("units", {"units": 3}),
        ("num_classes", {"num_classes": 4}),
        (
            "in_channels, out_channels, kernel_size, stride",
            {"in_channels": 4, "out_channels": 3, "kernel_size": 2, "stride": 1},
        ),
        ("in_channels, filters, kernel_size=3", {"in_channels": 4, "filters": 3}),
        ("filters, kernel_size", {"filters": 3, "kernel_size": 2}),
        ("in_ch, out_ch, kernel", {"in_ch": 4, "out_ch": 3, "kernel": 2}),
        ("input_shape", {"input_shape": (4,)}),
        ("a: int, b: int", {"a": 4, "b": 3}),
        ("fudge: float", {"fudge": 0.5}),
        ("rate", {"rate": 0.5}),
        (
            "n_in, n_out, kernel_initializer, use_bias",
            {"n_in": 4, "n_out": 3, "kernel_initializer": "normal", "use_bias": True},
        ),
        ("alpha, seed=None", {"alpha": 0.3, "seed": 0}),
    ],
)
def test_constructor_arguments_get_small_distinct_sizes(text: str, expected: dict[str, Any]) -> None:
    assert arguments(constructor(text), Sizes(), {}) == expected


def test_an_activation_gets_a_function_and_its_derivative() -> None:
    found = arguments(constructor("activation, activation_prime"), Sizes(), {})
    x = np.array([0.25])
    slope = (found["activation"](x + 1e-6) - found["activation"](x - 1e-6)) / 2e-6
    np.testing.assert_allclose(found["activation_prime"](x), slope, rtol=1e-8)


def test_what_the_user_says_comes_first() -> None:
    problem = built(cases.Dense, init={"input_size": 2, "output_size": 6})
    assert problem.variable("w").example.shape == (2, 6)
    assert problem.variable("x").example.shape == (5, 2)


def test_an_unknown_argument_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CannotBuild, match=r"Dense takes no argument 'inputs'; it takes input_size, output_size"):
        built(cases.Dense, init={"inputs": 2})


def test_an_argument_that_says_nothing_is_named() -> None:
    class Puzzle(cases.Dense):
        def __init__(self, wibble: Any) -> None:
            super().__init__(2, 2)

    with pytest.raises(
        CannotBuild, match=r"its argument 'wibble'; give --init wibble=value, or define gradcheck_example"
    ):
        built(Puzzle)


def test_a_constructor_that_raises_is_a_reason() -> None:
    class Broken(cases.Dense):
        def __init__(self) -> None:
            raise RuntimeError("no data")

    with pytest.raises(
        CannotBuild,
        match=r"cannot build Broken: RuntimeError: no data \(.*test_adapters_construct.py, line \d+\); give --init",
    ):
        built(Broken)


def test_a_forward_that_is_not_written_is_a_reason() -> None:
    class Stub(cases.Layer):
        pass

    with pytest.raises(CannotBuild, match="its forward is not implemented"):
        built(Stub)


def test_a_forward_that_fits_nothing_says_what_it_raised() -> None:
    class Picky(cases.Layer):
        def forward(self, x: Any) -> Any:
            raise ValueError("needs 17 features")

    with pytest.raises(
        CannotBuild, match=r"accepts: ValueError: needs 17 features \(.*construct.py, line \d+\); define gradcheck_ex"
    ):
        built(Picky)


def test_what_makes_no_claim_is_no_subject() -> None:
    for thing in (int, 3, cases.Box, np.tanh, build_nothing):
        assert not is_subject(thing)
        with pytest.raises(NotASubject, match="has no derivative that could be checked"):
            subject_of(thing)


def build_nothing() -> None:
    """A function without a derivative beside it."""


class WithExample(cases.Dense):
    def __init__(self, wibble: Any) -> None:
        super().__init__(*wibble)

    @classmethod
    def gradcheck_example(cls) -> Any:
        return cls((2, 5))


class WithInputs(WithExample):
    @staticmethod
    def gradcheck_example() -> Any:
        return WithInputs((2, 5)), (np.ones((7, 2)),)


class InputsOnly(cases.Dense):
    def gradcheck_example(self) -> Any:
        return (np.full((2, 4), 0.5),)


def test_a_class_says_how_it_is_built() -> None:
    assert built(WithExample).variable("w").example.shape == (2, 5)
    assert not subject_of(WithExample).fixed


@pytest.mark.parametrize(("cls", "shape"), [(WithInputs, (7, 2)), (InputsOnly, (2, 4))])
def test_an_example_may_bring_its_inputs(cls: type, shape: tuple[int, int]) -> None:
    assert built(cls).variable("x").example.shape == shape
    assert subject_of(cls).fixed


@pytest.mark.usefixtures("registrations")
def test_registrations_build_by_class_or_predicate() -> None:
    class Puzzle(cases.Dense):
        def __init__(self, wibble: Any) -> None:
            super().__init__(*wibble)

    register(Puzzle, lambda thing: thing((2, 6)))
    assert built(Puzzle).variable("w").example.shape == (2, 6)
    register(lambda thing: thing is Puzzle, lambda thing: (thing((3, 6)), np.ones((8, 3))))
    assert built(Puzzle).variable("x").example.shape == (8, 3)
    with pytest.raises(TypeError, match="a class or a predicate and a factory"):
        register(Puzzle, None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("registrations")
def test_a_registration_may_be_a_whole_subject() -> None:
    subject = Subject("mine", "", "", lambda sizes, rng: Problem((), lambda values: [], ()))
    for cls in (cases.Box, cases.Dense):
        register(cls, lambda thing: subject)
        assert is_subject(cls)
        assert subject_of(cls) is subject


class Declares(cases.Layer):
    constant_inputs = ("mask",)
    input_domains = {"x": (0.0, 2.0)}  # noqa: RUF012
    input_data = {"x": "probabilities"}  # noqa: RUF012
    gradcheck_waivers = {"get_input_gradients[x]": "straight-through estimator"}  # noqa: RUF012

    def forward(self, x: Any, mask: Any) -> Any:  # type: ignore[override]
        return x * mask

    def slope(self) -> Any:
        return self.inputs[1]


def test_class_attributes_say_what_inputs_are() -> None:
    problem = built(Declares)
    x, mask = problem.variables
    assert (x.constant, x.domain, x.data) == (False, (0.0, 2.0), "probabilities")
    assert mask.constant
    assert subject_of(Declares).waivers == {"get_input_gradients[x]": "straight-through estimator"}


@pytest.mark.parametrize("name", ["y_true", "truths", "labels", "target", "targets"])
def test_labels_are_recognised_by_name(name: str) -> None:
    scope: dict[str, Any] = {"np": np, "Layer": cases.Layer}
    exec(
        f"class Loss(Layer):\n    def forward(self, logits, {name}):\n        return np.mean((logits - {name})**2)\n",
        scope,
    )
    logits, labels = built(scope["Loss"]).variables
    assert (labels.name, labels.constant, labels.data) == (name, True, "one-hot")
    assert (logits.constant, logits.data) == (False, "real")


def test_labels_may_be_class_numbers() -> None:
    class IndexLoss(cases.Layer):
        def forward(self, y_pred: Any, y_true: Any) -> Any:  # type: ignore[override]
            if y_true.ndim != 1:
                raise ValueError("class numbers, please")
            return -np.mean(np.log(y_pred[np.arange(len(y_true)), y_true]))

    y_pred, y_true = built(IndexLoss).variables
    assert (y_pred.data, y_pred.domain) == ("probabilities", (0.0, 1.0))
    assert (y_true.data, y_true.example.dtype.kind, y_true.example.shape) == ("class-indices", "i", (5,))


def test_switches_of_forward_are_no_data() -> None:
    class Switched(cases.Layer):
        def forward(self, x: Any, training: bool, axis: int = -1) -> Any:  # type: ignore[override]
            assert training is True
            return x

    assert [v.name for v in built(Switched).variables] == ["x"]


def test_source_and_name_say_where_a_subject_stands() -> None:
    subject = subject_of(cases.Dense)
    assert subject.name == "tests.gradcheck.adapter_cases.Dense"
    path, _, line = subject.source.rpartition(":")
    assert path.endswith("adapter_cases.py")
    assert int(line) > 1
    assert subject_of(cases.Dense, name="mine").name == "mine"


def test_a_weight_that_hangs_on_nothing_is_a_reason() -> None:
    class Fresh(cases.Dense):
        @property
        def weights(self) -> Any:
            return [self.w * 1.0, self.b]

    with pytest.raises(CannotBuild, match="its weight number 0 is held by no attribute"):
        built(Fresh)


def test_a_property_that_raises_does_not_hide_the_rest() -> None:
    class Awkward(cases.Noise):
        @property
        def weights(self) -> Any:
            raise RuntimeError("not here")

    assert [v.name for v in built(Awkward).variables] == ["x"]


def test_sizes_that_do_not_suit_a_layer_are_not_insisted_on() -> None:
    class Halves(cases.Dense):
        def __init__(self, input_size: int, output_size: int) -> None:
            if input_size % 2:
                raise ValueError("an even number of features, please")
            super().__init__(input_size, output_size)

    problem = subject_of(Halves).build(Sizes(7, 5, 2), np.random.default_rng(0))
    assert problem.variable("x").example.shape == (7, 4)


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


class _Backward:
    answer: object = None

    def forward(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return x

    def backward(self, dy: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return dy

    @classmethod
    def gradcheck_example(cls) -> object:
        return cls.answer


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [(5, "but returned int"), ((_Backward(), [object()]), "one is object"), ((_Backward(), "abc"), "one is str")],
)
def test_an_example_that_is_none(answer: object, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Backward, "answer", answer)
    result = gradcheck.check(_Backward)
    assert result.verdict == "could not be asked"
    assert complaint in result.reason


def test_an_exception_without_a_message_is_told_by_its_type() -> None:
    class Raises(_Backward):
        gradcheck_example = None  # type: ignore[assignment]

        def forward(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            raise _Mute

    result = gradcheck.check(Raises)
    assert result.verdict == "could not be asked"
    assert "_Mute" in result.reason


@pytest.mark.usefixtures("registrations")
def test_a_registration_builds_what_it_is_registered_for() -> None:
    register(cases.Dense, lambda thing: cases.Box(np.ones((3, 2)), np.ones(2)))
    with pytest.raises(CannotBuild, match="what is registered for Dense should return one, but returned Box"):
        built(cases.Dense)


class Regression:
    """Its names are those of X @ w − y, where only `w` has a derivative."""

    def loss(self, w: Array, X: Array, y: Array) -> Any:
        r = X @ w - y
        return r @ r / len(y) + 0.01 * w @ w

    def gradient(self, w: Array, X: Array, y: Array) -> Array:
        return np.asarray(2 * X.T @ (X @ w - y) / len(y) + 0.02 * w)


def test_small_letters_beside_a_matrix_are_vectors() -> None:
    problem = built(Regression)
    assert {v.name: v.example.shape for v in problem.variables} == {"w": (4,), "X": (5, 4), "y": (5,)}
    assert gradcheck.check(Regression).verdict == "correct"


class Masked:
    """Nothing is said about its mask."""

    def forward(self, x: Array, mask: Array) -> Array:
        self.x, self.mask = x, mask
        return np.asarray(mask * x**2)

    def backward(self, upstream: Array) -> Any:
        return 2 * upstream * self.mask * self.x


class MaskForgotten(Masked):
    def backward(self, upstream: Array) -> Any:
        return 2 * upstream * self.x


class MaskLearned(Masked):
    """It says twice as much about its mask as is right."""

    def backward(self, upstream: Array) -> Any:
        return 2 * upstream * self.mask * self.x, 2 * upstream * self.x**2


class MaskedLoss:
    def forward(self, pred: Array, target: Array, mask: Array) -> Any:
        self.error, self.mask = pred - target, mask
        return (mask * self.error**2).sum() / max(mask.sum(), 1)

    def backward(self) -> Array:
        return np.asarray(2 * self.mask * self.error / max(self.mask.sum(), 1))


def test_a_mask_is_held_where_nothing_is_said_about_it() -> None:
    assert gradcheck.check(Masked).verdict == "correct"
    assert gradcheck.check(MaskedLoss).verdict == "correct"
    forgotten, learned = gradcheck.check(MaskForgotten), gradcheck.check(MaskLearned)
    assert [claim.name for claim in forgotten.claims if claim.verdict == "wrong"] == ["backward[x]"]
    assert [claim.name for claim in learned.claims if claim.verdict == "wrong"] == ["backward[mask]"]


class Likelihood:
    """Of Gaussian data x, about which nothing is said."""

    def forward(self, mu: Array, log_var: Array, x: Array) -> Any:
        self.residual, self.var = x - mu, np.exp(log_var)
        return 0.5 * np.sum(log_var + self.residual**2 / self.var)

    def backward(self) -> tuple[Array, Array]:
        return -self.residual / self.var, 0.5 * (1 - self.residual**2 / self.var)


class LikelihoodForgets(Likelihood):
    def backward(self) -> tuple[Array, Array]:
        return -self.residual / self.var, -0.5 * self.residual**2 / self.var


def test_the_data_of_a_likelihood_are_held_where_nothing_is_said_about_them() -> None:
    assert gradcheck.check(Likelihood).verdict == "correct"
    claims = gradcheck.check(LikelihoodForgets).claims
    assert {claim.name: claim.verdict for claim in claims} == {"backward[mu]": "correct", "backward[log_var]": "wrong"}
