"""What code decides is seen, points are aimed at what it has not decided, and a wrong branch is named."""

from __future__ import annotations

import inspect
import random
from collections import Counter

import numpy as np
import pytest

import gradcheck
from gradcheck.branches.coverage import Coverage, where
from gradcheck.branches.decisions import Decision, Site
from gradcheck.branches.instrument import Places, instrument
from gradcheck.branches.recorder import Recorder
from tests.gradcheck import narrow


def decide(x, mode="train", *, scale=2.0, **others):
    """Decides in every way that there is."""
    total = 0
    if mode == "train" and x.ndim == 2:
        total += 1
    elif not others:
        total += 2
    for row in x:
        total += 3 if row[0] > 0.5 else 4
    while total > 100:
        total -= 1
    picked = [one for one in x.ravel() if one < 0]
    mask = (x > -1) & (x < 1)
    y = np.maximum(x, 0) * mask + abs(x).clip(0.25, 3) + np.where(x >= scale, 1.0, 0.0)
    try:
        if scale < 0:
            raise ValueError("negative")
    except ValueError:
        total = -1
    finally:
        total += len(picked)
    inner = lambda v: v.max() if v.size > 3 else v.sum()  # noqa: E731
    return y, total, inner(x), f"{x.size > 2}", 0 < total < 5


class Base:
    def __init__(self):
        self.__hidden = 3

    def hidden(self, n):
        return n if n <= 1 else n * self.hidden(n - 1) + self.__hidden


class Derived(Base):
    @property
    def twice(self):
        return 2 * self.hidden(2) if self else 0

    def hidden(self, n):
        return super().hidden(n) + (1 if n > 2 else 0)

    @staticmethod
    def still(n, /, *more, key=(1, 2)):
        return [n, *more, *key] if more else n


def closure(a):
    def inner(b):
        nonlocal a
        a = a + 1 if b > a else a
        return inner if b < -5 else a

    return inner


def counting(n):
    k = 0
    while k < n:
        yield k
        k += 1


def twin(function):
    """The same function, instrumented and recorded."""
    recorder = Recorder({__file__})

    def run(*args, **keywords):
        recorder.look_into(lambda: function(*args, **keywords))
        return recorder.watch(lambda: function(*args, **keywords))

    return run


@pytest.mark.parametrize("scale", [2.0, 0.1, -1.0])
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("shape", [(3, 2), (1, 1), (5, 4)])
def test_instrumented_code_returns_what_it_did(shape, mode, scale):
    x = np.random.default_rng(0).normal(size=shape)
    wanted = decide(x, mode, scale=scale)
    _, found = twin(decide)(x, mode, scale=scale)
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_methods_properties_closures_and_generators_stay_what_they_are():
    one = Derived()
    assert twin(one.hidden)(3)[1] == one.hidden(3)
    assert twin(lambda: one.twice)()[1] == one.twice
    assert twin(Derived.still)(1, 2, key=(3,))[1] == [1, 2, 3]
    assert twin(lambda: closure(3)(5))()[1] == 4
    assert twin(lambda: list(counting(3)))()[1] == [0, 1, 2]


def test_everything_is_put_back_whatever_happens():
    before = decide.__code__
    with pytest.raises(AttributeError):
        twin(decide)(None)
    assert decide.__code__ is before
    assert not [name for name in vars(__import__("builtins")) if "gradcheck" in name]


def test_a_traceback_has_the_lines_of_the_file():
    def raises(x):
        if x.size > 1:
            raise KeyError("here")

    with pytest.raises(KeyError) as caught:
        twin(raises)(np.ones(2))
    line = inspect.getsourcelines(raises)[1] + 2
    assert caught.traceback[-1].lineno + 1 == line


def test_lines_are_counted_and_outcomes_seen():
    seen, _ = twin(decide)(np.array([[0.75, -2.0], [0.25, 3.0], [0.25, 0.5]]))
    found = {site.text: dict(one.outcomes) for site, one in seen.decisions.items()}
    assert found["row[0] > 0.5"] == {"above": 1, "below": 2}
    assert found["np.maximum(x, 0)"] == {"below": 1, "above": 5}
    assert found["mode == 'train'"] == {"equal": 1}
    assert found["(x > -1) & (x < 1)"] == {"true": 1, "false": 1}
    assert found["abs(x).clip(0.25, 3)"] == {"inside": 6, "below": 0, "above": 0}
    assert found["0 < total < 5"] == {"false": 1}
    first = inspect.getsourcelines(decide)[1]
    assert seen.lines[__file__, first + 8] == 3


def test_a_guard_that_raises_has_nothing_to_be_taken():
    seen, _ = twin(decide)(np.ones((2, 2)))
    assert "scale < 0" not in {site.text for site, _ in seen.missing}
    assert "np.maximum(x, 0)" in {site.text for site, _ in seen.missing}


