"""A diagnosis is evidence: each cause is named on claims written by hand, and none on noise."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.adapters import subject_of
from gradcheck.check import check_subject
from gradcheck.diagnose import (
    GENERAL,
    PROBES,
    TABLE,
    UNREADABLE,
    Evidence,
    branches,
    diagnose,
    elsewhere,
    layout,
    offsets,
    places,
    quotient,
    scale,
    suspects,
    symmetry,
    terms,
)
from gradcheck.diagnose.evidence import differences
from gradcheck.problem import Array, Kind, Method, Problem, Values, Variable
from tests.wild.copies import importable

RNG = np.random.default_rng(11)
X = RNG.permutation(20).reshape(5, 4) / 8 - 1.03
Y = np.eye(4)[[0, 2, 1, 3, 0]]
W = RNG.permutation(12).reshape(4, 3) / 8 - 0.6


def evidence(
    forward: Callable[[Values], Array],
    values: Values,
    wrt: str,
    claim: Callable[[Array], Array],
    *,
    kind: Kind = "vjp",
    role: str = "input",
    answer: Callable[[Values], Callable[[list[Array]], list[Any]]] | None = None,
    **facts: Any,
) -> Evidence:
    """The facts about a claim that is a function of the measured Jacobian (an exact one would be no different)."""

    def run(given: Values) -> list[Array]:
        return [np.asarray(forward(given))]

    variables = tuple(
        Variable(name, "weight" if name in ("w", "b") else "input", np.asarray(v)) for name, v in values.items()
    )
    outputs = run(values)

    def at(given: Values) -> Callable[[list[Array]], list[Any]]:
        jacobian = claim(differences(problem, given, wrt))
        return lambda cotangents: [(np.ravel(cotangents[0]) @ jacobian).reshape(np.shape(given[wrt]))]

    method = Method("compose", kind, (wrt,), answer or at)
    problem = Problem(variables, run, (method,))
    estimate = differences(problem, values, wrt)
    return Evidence(
        method=method,
        variable=problem.variable(wrt),
        problem=problem,
        values=values,
        outputs=outputs,
        claim=facts.pop("written", None) if "written" in facts else claim(estimate),
        estimate=estimate,
        tolerance=np.full(estimate.shape, 1e-10 * np.abs(estimate).max()),
        **facts,
    )


def sine(v: Values) -> Array:
    return np.sin(v["x"])


def dense(v: Values) -> Array:
    return v["x"] @ v["w"]


def squared(v: Values) -> Array:
    return np.mean((v["x"] - v["y_true"]) ** 2)


def softmax(v: Values) -> Array:
    e = np.exp(v["x"])
    return e / e.sum(axis=-1, keepdims=True)


def names(e: Evidence) -> list[str]:
    return [cause.name for cause in diagnose(e)]


def on_diagonal(change: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda J: np.diag(change(np.diagonal(J)))


LOSS = {"x": X, "y_true": Y}
FACTORS = [
    (-1.0, "sign flipped"),
    (5.0, "1/batch missing"),
    (0.2, "extra 1/batch"),
    (4.0, "1/features missing"),
    (0.25, "extra 1/features"),
    (20.0, "both means missing"),
    (0.05, "both means too much"),
    (2.0, "extra factor 2"),
    (0.5, "factor 2 missing"),
    (2.5, "factor 2 and 1/batch missing"),
    (10.0, "factor 2 and both means missing"),
    (1.25, "averaged over the wrong axis"),
    (-5.0, "sign flipped, and 1/batch missing"),
    (1.0009, "times a constant"),
    (np.log(2), "times a constant"),
]


@pytest.mark.parametrize(("factor", "cause"), FACTORS)
def test_a_constant_factor_is_matched_against_the_sizes(factor: float, cause: str) -> None:
    assert names(evidence(squared, LOSS, "x", lambda J: factor * J))[0] == cause


def test_the_sentence_says_what_is_missing() -> None:
    (cause,) = diagnose(evidence(squared, LOSS, "x", lambda J: 5 * J))
    assert cause.sentence == "5 × too large, and the batch is 5: is the mean over the batch missing?"
    assert cause.evidence == "every entry of the claim is 5 × the derivative, within its tolerance"


def test_a_weight_gradient_that_is_averaged_is_called_that() -> None:
    assert names(evidence(dense, {"x": X, "w": W}, "w", lambda J: J / 5)) == ["averaged instead of summed"]


ELEMENTWISE = [
    (on_diagonal(lambda d: 0 * d), "zero"),
    (on_diagonal(lambda d: d * np.where(np.arange(20) % 4 == 1, 3, 1)), "one column wrong"),
    (on_diagonal(lambda d: d * np.where(np.arange(20) // 4 == 2, 3, 1)), "one sample wrong"),
    (on_diagonal(lambda d: d * np.where(np.arange(20) == 7, 3, 1)), "one entry wrong"),
    (on_diagonal(lambda d: d.reshape(5, 4)[::-1].ravel()), "permuted"),
    (on_diagonal(lambda d: np.roll(d.reshape(5, 4), 1, axis=1).ravel()), "permuted"),
    (on_diagonal(lambda d: d.reshape(5, 4)[[2, 0, 1, 4, 3]].ravel()), "permuted"),
    (on_diagonal(lambda d: d**2), "applied twice"),
    (on_diagonal(lambda d: np.sin(X).ravel()), "output instead of its derivative"),
    (on_diagonal(lambda d: X.ravel()), "input instead of the derivative"),
    (on_diagonal(lambda d: np.full(20, 0.25)), "constant"),
    (on_diagonal(lambda d: np.ones(20)), "slope 1 everywhere"),
    (on_diagonal(lambda d: d.astype(np.float32)), "lost precision"),
    (on_diagonal(lambda d: d.astype(np.float32) * np.float64(1 + 1e-9)), "lost precision"),
    (on_diagonal(lambda d: np.cos(np.sin(X)).ravel()), "evaluated at the output"),
    (on_diagonal(lambda d: d - 1), "missing term"),
    (on_diagonal(lambda d: d + 1), "doubled term"),
    (on_diagonal(lambda d: np.where(np.arange(20) == 3, np.nan, d)), "not finite"),
    (lambda J: np.broadcast_to(J.sum(axis=0), J.shape).copy(), "upstream gradient ignored"),
]


@pytest.mark.parametrize(("claim", "cause"), ELEMENTWISE, ids=[cause for _, cause in ELEMENTWISE])
def test_an_elementwise_mistake_is_named(claim: Callable[[Array], Array], cause: str) -> None:
    assert names(evidence(sine, {"x": X}, "x", claim))[0] == cause


COUPLED = [
    (lambda J: J * np.where(np.eye(20) == 1, 1, -1), "wrong sign off the diagonal"),
    (lambda J: np.diag(np.diagonal(J)), "missing term"),
    (lambda J: 2 * J - np.diag(softmax({"x": X}).ravel()), "doubled term"),
]


@pytest.mark.parametrize(("claim", "cause"), COUPLED, ids=["sign", "missing", "doubled"])
def test_a_mistake_in_a_coupling_term_is_named(claim: Callable[[Array], Array], cause: str) -> None:
    assert names(evidence(softmax, {"x": X}, "x", claim))[0] == cause


def rows_of(J: Array) -> Array:
    return J.reshape(15, 4, 3)


WEIGHTS = [
    (lambda J: rows_of(J)[:, ::-1].reshape(J.shape), "permuted"),
    (lambda J: rows_of(J).transpose(0, 2, 1).reshape(J.shape), "transposed"),
    (lambda J: J * (np.arange(15) // 3 == 4)[:, None], "samples left out"),
    (lambda J: np.where(np.arange(12) // 3 == 3, 0, J), "one row wrong"),
    (lambda J: np.where(np.arange(12) % 3 == 0, 2 * J, J), "one column wrong"),
    (lambda J: np.repeat(rows_of(J).sum(axis=1, keepdims=True), 4, axis=1).reshape(J.shape), "spread over an axis"),
    (lambda J: J - 0.1 * W.ravel(), "missing term"),
    (lambda J: J + 0.1 * W.ravel(), "doubled term"),
]


@pytest.mark.parametrize(("claim", "cause"), WEIGHTS, ids=[cause for _, cause in WEIGHTS])
def test_a_mistake_in_a_weight_gradient_is_named(claim: Callable[[Array], Array], cause: str) -> None:
    assert names(evidence(dense, {"x": X, "w": W}, "w", claim))[0] == cause


def test_a_branch_that_is_wrong_is_named() -> None:
    def leaky(v: Values) -> Array:
        return np.where(v["x"] > 0, v["x"], 0.3 * v["x"])

    def slope(value: float) -> Callable[[Array], Array]:
        return lambda J: np.diag(np.where(X.ravel() > 0, 1.0, value))

    assert names(evidence(leaky, {"x": X}, "x", slope(-0.3))) == ["slope −α"]
    assert names(evidence(leaky, {"x": X}, "x", slope(1.0)))[0] == "slope 1 everywhere"
    assert names(evidence(leaky, {"x": X}, "x", slope(0.01))) == ["wrong for negative inputs"]


def test_clips_zeros_and_saturation_are_named() -> None:
    wide = np.where(np.arange(20).reshape(5, 4) % 3 == 0, 3.0, 1.0) * X
    clip = evidence(
        lambda v: np.clip(v["x"], -1, 1), {"x": wide}, "x", lambda J: np.where(wide.ravel() < -1, J, np.eye(20))
    )
    assert names(clip)[0] == "wrong where clipped"
    zeros = np.where(np.arange(20).reshape(5, 4) % 3 == 0, 0.0, X)
    assert names(evidence(sine, {"x": zeros}, "x", on_diagonal(lambda d: d * (zeros.ravel() != 0)))) == [
        "wrong only at zeros"
    ]
    far = np.where(np.arange(20).reshape(5, 4) % 3 == 0, 40.0, X)
    tanh = evidence(lambda v: np.tanh(v["x"]), {"x": far}, "x", on_diagonal(lambda d: np.maximum(d, 1e-3)))
    assert "wrong in saturation" in names(tanh)


def elementwise_answer(slope: Callable[[Values], Array]) -> Callable[[Values], Callable[[list[Array]], list[Any]]]:
    return lambda given: lambda g: [slope(given) * g[0]]


def test_a_missing_epsilon_is_named() -> None:
    def inverse(given: Values) -> Array:
        return 1 / given["x"]

    values = {"x": np.abs(X) + 0.01}
    claim = on_diagonal(lambda d: inverse(values).ravel())
    log = evidence(lambda v: np.log(v["x"] + 1e-4), values, "x", claim, answer=elementwise_answer(inverse))
    assert names(log)[0] == "missing epsilon"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield from (tmp_path for _ in importable(tmp_path))


FORGETS = """
import numpy as np
{imports}

