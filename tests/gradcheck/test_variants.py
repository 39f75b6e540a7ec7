"""Settings, modes, shapes, layouts, labels and data beside the usual ones: what is wrong there is found and placed."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

import numpy as np
import pytest

import gradcheck
from benchmarks import narrow_cases, narrow_settings
from benchmarks.narrow import CASES
from gradcheck.problem import Array
from gradcheck.report.terminal import explain
from gradcheck.variants.axes import counts_axes
from gradcheck.variants.literals import candidates
from gradcheck.variants.modes import looks_at
from gradcheck.variants.options import options
from gradcheck.variants.presets import presets

# One of each kind; `python -m benchmarks.narrow` runs them all.
SAMPLE = (
    "WindowStride",
    "DenseTanh",
    "ScoresMask",
    "BatchNormMean",
    "ManyFeatures",
    "NormalizedAxis1",
    "AveragedFirst",
    "HingeAlways",
    "EmbeddingAdds",
    "TwiceK",
    "LogClipLow",
    "LinearLastStep",
    "ScaledReduction",
    "DescribedKind",
    "KeywordedForgets",
    "ErrorNone",
    "VarianceNegativeAxis",
    "TenClassesOf90",
    "PlaneOfBatch",
    "PinballTurned",
    "BagOfBatch",
    "SameShifted",
    "FiltersOfFirst",
    "StepsOfLongest",
    "PositionsOfFirst",
    "GainedMean",
    "AnglesTurned",
)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.wrong.__name__ in SAMPLE], ids=lambda case: case.wrong.__name__
)
def test_a_narrow_mistake_is_found_and_placed_and_its_right_twin_is_right(case: narrow_cases.Case) -> None:
    found = gradcheck.check(case.wrong)
    assert found.verdict == "wrong"
    assert case.where in found.where
    right = gradcheck.check(case.wrong.__bases__[0])
    assert right, explain(right)
    assert not any(one.outcome == "wrong" for one in right.coverage.variants)


def test_the_collection_is_large_and_its_sample_is_in_it() -> None:
    assert len(CASES) >= 80
    assert set(SAMPLE) <= {case.wrong.__name__ for case in CASES}


def test_a_result_says_which_variants_were_tried() -> None:
    result = gradcheck.check(narrow_cases.Leaky)
    tried = {one.where: one.outcome for one in result.coverage.variants}
    assert tried["with alpha=0.3"] == "right"
    assert tried["for a batch of 4 with 12 features"] == "right"
    assert "with alpha=0.3" in explain(result)
    assert " variants" in str(result)


class NearlyRightForLargeBatches:
    """Off by 1e-8 of a few of many rows, which is 7e-11 of the products that a variant is looked at by."""

    def forward(self, x: Array) -> Array:
        self.x = x
        return x**3

    def backward(self, g: Array) -> Array:
        grad = 3 * g * self.x**2
        grad[32:] *= 1 + 1e-8
        return grad


def test_a_first_look_at_a_variant_sees_a_small_mistake() -> None:
    [claim] = gradcheck.check(NearlyRightForLargeBatches).claims
    assert (claim.verdict, claim.where) == ("wrong", "for a batch of 40 with 4 features")


class ForTraining:
    """Its backward is that of training, and does not look at the mode."""

    def forward(self, x: Array, training: bool = True) -> Array:
        self.x = x
        return x**2 if training else 3 * x**2

    def backward(self, g: Array) -> Array:
        return 2 * self.x * g


class TakesPadding:
    """Its backward refuses padding."""

    def __init__(self, padding: int = 0) -> None:
        self.padding = padding

    def forward(self, x: Array) -> Array:
        return 2 * np.pad(x, self.padding)

    def backward(self, g: Array) -> Array:
        if self.padding:
            raise ValueError("no padding, please")
        return 2 * g


class WithPenalty:
    """Its backward adds the slope of a penalty that is in somebody else's loss; `name` changes nothing."""

    def __init__(self, features: int, l2: float = 0.0, name: str = "dense", rounds: int = 2) -> None:
        self.w, self.l2, self.name, self.rounds = np.ones(features), l2, name, rounds

    def forward(self, x: Array) -> Array:
        self.x = x
        return x * self.w

    def backward(self, g: Array) -> Array:
        self.dw = (g * self.x).sum(axis=0) + self.l2 * self.w
        return g * self.w


