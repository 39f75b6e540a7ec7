"""The names of NumPy's stand in for themselves while code runs exactly, and are put back whatever happens."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("flint", reason="python-flint, the extra `proof`, is not installed")

from gradcheck.exact import NotExact, along
from gradcheck.exact import session as exact_session
from gradcheck.exact.arrays.makers import MAKERS
from gradcheck.exact.shadow.names import shadowed, stand_in
from gradcheck.exact.shadow.reach import reach
from tests.gradcheck.exact import shadowed as subject

X = np.array([1.25, 0.5])


def run(f: Callable[[Any], Any], **options: Any) -> Any:
    return along(lambda values: [f(values["x"])], {"x": X}, {"x": np.ones(2)}, **options)


@pytest.fixture(autouse=True)
def _everything_is_put_back() -> Any:
    before = dict(vars(subject))
    yield
    for name, value in before.items():
        assert vars(subject)[name] is value, name
    assert set(vars(subject)) == set(before)
    assert not {"dtype", "astype"} & set(vars(subject.Tagged))


@pytest.mark.parametrize("f", [subject.makers, subject.names, subject.types, subject.tagged, subject.closing(np)])
def test_code_sees_what_it_sees_in_floats(f: Callable[[Any], Any]) -> None:
    found = run(f)
    h = 2.0**-10  # so that float32 has X ± h
    difference = (np.asarray(f(X + h)) - np.asarray(f(X - h))) / (2 * h)
    np.testing.assert_allclose(found.value[0].astype(float), np.asarray(f(X)), rtol=1e-12)
    np.testing.assert_allclose(found.derivative[0].astype(float), difference, rtol=1e-5)


def test_every_maker_is_in_the_test() -> None:
    import inspect

    text = inspect.getsource(subject)
    assert [make.__name__ for make in MAKERS if f".{make.__name__}(" not in text] == []


def test_casts_to_short_floats_are_noted_with_their_lines() -> None:
    def f(x: Any) -> Any:
        y = x.astype("f4") + np.float32(x[0])
        return y + np.zeros(2, np.float16) + np.add(x, x, dtype=np.float32) + x.astype(float) + np.float64(x)

    first = f.__code__.co_firstlineno
    assert [(note.text, note.site.line - first) for note in run(f).notes] == [
        ("rounds to float32 here", 1),
        ("rounds to float32 here", 1),
        ("rounds to float16 here", 2),
        ("rounds to float32 here", 2),
    ]
    assert run(f).derivative[0][0] == 6


def test_names_are_put_back_after_an_exception() -> None:
    with pytest.raises(NotExact, match=r"shadowed\.py:\d+: it raises RuntimeError: in the middle on exact numbers"):
        run(subject.failing)


def test_what_the_code_binds_keeps_and_counts_is_put_back() -> None:
    """Arrays of jets in a cache of the module's would spoil all that runs in floats later."""
    count, keep = subject.counting(), dict(subject.CACHE)
    assert run(lambda x: subject.rebinding(x) + count()).derivative[0].astype(float).tolist() == [1, 1]
    assert subject.CACHE == keep == {}
    assert subject.Tagged.known == []
    assert not hasattr(subject, "bound")
    assert count() == 1


def test_code_that_exec_makes_is_shadowed_by_its_globals() -> None:
    namespace: dict[str, Any] = {"__name__": "cells of a notebook"}
    exec("import numpy as np\ndef f(x):\n    y = np.zeros(2)\n    y[:] = x\n    return y * float(x[0])", namespace)
    found = run(namespace["f"])
    assert found.derivative[0].astype(float).tolist() == [2.5, 1.75]
    assert namespace["np"] is np
    assert "float" not in namespace


def test_a_run_inside_of_a_run_leaves_the_outer_one_as_it_was() -> None:
    def outer(x: Any) -> Any:
        bits = exact_session.current().bits
        inner = along(lambda values: [subject.makers(values["x"])], {"x": X}, {}, bits=512)
        assert inner.bits == 512
        assert exact_session.current().bits == bits
        return subject.makers(x)

    assert run(outer).value[0].astype(float).tolist() == run(subject.makers).value[0].astype(float).tolist()


def test_other_threads_run_in_floats_meanwhile() -> None:
    seen: dict[str, Any] = {}

    def elsewhere() -> None:
        seen.update(value=subject.makers(X), zeros=type(subject.np.zeros(2)), number=subject.math.sqrt(2.0))

    def f(x: Any) -> Any:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert type(seen["zeros"]) is type
        assert type(seen["value"]) is np.ndarray
        assert seen["number"] == math.sqrt(2)
        return subject.makers(x)

    run(f)


def test_two_threads_take_turns() -> None:
    found: list[Any] = [None] * 4
    threads = [
        threading.Thread(target=lambda k=k: found.__setitem__(k, run(subject.makers, bits=128 + 64 * k)))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.bits for one in found] == [128, 192, 256, 320]
    assert len({tuple(one.value[0].astype(float)) for one in found}) == 1


def test_outside_of_a_run_a_stand_in_is_what_it_stands_for() -> None:
    with shadowed([vars(subject)]):
        assert subject.np is not np
        assert type(subject.np.zeros(2)) is np.ndarray
        assert type(subject.float32(1.5)) is np.float32
        np.testing.assert_array_equal(subject.makers(X), subject.makers(X))
    assert subject.np is np


def test_a_stand_in_equals_what_it_stands_for() -> None:
    exp = stand_in(np.exp)
    assert exp == np.exp
    assert {np.exp: 1}[exp] == 1
    assert stand_in(math) == math
    assert stand_in(np.float64) == np.float64
    assert stand_in(np.random) is None
    assert stand_in(np.random.normal) is None
    assert stand_in(threading) is None


def test_modules_that_are_imported_by_the_subject_are_shadowed_and_libraries_are_not() -> None:
    from tests.gradcheck.exact import importing

    reached = reach([importing.through])
    names = {one.names["__name__"] for one in reached.namespaces}
    assert {importing.__name__, subject.__name__} <= names
    assert not {name for name in names if name.partition(".")[0] in ("numpy", "flint", "pytest", "math", "typing")}
    assert run(importing.through).value[0].astype(float).tolist() == importing.through(X).tolist()


@pytest.mark.parametrize("name", ["erf", "expit", "gammaln", "psi", "xlogy", "logsumexp", "softmax", "log_softmax"])
def test_special_functions_of_scipy(name: str) -> None:
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    function = getattr(special, name)

    given = 2 if name == "xlogy" else 1
    found = run(lambda x: getattr(special, name)(*[x] * given))
    np.testing.assert_allclose(found.value[0].astype(float), function(*[X] * given), rtol=1e-12)


@pytest.mark.parametrize("name", ["sin", "exp", "log", "sqrt", "hypot", "lgamma", "fabs"])
def test_math_takes_an_array_of_no_axes_for_its_number(name: str) -> None:
    found = run(lambda x: getattr(math, name)(x[0].reshape(())) * x)
    np.testing.assert_allclose(found.value[0].astype(float), getattr(math, name)(X[0]) * X, rtol=1e-14)


def test_what_math_and_scipy_have_and_flint_has_not_says_so() -> None:
    with pytest.raises(NotExact, match=r"math\.nextafter has no exact form"):
        run(lambda x: math.nextafter(x[0], 2.0) * x)