class Loss:
    def forward(self, x, t):
        self.t = t
        self.p = {softmax}(x)
        self.q = self.p / (self.p + 1e-7)
        return {cross_entropy}(self.p, t)

    def backward(self):
        return {claim}
"""
HELPERS = """
import numpy as np

EPS = 1e-7

def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def cross_entropy(p, t):
    return -np.sum(t * np.log(p + EPS)) / len(p)
"""
FORGETFUL = "(self.p - self.t) / len(self.t)"
MINDFUL = "(self.p * (self.q * self.t).sum(axis=1, keepdims=True) - self.q * self.t) / len(self.t)"


@pytest.mark.parametrize("module", ["", "wild_helpers."])
def test_an_epsilon_that_another_module_names_is_found(module: str, folder: Path) -> None:
    (folder / "wild_helpers.py").write_text(HELPERS)
    imports = "import wild_helpers" if module else "from wild_helpers import cross_entropy, softmax"
    words = {name: f"{module}{name}" for name in ("softmax", "cross_entropy")}
    results = []
    for name, claim in (("wild_forgets", FORGETFUL), ("wild_minds", MINDFUL)):
        (folder / f"{name}.py").write_text(FORGETS.format(imports=imports, claim=claim, **words))
        results.append(check_subject(subject_of(importlib.import_module(name).Loss)))
    forgets, minds = results
    assert [(claim.verdict, claim.reach) for claim in forgets.claims] == [("wrong", "ε")]
    assert minds.verdict == "correct"


def test_the_inputs_formula_for_the_outputs_is_named() -> None:
    def sigmoid(v: Values) -> Array:
        return 1 / (1 + np.exp(-v["x"]))

    assert (
        names(evidence(sigmoid, {"x": X}, "x", on_diagonal(lambda d: (X * (1 - X)).ravel())))[0]
        == "evaluated at the input"
    )


def test_a_stale_claim_is_named_by_the_previous_call() -> None:
    before = {"x": X[::-1] / 2}
    claim = on_diagonal(lambda d: np.cos(before["x"]).ravel())
    assert names(evidence(sine, {"x": X}, "x", claim, previous=before))[0] == "stale"


def test_a_claim_that_never_changes_is_stale() -> None:
    kept = np.cos(X[::-1] / 3)
    claim = on_diagonal(lambda d: kept.ravel())
    before, other = ({"x": x} for x in (X[::-1] / 3, X[::-1] / 4))
    calls = [
        evidence(sine, {"x": X}, "x", claim, answer=lambda v: lambda g: [kept * g[0]], previous=one)
        for one in (before, other)
    ]
    assert [names(e)[:1] for e in calls] == [["stale"], []]  # of what it is the memory has to be known


def test_answers_that_add_up_or_spoil_themselves_are_named() -> None:
    def adding(v: Values) -> Callable[[list[Array]], list[Any]]:
        total = np.zeros(X.shape)

        def ask(g: list[Array]) -> list[Any]:
            nonlocal total
            total = total + np.cos(v["x"]) * g[0]
            return [total]

        return ask

    def spoiling(v: Values) -> Callable[[list[Array]], list[Any]]:
        slope = np.cos(v["x"])

        def ask(g: list[Array]) -> list[Any]:
            result = slope * g[0]
            slope[:] = v["x"] ** 3
            return [result]

        return ask

    cumulative = evidence(sine, {"x": X}, "x", lambda J: np.cumsum(J, axis=0), answer=adding)
    assert names(cumulative)[0] == "accumulated"
    odd = on_diagonal(lambda d: np.where(np.arange(20) == 0, d, X.ravel() ** 3))
    assert names(evidence(sine, {"x": X}, "x", odd, answer=spoiling))[0] == "spoils its own cache"


def test_the_gradient_of_another_variable_is_named() -> None:
    def by_z(given: Values) -> Array:
        return given["x"] * np.cos(given["z"])

    values = {"x": X, "z": X[::-1] * 2}
    claim = on_diagonal(lambda d: by_z(values).ravel())
    e = evidence(lambda v: v["x"] * np.sin(v["z"]), values, "x", claim, answer=elementwise_answer(by_z))
    assert names(e)[0] == "swapped with another variable"


def unreadable(raw: Any, message: str = "expected a gradient of another shape") -> Evidence:
    values = {"x": X, "w": W}
    written = np.full((15, 12), np.nan)
    return evidence(
        dense, values, "w", lambda J: J, answer=lambda v: lambda g: [raw(v, g[0])], written=written, message=message
    )


SHAPES = [
    (lambda v, g: v["x"][:, :, None] * g[:, None, :], "not summed over the batch"),
    (lambda v, g: (v["x"].T @ g)[None], "wrong shape, right numbers"),
    (lambda v, g: g.T @ v["x"], "transposed"),
    (lambda v, g: np.sum(v["x"].T @ g), "number instead of an array"),
    (lambda v, g: (v["x"].T @ g).sum(axis=0), "an axis summed away"),
    (lambda v, g: np.ones((7, 7)), "wrong shape"),
]


@pytest.mark.parametrize(("raw", "cause"), SHAPES, ids=[cause for _, cause in SHAPES])
def test_a_wrong_shape_is_named_by_its_numbers(raw: Any, cause: str) -> None:
    assert names(unreadable(raw))[0] == cause


def test_an_exception_is_named_by_its_message() -> None:
    def fails(v: Values, g: Array) -> Array:
        raise ValueError("shapes (5,3) and (4,3) not aligned")

    assert names(unreadable(fails, "ValueError: shapes (5,3) and (4,3) not aligned")) == ["shapes do not compose"]
    assert names(unreadable(fails, "KeyError: 'cache'")) == ["raises"]
    assert names(unreadable(fails, "ValueError: assignment destination is read-only")) == ["writes into its arguments"]


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_diagnosis(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noisy = [
        evidence(sine, {"x": X}, "x", lambda J: J + 0.1 * rng.normal(size=J.shape)),
        evidence(sine, {"x": X}, "x", on_diagonal(lambda d: d * rng.uniform(0.5, 2, size=d.shape))),
        evidence(dense, {"x": X, "w": W}, "w", lambda J: J * rng.uniform(0.5, 2, size=J.shape)),
        evidence(softmax, {"x": X}, "x", lambda J: J + 0.1 * rng.normal(size=J.shape)),
        evidence(squared, LOSS, "x", lambda J: J * rng.uniform(0.5, 2, size=J.shape)),
    ]
    fixed = [Evidence(**{**vars(e), "method": frozen(e)}) for e in noisy]
    assert [names(e) for e in fixed] == [[], [], [], [], []]


def frozen(e: Evidence) -> Method:
    """The method of a claim that is what it is (a new draw of noise at other inputs would look like no memory)."""
    claim = e.claim

    def at(given: Values) -> Callable[[list[Array]], list[Any]]:
        shift = sum(float(np.sum(np.ravel(v) * np.arange(1, np.size(v) + 1))) for v in given.values())
        return lambda g: [(np.ravel(g[0]) @ claim).reshape(np.shape(e.x)) * (1 + np.sin(shift))]

    return Method(e.method.name, e.method.kind, e.method.wrt, at)


JUNK: list[Callable[[tuple[int, ...]], Any]] = [
    lambda shape: [None],
    lambda shape: [np.ones(shape)],
    lambda shape: ["text"],
    lambda shape: [[[1, 2], [3]]],
    lambda shape: [],
    lambda shape: [np.array([1j])],
    lambda shape: [np.ones((2, 2))],
    lambda shape: 1 / 0,
    lambda shape: [np.ones(shape, dtype=object)],
    lambda shape: 7,
    lambda shape: [np.full(shape, np.nan)],
]
FORWARDS: list[Callable[[Array], list[Array]]] = [
    lambda x: [np.sin(x)],
    lambda x: [np.asarray(x.sum())],
    lambda x: [2 * x, x.ravel()],
    lambda x: [x.ravel()[:1]],
    lambda x: [np.cumsum(x)],
]


@pytest.mark.parametrize("seed", range(10))
def test_no_evidence_makes_it_fail(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(60):
        shape = [(), (1,), (0,), (3,), (2, 3), (1, 1), (2, 1, 3), (3, 3)][rng.integers(8)]
        kind: Kind = ("vjp", "sum", "local", "jvp")[rng.integers(4)]
        x, junk, formula = rng.normal(size=shape), JUNK[rng.integers(len(JUNK))], FORWARDS[rng.integers(len(FORWARDS))]
        refuses = rng.random() < 0.3

        def forward(v: Values, x: Array = x, formula: Any = formula, refuses: bool = refuses) -> list[Array]:
            if refuses and not np.array_equal(v["x"], x):
                raise ArithmeticError("only here")
            return formula(np.asarray(v["x"]))

        method = Method("m", kind, ("x",), lambda v, junk=junk, shape=shape: lambda g: junk(shape))  # type: ignore[misc]
        variable = Variable("x", ("input", "weight")[rng.integers(2)], x)
        outputs = forward({"x": x})
        rows = 1 if kind == "sum" else sum(one.size for one in outputs)
        right = rng.normal(size=(rows, x.size)) * [1, 0, 1e-300][rng.integers(3)]
        right[rng.random(right.shape) < 0.1 * rng.integers(2)] = np.nan
        claims = [
            2 * right,
            0 * right,
            np.full(right.shape, np.nan),
            np.full(right.shape, np.inf),
            np.ones(right.shape),
        ]
        e = Evidence(
            method=method,
            variable=variable,
            problem=Problem((variable,), forward, (method,)),
            values={"x": x},
            outputs=outputs,
            claim=claims[rng.integers(len(claims))],
            estimate=right,
            tolerance=np.full(right.shape, [1e-9, 0.0, np.inf, 1.0][rng.integers(4)]),
            previous=[None, {"x": 2 * x}, {}, {"x": np.ones(7)}][rng.integers(4)],
            message=["", "ValueError: bad", "expected m to return 2 gradients, one each for a, b, but got 1"][
                rng.integers(3)
            ],
        )
        with np.errstate(all="ignore"):
            assert all(cause.name and cause.sentence and cause.evidence for cause in diagnose(e))


def test_a_claim_within_a_few_tolerances_has_no_diagnosis() -> None:
    assert names(evidence(sine, {"x": X}, "x", on_diagonal(lambda d: d + 2e-10 * np.abs(d).max()))) == []


def test_every_hypothesis_says_what_it_looks_for() -> None:
    tables = [*UNREADABLE, *TABLE, *PROBES, *GENERAL]
    assert all(hypothesis.__doc__ for hypothesis in tables)
    modules = (branches, elsewhere, layout, offsets, places, quotient, scale, suspects, symmetry, terms)
    written = {
        one
        for module in modules
        for name, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(one).return_annotation == "list[Cause]"
    }
    assert written == set(tables)
    assert len({hypothesis.__name__ for hypothesis in tables}) == len(tables) - 1  # `wrong_shape` is in two


# Causes that hold: at several points, and for nothing else.


def test_a_cause_holds_at_every_point() -> None:
    """2 × the derivative at a batch of 2 may be a forgotten mean, or a 2; at a batch of 5 it is the 2."""
    double = {"x": X[:2], "y_true": Y[:2]}, LOSS
    first, second = (evidence(squared, values, "x", lambda J: 2 * J) for values in double)
    assert {"1/batch missing", "extra factor 2"} <= set(names(first))
    assert [cause.name for cause in diagnose(first, second)] == ["extra factor 2"]
    missing = [evidence(squared, values, "x", lambda J, n=n: n * J) for n, values in zip((2, 5), double, strict=True)]
    assert [cause.name for cause in diagnose(*missing)] == ["1/batch missing"]
    drifting = [
        evidence(squared, values, "x", lambda J, k=k: k * J) for k, values in zip((1.3, 1.4), double, strict=True)
    ]
    assert diagnose(*drifting) == ()


def test_a_term_that_is_scaled_is_neither_missing_nor_there_twice() -> None:
    def claimed(J: Array) -> Array:
        y = softmax({"x": X}).reshape(5, 4)
        blocks = [np.diag(row) - 1.1 * np.outer(row, row) for row in y]
        return np.block([[blocks[i] if i == j else np.zeros((4, 4)) for j in range(5)] for i in range(5)])

    (cause,) = diagnose(evidence(softmax, {"x": X}, "x", claimed))
    assert (cause.name, "1.1 ×" in cause.sentence) == ("scaled term", True)


def test_a_kernel_that_is_the_wrong_way_round_is_not_stale() -> None:
    def run(v: Values) -> Array:
        return np.stack([np.correlate(row, v["k"], "valid") for row in v["x"]])

    values = {"x": X, "k": np.array([0.5, -1.0, 2.0])}
    turned = evidence(run, {**values, "k": values["k"][::-1]}, "x", lambda J: J).estimate
    assert names(evidence(run, values, "x", lambda J: turned))[0] == "kernel flipped"


def test_a_division_by_the_root_of_an_axis_is_named() -> None:
    values = {"q": X, "k": np.cos(np.arange(28.0)).reshape(7, 4)}

    def run(v: Values) -> Array:
        return v["q"] @ v["k"].T / np.sqrt(v["q"].shape[1])

    others = {"q": np.hstack([X, X[:, :3] ** 2]), "k": np.sin(np.arange(77.0)).reshape(11, 7)}
    some = [
        evidence(run, given, "q", lambda J, d=d: np.sqrt(d) * J)
        for d, given in zip((4, 7), (values, others), strict=True)
    ]
    assert "1/√axis 1 of q missing" in [cause.name for cause in diagnose(*some)]


def test_what_all_rows_share_is_summed_over_them() -> None:
    values = {"x": np.vstack([X, X[:2]]), "g": np.array([0.5, -1.0, 2.0, 3.0])}
    e = evidence(lambda v: v["x"] * v["g"], values, "g", lambda J: J / 7)
    assert names(e)[0] == "averaged instead of summed"
    assert "7 rows" in diagnose(e)[0].sentence


@pytest.mark.parametrize("size", [3e-10, 1e-7, 3e-3])
def test_a_small_smooth_error_is_no_lost_precision_and_nothing_transposed(size: float) -> None:
    e = evidence(sine, {"x": X}, "x", on_diagonal(lambda d: d * (1 + size * np.tanh(np.arctanh(d / 2)))))
    assert names(e) == []


def test_of_a_derivative_that_is_nearly_constant_no_steps_and_no_other_place_are_told() -> None:
    def nearly_straight(v: Values) -> Array:
        return v["x"] + 1e-8 * v["x"] ** 3

    assert names(evidence(nearly_straight, {"x": X}, "x", on_diagonal(lambda d: (1 + 2 * d) / 3))) == []


def test_cross_talk_far_out_is_no_lost_precision() -> None:
    e = evidence(sine, {"x": 1000 * X}, "x", lambda J: J + 1e-7 * (1 - np.eye(len(J))))
    assert "lost precision" not in names(e)


@pytest.mark.parametrize(
    ("h", "said"),
    [
        (lambda x: np.full_like(x, 1e-3), "h = 0.001."),
        (lambda x: np.full_like(x, 1e-7), "h = 1e-07."),
        (lambda x: 1e-5 * np.abs(x), "h = 1e-05·|x|."),
        (lambda x: 2.0**-26 * np.maximum(np.abs(x), 1), "h = 1.49e-08·max(|x|, 1)."),
    ],
)
@pytest.mark.parametrize("both", [False, True])
def test_a_difference_quotient_is_told_with_its_step(h: Callable[[Array], Array], said: str, both: bool) -> None:
    def quotients(x: Array) -> Array:
        ahead, behind = x + h(x), x - h(x) if both else x
        return np.diag(((2 * np.sin(ahead) - 2 * np.sin(behind)) / (h(x) * (2 if both else 1))).ravel())

    def at(given: Values) -> Callable[[list[Array]], list[Any]]:
        return lambda cotangents: [(cotangents[0].ravel() @ quotients(given["x"])).reshape(X.shape)]

    e = evidence(lambda v: 2 * np.sin(v["x"]), {"x": X}, "x", lambda _: quotients(X), answer=at)
    e = replace(e, estimate=np.diag(2 * np.cos(X).ravel()), tolerance=np.full(e.estimate.shape, 1e-14))
    assert names(e) == ["difference quotient"]
    assert diagnose(e)[0].sentence.endswith(said)


def test_what_is_off_by_as_much_as_a_quotient_is_none() -> None:
    e = evidence(sine, {"x": X}, "x", on_diagonal(lambda d: d + 5e-4 * np.sin(7 * d)))
    assert "difference quotient" not in names(e)