def test_what_backward_alone_reads_is_a_note() -> None:
    result = gradcheck.check(WithPenalty)
    assert result.verdict == "correct"
    [note] = [one.text for one in result.notes if one.text.startswith("backward")]
    assert note == "backward changes and forward does not, so that it is not its derivative, with l2=0.3"


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (ForTraining, "in evaluation mode it is another function"),
        (TakesPadding, "cannot be asked with padding=1: ValueError: no padding, please"),
    ],
)
def test_what_backward_does_not_mean_or_take_is_a_note(cls: type, said: str) -> None:
    result = gradcheck.check(cls)
    assert result.verdict == "correct"
    assert any(note.text.startswith(said) for note in result.notes)


def test_another_default_is_taken_out_again() -> None:
    (option,) = [one for one in options([narrow_cases.Window]) if one.name == "stride"]
    with option.exchanged(3):
        assert narrow_cases.Window().stride == 3
        assert narrow_cases.WindowStride().stride == 3
    assert narrow_cases.Window().stride == 1


def test_a_setting_that_no_argument_sets_is_put_back_whatever_happens() -> None:
    found = {one.name: one for one in presets([narrow_settings.Described, narrow_settings.Scaled])}
    assert {name: one.default for name, one in found.items()} == {
        "reduction": "mean", "scale": 1.0, "square": False, "power": 1.0, "kind": "plain",
    }  # fmt: skip
    with suppress(KeyError), found["power"].exchanged(3.0), found["scale"].exchanged(4.0):
        assert narrow_settings.Described().params == {"square": False, "power": 3.0, "kind": "plain"}
        assert narrow_settings.ScaledForgets().scale == 4.0
        raise KeyError("planted")
    assert narrow_settings.Described().params["power"] == 1.0
    assert narrow_settings.Scaled.scale == 1.0


class Counts:
    """What it counts is no setting: it goes on writing to it."""

    calls = 0
    seen: ClassVar[dict[str, int]] = {"rows": 0}

    def forward(self, x: Array) -> Array:
        self.calls += 1
        self.seen["rows"] = self.seen["rows"] + len(x)
        return x**2

    def backward(self, g: Array) -> Array:
        return 2 * self.x * g


def test_what_code_writes_to_is_its_state() -> None:
    assert presets([Counts]) == []


class AlongColumns:
    """An axis in the body of the class, which forward alone reads: nothing says that anybody sets another one."""

    axis = 0

    def forward(self, x: Array) -> Array:
        e = np.exp(x - x.max(axis=self.axis, keepdims=True))
        self.out = e / e.sum(axis=self.axis, keepdims=True)
        return self.out

    def backward(self, g: Array) -> Array:
        return self.out * (g - (g * self.out).sum(axis=0, keepdims=True))


class AlongRows(AlongColumns):
    """It looks at the axis, and forgets it once."""

    def backward(self, g: Array) -> Array:
        return self.out * (g - (g * self.out).sum(axis=self.axis and 1, keepdims=True))


class Masked:
    """A softmax of scores of which some are left out; of a row without any nothing is asked."""

    def forward(self, x: Array, mask: Array | None = None) -> Array:
        scores = x @ x.T
        scores = scores if mask is None else np.where(mask, scores, -1e9)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.x, self.y = x, e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, g: Array) -> Array:
        ds = self.y * (g - (g * self.y).sum(axis=1, keepdims=True))
        return (ds + ds.T) @ self.x


class MaskForgotten(Masked):
    """Where something is left out, it forgets the other factor."""

    def backward(self, g: Array) -> Array:
        ds = self.y * (g - (g * self.y).sum(axis=1, keepdims=True))
        return (ds + (ds.T if self.y.all() else 0)) @ self.x


def test_a_mask_leaves_a_softmax_something_of_each_row() -> None:
    assert gradcheck.check(Masked).verdict == "correct"
    found = gradcheck.check(MaskForgotten)
    assert found.verdict == "wrong"
    assert "mask of shape" in found.where


class Squares:
    """A mean of entries, along whichever axes they stand."""

    def forward(self, y_pred: Array, y_true: Array) -> Array:
        self.off = y_pred - y_true
        return np.mean(self.off**2)

    def backward(self) -> Array:
        return 2 * self.off / self.off.size


