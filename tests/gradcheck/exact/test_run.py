"""What ends an exact run, at which line, and that everything is as it was before."""

from __future__ import annotations

import builtins
import importlib
import json
import pickle
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

flint = pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.exact import NotExact, along
from gradcheck.exact import session as exact_session

X = np.array([1.25, 0.5])
OUTSIDE = np.zeros(2)


def run(f: Callable[[Any], Any], **options: Any) -> Any:
    return along(lambda values: [f(values["x"])], {"x": X}, {"x": np.ones(2)}, **options)


def buffer(x: Any) -> Any:
    OUTSIDE[:] = x
    return OUTSIDE


@pytest.mark.parametrize(
    ("f", "why"),
    [
        (lambda x: x * builtins.float(x[0]), "Python float"),
        (lambda x: x * statistics.fmean(x), "Python float"),
        (lambda x: x * complex(x[0]), "Python complex"),
        (lambda x: importlib.import_module("numpy").array(x, dtype=float), "Python float"),
        (buffer, "Python float"),
        (lambda x: np.add(x, x, out=OUTSIDE), "an array of float64 that was made before"),
        (lambda x: np.add.at(OUTSIDE, [0], x[:1]), "an array of floats that was made before"),
        (lambda x: x * np.random.default_rng(0).normal(x[0]), "Python float"),
        (lambda x: x * hash(x[0]), "hashes"),
        (lambda x: x * len({x[0]}), "hashes"),
        (lambda x: x.view(np.int64), "memory as int64"),
        (lambda x: np.frombuffer(x.tobytes()), "memory"),
        (lambda x: pickle.loads(pickle.dumps(x)), "pickles"),
        (lambda x: x * np.linalg.eigvalsh(np.outer(x, x)), "no exact form"),
        (lambda x: np.nan_to_num(x / (x - x)), "not finite"),
        (lambda x: np.fmax(x / (x - x), x), "not finite"),
        (lambda x: x + (1j * x[0] > 0), "orders complex numbers"),
        (lambda x: x.astype("M8[s]"), "casts"),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0], period=1.0), "period"),
        (lambda x: json.loads("[")[0] * x, "JSONDecodeError"),
        (lambda x: x @ np.ones(3), "ValueError"),
    ],
)
def test_what_leaves_says_where(f: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(NotExact, match=why) as caught:
        run(f)
    line = f.__code__.co_firstlineno + (f is buffer)
    assert caught.value.place.endswith(f"test_run.py:{line}"), caught.value.place


def test_random_numbers_that_nothing_pins_are_two_functions() -> None:
    with pytest.raises(NotExact, match="random numbers"):
        run(lambda x: x * (np.random.rand(2) > 0.5))  # noqa: NPY002 -- people write it
    run(lambda x: x * (np.random.default_rng(0).random(2) > 0.5))


def test_what_ended_the_run_cannot_be_swallowed() -> None:
    def swallowing(x: Any) -> Any:
        try:
            return x * hash(x[0])
        except Exception:
            return x

    def swallowing_everything(x: Any) -> Any:
        try:
            return x * hash(x[0])
        except:  # noqa: E722 -- people write it
            return x

    for f in (swallowing, swallowing_everything):
        with pytest.raises(NotExact, match=rf"test_run\.py:{f.__code__.co_firstlineno + 2}: it hashes"):
            run(f)


@pytest.mark.parametrize(
    ("f", "least"),
    [
        (lambda x: sum(x * k for k in range(100_000)), 50_000),
        (lambda x: x * np.sum(np.ones((100, 100)) @ np.ones((100, 100))), 2_000_000),
        (lambda x: np.zeros(100_000)[:2] + x, 100_000),
        (lambda x: np.outer(np.repeat(x, 200), x.repeat(200)), 160_000),
    ],
)
def test_a_run_has_a_budget(f: Callable[[Any], Any], least: int) -> None:
    """Of an operation on whole arrays that is past it, nothing is begun."""
    with pytest.raises(NotExact, match=r"too large .* at least [\d,]+ operations, where 50,000 are") as caught:
        run(f, budget=50_000)
    assert caught.value.place.endswith(f"test_run.py:{f.__code__.co_firstlineno}")
    needed = int(caught.value.why.partition("at least ")[2].partition(" ")[0].replace(",", ""))
    assert least <= needed <= 1.1 * least


def test_a_product_within_the_budget_is_quick_enough_to_be_run() -> None:
    a, b = np.random.default_rng(0).normal(size=(32, 200)), np.random.default_rng(1).normal(size=(200, 10))
    found = along(lambda v: [v["a"] @ v["b"]], {"a": a, "b": b}, {"a": a, "b": b})
    np.testing.assert_allclose(found.value[0].astype(float), a @ b)
    np.testing.assert_allclose(found.derivative[0].astype(float), 2 * (a @ b))


def test_precision_and_budget_of_before_come_back() -> None:
    before, left = flint.ctx.prec, exact_session.unspent()
    with pytest.raises(NotExact):
        run(lambda x: x * hash(x[0]), bits=333)
    assert (flint.ctx.prec, exact_session.unspent()) == (before, left)
    assert not exact_session.is_active()


def test_more_bits_are_taken_where_the_result_is_wide() -> None:
    def cancelling(x: Any) -> Any:
        return (1 + x * 1e-60 - 1) * 1e60

    found = run(cancelling)
    assert found.bits > 128
    assert abs(float(found.derivative[0][0]) - 1) < 1e-15


class Layer:
    """Keeps what layers keep: running statistics, buffers in place, caches, counters, a list of them."""

    def __init__(self) -> None:
        self.running = np.ones(2)
        self.buffer = np.zeros(2)
        self.same = self.buffer
        self.grads = [np.zeros(2)]
        self.params = {"w": np.array([2.0, 3.0])}
        self.calls = 0
        self.parts = (self.grads, self.params)

    def forward(self, x: Any) -> Any:
        self.running *= 0.9
        self.running += 0.1 * x
        self.buffer[:] = x * self.params["w"]
        self.grads[0][...] = 0
        np.add.at(self.grads[0], [0, 0], x)
        self.cache = x
        self.params["new"] = x
        self.calls += 1
        assert self.same is self.buffer
        return self.buffer * self.running + self.grads[0]


def test_objects_hold_jets_meanwhile_and_are_what_they_were_afterwards() -> None:
    layer = Layer()
    before = {name: (value, repr(value)) for name, value in vars(layer).items()}
    found = along(lambda v: [layer.forward(v["x"])], {"x": X}, {"x": np.ones(2)})
    assert {name: (value, repr(value)) for name, value in vars(layer).items()} == before
    assert all(vars(layer)[name] is value for name, (value, _) in before.items())
    running = 0.9 + 0.1 * X
    np.testing.assert_allclose(found.value[0].astype(float), X * [2, 3] * running + [X.sum(), 0])
    np.testing.assert_allclose(found.derivative[0].astype(float), [2, 3] * (running + 0.1 * X) + [2, 0])


def test_objects_are_what_they_were_after_an_exception_too() -> None:
    layer = Layer()

    def failing(values: Any) -> list[Any]:
        layer.forward(values["x"])
        raise RuntimeError

    with pytest.raises(NotExact):
        along(failing, {"x": X}, {"x": np.ones(2)})
    assert (layer.calls, layer.buffer.tolist(), layer.grads[0].tolist(), set(layer.params)) == (
        0,
        [0, 0],
        [0, 0],
        {"w"},
    )
    assert not hasattr(layer, "cache")


def test_bound_methods_and_partials_are_looked_through() -> None:
    import functools

    layer = Layer()
    for forward in (layer.forward, functools.partial(layer.forward), functools.partial(Layer.forward, layer)):
        along(lambda v, forward=forward: [forward(v["x"])], {"x": X}, {})
        assert layer.calls == 0
        assert layer.running.dtype == float