def test_other_values_decide_neither_options_nor_shapes():
    seen, _ = twin(decide)(np.ones((2, 2)))
    [option] = [one for site, one in seen.decisions.items() if site.text == "mode == 'train'"]
    assert option.missing == ("unequal",)
    assert option.site not in {site for site, _ in seen.missing}
    shape = Decision(Site("f.py", 1, 0, "len(x) > 3", "comparison"))
    for one in (2, 5, 5):
        shape.compare(one, 3)
    assert not shape.by_values
    number = Decision(Site("f.py", 1, 0, "x > 3", "comparison"))
    number.compare(1.0, 3)
    assert not number.by_values
    number.compare(2.0, 3)
    assert number.by_values


@pytest.mark.parametrize(
    ("text", "side"), [("n > 3", "below"), ("n >= 3", "above"), ("n < 3", "above"), ("n <= 3", "below")]
)
def test_equal_sizes_take_a_side_and_equal_values_none(text, side):
    sizes, values = (Decision(Site("f.py", 1, 0, text, "comparison")) for _ in range(2))
    sizes.compare(3, 3)
    values.compare(np.array([3.0]), 3)
    assert sizes.taken == (side,)
    assert values.taken == ()


def test_what_only_another_shape_decides_is_seen():
    class Blocks(narrow.Squares):
        def slope(self, right):
            return right if len(right) > 8 else right + 0

    result = gradcheck.check(Blocks)
    assert [one.taken for one in result.coverage.branches] == [("not `len(right) > 8`", "`len(right) > 8`")]


def test_what_is_compared_with_many_numbers_is_no_threshold():
    decision = Decision(Site("f.py", 1, 0, "x > 3", "comparison"))
    for one in (1.0, 2.0, 5.0):
        decision.compare(one, 3.0)
    assert decision.thresholds == {3.0}
    assert decision.outcomes == Counter(below=2, above=1)


def test_functions_that_cannot_be_compiled_anew_are_left_alone():
    pair = (lambda x: x, lambda x: -x)
    assert instrument(pair[0], Places()) is None
    namespace = {}
    exec("def f(x): return x", namespace)
    assert instrument(namespace["f"], Places()) is None


@pytest.mark.parametrize("cls", narrow.WRONG)
def test_a_claim_that_is_wrong_on_one_branch_is_wrong_there(cls):
    result = gradcheck.check(cls)
    assert (result.verdict, result.reach) == ("wrong", "a branch")
    first = inspect.getsourcelines(cls.slope)[1]
    assert "narrow.py" in result.where
    assert first < int(result.where.rpartition("line ")[2].rstrip(")")) < first + 7


class LogLoss:
    """The logarithm of probabilities, which its derivative bounds below a number that no edge is at."""

    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred, y_true
        return -np.sum(self.t * np.log(self.p))

    def backward(self):
        return -self.t / self.p


class BoundedBelow(LogLoss):
    def backward(self):
        return -self.t / np.maximum(self.p, 1e-12)


def test_probabilities_are_aimed_at_what_bounds_them():
    assert gradcheck.check(LogLoss).verdict == "correct"
    found = gradcheck.check(BoundedBelow)
    assert found.verdict == "wrong"
    assert found.where.startswith("where")


def test_the_right_twin_is_right_and_nothing_of_it_is_left_out():
    result = gradcheck.check(narrow.Squares)
    assert result.verdict == "correct"
    assert [one for one in result.coverage.branches if one.missing] == []


def test_what_was_taken_is_told_with_its_lines():
    result = gradcheck.check(narrow.Clipped)
    (branch,) = result.coverage.branches
    assert (branch.text, branch.missing) == ("np.clip(right, -300, 300)", ())
    (source,) = (one for one in result.coverage.sources if one.name == "Clipped.slope")
    assert source.lines[1].strip() == branch.text.join(("return ", ""))
    assert source.counts[0] == -1
    assert source.counts[1] > 5


def test_where_needs_a_branch_that_no_right_point_takes():
    a, b = ((Site("f.py", line, 0, "x > 1", "comparison"), "above") for line in (1, 2))
    assert where([frozenset((a, b))], [frozenset((b,))]).startswith("where `x > 1` (f.py, line 1)")
    assert where([frozenset((b,))], [frozenset((a, b))]) == ""
    assert where([], [frozenset((a,))]) == ""


def test_coverage_runs_nothing_of_the_claims_where_forward_fails():
    class Refuses(narrow.Squares):
        def forward(self, x):
            raise ValueError(random.random())

    problem = gradcheck.adapters.subject_of(narrow.Squares).build(gradcheck.problem.Sizes(), np.random.default_rng(0))
    coverage = Coverage([narrow.Squares])
    assert coverage.at(problem, {"x": np.full((5, 4), np.inf)}) is None