class SquaresInTwoAxes(Squares):
    """It counts two of them."""

    def backward(self) -> Array:
        return 2 * self.off / (self.off.shape[0] * self.off.shape[-1])


class SquaresOfRows(Squares):
    """It names an axis: its backward may count rows and columns."""

    def forward(self, y_pred: Array, y_true: Array) -> Array:
        self.off = y_pred - y_true
        return np.mean(np.mean(self.off**2, axis=-1))

    def backward(self) -> Array:
        return 2 * self.off / (self.off.shape[0] * len(self.off[0]))


class OfSamples:
    """A mean over samples is about two axes, and right in these."""

    def forward(self, y_pred: Array, y_true: Array) -> Array:
        self.y_pred, self.y_true = y_pred, y_true
        return -np.mean(np.sum(y_true * np.log(y_pred), axis=-1))

    def backward(self) -> Array:
        return -self.y_true / self.y_pred / len(self.y_pred)


def test_an_attribute_of_a_class_that_backward_does_not_look_at_is_noted() -> None:
    result = gradcheck.check(AlongColumns)
    assert result.verdict == "correct", explain(result)
    assert any("with axis=-1" in note.text for note in result.notes)
    assert gradcheck.check(AlongRows).verdict == "wrong"


def test_a_loss_of_entries_is_about_any_axes() -> None:
    assert gradcheck.check(Squares).verdict == "correct"
    assert gradcheck.check(SquaresOfRows).verdict == "correct"
    assert gradcheck.check(OfSamples).verdict == "correct"
    found = gradcheck.check(SquaresInTwoAxes)
    assert (found.verdict, found.where) == ("wrong", "for inputs of three axes")


class GELU:
    """Its derivative has a constant of its own, which is three times that of its forward."""

    def __init__(self) -> None:
        self.constants = {"c": 0.7978845608028654, "a": 0.044715, "of_slope": 3 * 0.044715, "exact": False}

    def forward(self, x: Array) -> Array:
        c = self.constants
        self.x = x
        self.t = np.tanh(c["c"] * (x if c["exact"] else x + c["a"] * x**3))
        return 0.5 * x * (1 + self.t)

    def inner(self) -> Array:
        c = self.constants
        return c["c"] * (np.ones_like(self.x) if c["exact"] else 1 + c["of_slope"] * self.x**2)

    def backward(self, g: Array) -> Array:
        return g * (0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t**2) * self.inner())


class Cube:
    """The same with whole numbers in the body of the class."""

    power = 3
    power_minus_one = 2

    def forward(self, x: Array) -> Array:
        self.x = x
        return x**self.power

    def backward(self, g: Array) -> Array:
        return g * self.power * self.x**self.power_minus_one


def test_numbers_that_fit_each_other_are_no_settings() -> None:
    assert [one.name for one in presets([GELU])] == ["exact"]
    assert presets([Cube]) == []
    assert gradcheck.check(GELU).verdict == "correct"
    assert gradcheck.check(Cube).verdict == "correct"


def test_values_of_an_option_are_those_of_its_kind() -> None:
    assert candidates("use_bias", True, [], (5, 4)) == [False]
    assert candidates("padding", 0, [], (5, 4)) == [1, 2]
    assert candidates("axis", -1, [], (5, 4)) == [0, 1, 2]
    assert candidates("kind", "relu", ["relu", "swish"], (5, 4)) == ["swish", "other"]
    assert candidates("mask", None, [], (5, 4))[0].shape == (5, 4)


def test_a_backward_looks_at_a_mode_that_forward_keeps() -> None:
    assert looks_at("training", [narrow_cases.BatchNorm.forward, narrow_cases.BatchNorm.backward])
    assert not looks_at("training", [ForTraining.forward, ForTraining.backward])
    assert looks_at(
        "training", [narrow_cases.Shrink.__init__, narrow_cases.Shrink.backward, narrow_cases.Shrink.factor]
    )


def test_a_forward_counts_its_axes_from_the_front_or_does_not() -> None:
    assert counts_axes([narrow_cases.Pool])
    assert not counts_axes([narrow_cases.Normalized])
    assert not counts_axes([narrow_cases.LinearLastStep]), "only its backward does"
